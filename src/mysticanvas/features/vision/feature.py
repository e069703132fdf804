from mysticanvas.features.base import Feature
from mysticanvas.features.vision import job, routes
from mysticanvas.features.vision.types import JOB_KIND
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, split=job.split, lane=Lane.GPU),),
)
