from mysticanvas.features.backups import routes
from mysticanvas.features.backups.service import BackingUp, HourlyBackups
from mysticanvas.features.base import Feature, Loop

FEATURE = Feature(
    routes=(routes.routes,),
    parts=(BackingUp,),
    background=(Loop(HourlyBackups, only_serving=True),),
)
