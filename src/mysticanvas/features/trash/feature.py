from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.trash import routes
from mysticanvas.features.trash.edits import EDITS
from mysticanvas.features.trash.expiry import TrashExpiry

FEATURE = Feature(
    edits=EDITS,
    background=(Loop(TrashExpiry),),
    routes=(routes.routes,),
)
