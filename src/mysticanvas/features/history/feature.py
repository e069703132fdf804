from mysticanvas.features.base import Feature
from mysticanvas.features.history import edits, routes

FEATURE = Feature(
    routes=(routes.routes,),
    edits=edits.EDITS,
)
