from mysticanvas.features.backups import routes
from mysticanvas.features.backups.service import BackupRunner, HourlyBackups
from mysticanvas.features.base import Feature, Loop

FEATURE = Feature(
    routes=(routes.routes,),
    parts=(BackupRunner,),
    background=(Loop(HourlyBackups, only_serving=True),),
)
