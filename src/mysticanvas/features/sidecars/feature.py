from mysticanvas.features.base import Feature
from mysticanvas.features.sidecars import routes

FEATURE = Feature(
    routes=(routes.routes,),
)
