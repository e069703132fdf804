from mysticanvas.features.base import Feature
from mysticanvas.features.history import routes

FEATURE = Feature(
    routes=(routes.routes,),
)
