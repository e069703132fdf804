from mysticanvas.features.access import routes
from mysticanvas.features.base import Feature

FEATURE = Feature(
    routes=(routes.routes,),
)
