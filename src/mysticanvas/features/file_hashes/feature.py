from mysticanvas.features.base import Feature
from mysticanvas.features.file_hashes import job, service
from mysticanvas.features.file_hashes.types import JOB_KIND
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.jobs.kinds import JobKind

FEATURE = Feature(
    import_hooks=ImportHooks(on_images_added=service.queue_new_images),
    jobs=(
        JobKind(
            name=JOB_KIND,
            prepare=job.prepare,
            apply=job.apply,
            start=service.start,
            stop=service.stop,
            is_on=service.is_enabled,
        ),
    ),
)
