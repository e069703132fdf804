from mysticanvas.edits.kinds import RecordedTables
from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.folders import job, routes, watching
from mysticanvas.features.folders.edits import EDITS
from mysticanvas.features.folders.rescan import build_rescan
from mysticanvas.features.folders.types import JOB_KIND, RescanRoot
from mysticanvas.jobs.kinds import JobKind, Lane

FEATURE = Feature(
    routes=(routes.routes,),
    edits=EDITS,
    recorded=(RecordedTables(tables={"folder_excludes": "roots"}, update=job.rescan_changed),),
    jobs=(JobKind(name=JOB_KIND, prepare=job.prepare, apply=job.apply, lane=Lane.IN_PROCESS, start=job.enqueue_all),),
    background=(Loop(watching.watch_folders, only_serving=True),),
    in_process={RescanRoot: build_rescan},
)
