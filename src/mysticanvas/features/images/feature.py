from mysticanvas.edits.kinds import RecordedTables
from mysticanvas.features.base import Feature
from mysticanvas.features.images import routes
from mysticanvas.features.images.changes import report_changes
from mysticanvas.features.images.edits import EDITS

FEATURE = Feature(
    edits=EDITS,
    recorded=(RecordedTables(tables={"generations": None}, update=report_changes),),
    routes=(routes.routes,),
)
