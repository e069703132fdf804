from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.doctor import repair, routes
from mysticanvas.features.doctor.disk_space import ReserveKeeper

FEATURE = Feature(
    repairs=repair.REPAIRS,
    routes=(routes.routes,),
    background=(Loop(ReserveKeeper, only_serving=True),),
)
