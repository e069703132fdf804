from mysticanvas.features.base import Feature
from mysticanvas.features.collections import routes

FEATURE = Feature(
    routes=(routes.routes,),
)
