"""A planted bug: a thumbnail's job is queued in another transaction than its image's row."""

import threading
import time

from mysticanvas.cli.main import main
from mysticanvas.library import taking_in
from mysticanvas.store import jobs
from mysticanvas.store.database import Database

LATE_S = 3.0
held_back: list[tuple] = []
enqueue_all = jobs.enqueue_all
opened = Database.open.__func__


def hold_back(tx, new, *, now_ms):
    held_back.append((new, now_ms))


def open_and_enqueue_late(cls, *args, **kwargs):
    database = opened(cls, *args, **kwargs)

    def work():
        while True:
            time.sleep(LATE_S)
            while held_back:
                new, now_ms = held_back.pop()
                database.write_later(enqueue_all, new, now_ms=now_ms)

    threading.Thread(target=work, daemon=True).start()
    return database


if __name__ == "__main__":
    taking_in.jobs.enqueue_all = hold_back
    Database.open = classmethod(open_and_enqueue_late)
    main()
