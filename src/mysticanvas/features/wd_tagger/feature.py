from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.wd_tagger import job, routes, service
from mysticanvas.features.wd_tagger.types import JOB_KIND
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    import_hooks=ImportHooks(on_images_added=service.on_images_added),
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, lane=Lane.GPU),),
)
