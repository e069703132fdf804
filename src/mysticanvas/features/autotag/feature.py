from mysticanvas.features.autotag import job, routes
from mysticanvas.features.autotag.types import JOB_KIND
from mysticanvas.features.base import Feature
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, lane=Lane.SLOW),),
)
