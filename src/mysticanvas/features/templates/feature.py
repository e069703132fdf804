from mysticanvas.features.base import Feature
from mysticanvas.features.templates import routes

FEATURE = Feature(
    routes=(routes.routes,),
)
