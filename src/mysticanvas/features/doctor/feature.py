from mysticanvas.features.base import Feature
from mysticanvas.features.doctor import routes

FEATURE = Feature(
    routes=(routes.routes,),
)
