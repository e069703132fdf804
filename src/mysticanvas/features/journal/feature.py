from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.journal import routes
from mysticanvas.features.journal.rebuild import RebuildRunner
from mysticanvas.features.journal.service import JournalWriter

FEATURE = Feature(
    routes=(routes.routes,),
    background=(Loop(JournalWriter, early=True), Loop(RebuildRunner)),
)
