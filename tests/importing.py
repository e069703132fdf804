"""One import, here and now, for tests that need rows and no application around them."""

from threading import Event

from mysticanvas.db.database import Database
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.task import Executor
from mysticanvas.features.importing.session import ImportRun
from mysticanvas.features.importing.tally import Start, Tally


def import_all(database: Database, executor: Executor, root: WatchedFolder) -> Tally:
    """What the import of the whole root did."""
    run = ImportRun(
        database,
        executor,
        [Start(root)],
        dry_run=False,
        settle_s=0.1,
        cancelled=Event(),
        on_step=lambda: None,
        now_ms=lambda: 0,
    )
    run.run()
    return run.tally
