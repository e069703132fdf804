from mysticanvas.features.autotag import job, keys, routes, service
from mysticanvas.features.autotag.types import JOB_KIND
from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.hooks import ImportHooks
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    import_hooks=ImportHooks(on_prompts_added=service.on_prompts_added),
    routes=(routes.routes,),
    background=(Loop(keys.bind_plain_key, early=True),),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, lane=Lane.SLOW),),
)
