from mysticanvas.features.base import Feature
from mysticanvas.features.images import routes

FEATURE = Feature(
    routes=(routes.routes,),
)
