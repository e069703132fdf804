from mysticanvas.edits.kinds import RecordedTables
from mysticanvas.features.base import Feature
from mysticanvas.features.models import job, routes
from mysticanvas.features.models.edits import EDITS, regroup
from mysticanvas.features.models.types import JOB_KIND
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    edits=EDITS,
    recorded=(RecordedTables(tables={"models": None}, update=regroup),),
    routes=(routes.routes,),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, lane=Lane.SLOW),),
)
