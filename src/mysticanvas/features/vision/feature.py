from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.vision import job, routes, service
from mysticanvas.features.vision.types import JOB_KIND
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    import_hooks=ImportHooks(on_thumbnails_made=service.on_thumbnails_made),
    backfills=(service.queue_missing,),
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, split=job.split, lane=Lane.GPU),),
)
