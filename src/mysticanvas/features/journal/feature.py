from mysticanvas.features.base import Feature, Loop
from mysticanvas.features.journal import checking, routes
from mysticanvas.features.journal.rebuild import RebuildRunner
from mysticanvas.features.journal.service import JournalWriter

FEATURE = Feature(
    checks=(checking.check_journal,),
    repairs=(checking.REPAIR,),
    routes=(routes.routes,),
    background=(Loop(JournalWriter, early=True), Loop(RebuildRunner)),
)
