from mysticanvas.features.autotag import job, routes, service
from mysticanvas.features.autotag.types import JOB_KIND
from mysticanvas.features.base import Feature
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    import_hooks=ImportHooks(on_prompts_added=service.on_prompts_added),
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, lane=Lane.SLOW),),
)
