from mysticanvas.features.base import Feature
from mysticanvas.features.tags import routes

FEATURE = Feature(
    routes=(routes.routes,),
)
