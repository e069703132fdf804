from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.thumbnails import job, recheck, repair, routes
from mysticanvas.features.thumbnails.types import JOB_KIND, RECHECK_JOB_KIND
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    import_hooks=ImportHooks(on_images_added=job.queue_new_images, on_contents_changed=job.queue),
    repairs=(repair.MISSING,),
    cleanups=(repair.ORPHANS,),
    routes=(routes.routes,),
    backfills=(recheck.queue_outdated,),
    jobs=(
        JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, save_files=job.save_files),
        JobKind(
            name=RECHECK_JOB_KIND,
            prepare=recheck.prepare,
            apply=recheck.apply,
            split=recheck.split,
            lane=Lane.BACKGROUND,
        ),
    ),
)
