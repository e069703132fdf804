from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.journal import routes
from mysticanvas.features.journal.rebuild import Rebuilding
from mysticanvas.features.journal.service import Journaling

FEATURE = Feature(
    routes=(routes.routes,),
    background=(Loop(Journaling, early=True), Loop(Rebuilding)),
)
