from mysticanvas.features.base import Feature
from mysticanvas.features.duplicates import job, routes
from mysticanvas.features.duplicates.edits import EDITS
from mysticanvas.features.duplicates.types import JOB_KIND
from mysticanvas.jobs.kinds import JobKind

FEATURE = Feature(
    edits=EDITS,
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply),),
)
