"""A planted bug: a person's edit is acknowledged before it is committed."""

import threading
import time

from mysticanvas.app.cli import main
from mysticanvas.db.database import Database
from mysticanvas.edits import apply
from mysticanvas.edits.types import EditResult

LATE_S = 0.4


def early(change):
    """The change with its reply first and its commit later."""
    write = Database.write

    def later(self, done, *args, **kwargs):
        if done is not change:
            return write(self, done, *args, **kwargs)
        threading.Thread(target=lambda: (time.sleep(LATE_S), write(self, done, *args, **kwargs)), daemon=True).start()
        return EditResult(operation=0, changed=1)

    Database.write = later


if __name__ == "__main__":
    early(apply.apply_all)
    main()
