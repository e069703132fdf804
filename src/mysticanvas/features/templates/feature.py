from mysticanvas.edits.kinds import RecordedTables
from mysticanvas.features.base import Feature
from mysticanvas.features.templates import routes
from mysticanvas.features.templates.edits import EDITS

FEATURE = Feature(
    edits=EDITS,
    recorded=(RecordedTables(tables={"prompt_templates": "templates", "wildcards": "templates"}),),
    routes=(routes.routes,),
)
