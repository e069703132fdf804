from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.features.semantic import job, service
from mysticanvas.features.semantic.types import JOB_KIND
from mysticanvas.jobs.kinds import JobKind

FEATURE = Feature(
    import_hooks=ImportHooks(
        on_prompts_added=service.on_prompts_added, on_image_read_again=service.on_image_read_again
    ),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, split=job.split),),
    backfills=(service.queue_missing,),
)
