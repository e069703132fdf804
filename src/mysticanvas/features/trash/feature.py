from mysticanvas.features.base import Feature
from mysticanvas.features.trash import routes

FEATURE = Feature(
    routes=(routes.routes,),
)
