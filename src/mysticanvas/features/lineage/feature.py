from mysticanvas.features.base import Feature
from mysticanvas.features.lineage import routes

FEATURE = Feature(
    routes=(routes.routes,),
)
