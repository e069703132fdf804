"""A planted bug: a job is marked done in one transaction and its result applied in another, a little later."""

import threading
import time

from with_ledger import keep_a_ledger

from mysticanvas.app.cli import main
from mysticanvas.db.database import Database
from mysticanvas.jobs import outcomes as job_outcomes
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.kinds import KINDS

LATE_S = 2.0
held_back: list = []
opened = Database.open.__func__


def finish_now_and_apply_later(tx, finished, *, now_ms):
    if job_queue.finish(tx, finished.job, now_ms=now_ms) and finished.answer is not None:
        held_back.append(finished)


def open_and_apply_late(cls, *args, **kwargs):
    database = opened(cls, *args, **kwargs)

    def work():
        while True:
            time.sleep(LATE_S)
            while held_back:
                late = held_back.pop()
                database.write_later(KINDS[late.job.kind].apply, late.job.payload, late.answer)

    threading.Thread(target=work, daemon=True).start()
    return database


if __name__ == "__main__":
    keep_a_ledger()
    job_outcomes._finish = finish_now_and_apply_later
    Database.open = classmethod(open_and_apply_late)
    main()
