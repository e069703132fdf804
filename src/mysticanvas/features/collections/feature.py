from mysticanvas.edits.kinds import RecordedTables
from mysticanvas.features.base import Feature
from mysticanvas.features.collections import routes, service
from mysticanvas.features.collections.edits import EDITS

FEATURE = Feature(
    edits=EDITS,
    recorded=(
        RecordedTables(
            tables={"collections": "collections", "collection_items": "collections"},
            checked=frozenset({"collections"}),
            check=service.refuse_circles,
            update=service.report_changes,
        ),
    ),
    routes=(routes.routes,),
)
