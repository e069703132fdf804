"""A planted bug: a thumbnail's job is queued in another transaction than its image's row."""

import threading
import time
from types import SimpleNamespace

from mysticanvas.app.cli import main
from mysticanvas.db.database import Database
from mysticanvas.features.thumbnails import job as thumbnail_job
from mysticanvas.jobs import queue as job_queue

LATE_S = 3.0
held_back: list[tuple] = []
enqueue_all = job_queue.enqueue_all
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
    thumbnail_job.job_queue = SimpleNamespace(**vars(job_queue) | {"enqueue_all": hold_back})
    Database.open = classmethod(open_and_enqueue_late)
    main()
