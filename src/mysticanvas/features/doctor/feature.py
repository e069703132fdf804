from mysticanvas.features.base import Feature
from mysticanvas.features.doctor import repair, routes

FEATURE = Feature(
    repairs=repair.REPAIRS,
    routes=(routes.routes,),
)
