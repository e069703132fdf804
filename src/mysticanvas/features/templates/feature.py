from mysticanvas.edits.kinds import Recorded
from mysticanvas.features.base import Feature
from mysticanvas.features.templates import routes
from mysticanvas.features.templates.edits import EDITS

FEATURE = Feature(
    edits=EDITS,
    recorded=(Recorded(tables={"prompt_templates": "templates", "wildcards": "templates"}),),
    routes=(routes.routes,),
)
