from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.event_hooks import deliver, job, recorder, routes
from mysticanvas.features.event_hooks.types import JOB_KIND, DeliverHook
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    routes=(routes.routes,),
    parts=(recorder.open_hook_file,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, lane=Lane.HOOKS, attempts=8),),
    background=(Loop(recorder.start_recording, early=True), Loop(deliver.start_hook_runner)),
    in_process={DeliverHook: deliver.build_delivery},
)
