from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.semantic import job
from mysticanvas.features.semantic.backfill import Backfilling
from mysticanvas.features.semantic.types import JOB_KIND
from mysticanvas.jobs.kinds import JobKind

FEATURE = Feature(
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, split=job.split),),
    background=(Loop(Backfilling, only_serving=True),),
)
