from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.thumbnails import job, repair, routes
from mysticanvas.features.thumbnails.types import JOB_KIND
from mysticanvas.jobs.kinds import JobKind

FEATURE = Feature(
    import_hooks=ImportHooks(on_images_added=job.queue_new_images, on_contents_changed=job.queue),
    repairs=(repair.MISSING,),
    cleanups=(repair.ORPHANS,),
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, save_files=job.save_files),),
)
