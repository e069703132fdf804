from mysticanvas.features.archive import routes
from mysticanvas.features.base import Feature

FEATURE = Feature(
    routes=(routes.routes,),
)
