from mysticanvas.edits.kinds import Recorded
from mysticanvas.features.base import Feature
from mysticanvas.features.lineage import routes, service
from mysticanvas.features.lineage.edits import EDITS

FEATURE = Feature(
    edits=EDITS,
    recorded=(Recorded(tables={}, also=frozenset({"generations"}), update=service.follow),),
    routes=(routes.routes,),
)
