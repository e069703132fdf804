from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.migrate import routes
from mysticanvas.features.migrate.service import MigrationRunner

FEATURE = Feature(
    routes=(routes.routes,),
    background=(Loop(MigrationRunner),),
)
