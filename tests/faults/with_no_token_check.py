"""A planted bug: a result is believed whoever brings it, and whether or not its claim still stands."""

from with_ledger import keep_a_ledger

from mysticanvas.app.cli import main
from mysticanvas.jobs import queue as job_queue


def finish_anyway(tx, job, *, now_ms):
    tx.changes.jobs = True
    tx.run(
        "UPDATE jobs SET status = 'done', boot_id = NULL, claim_token = NULL, updated_at = :now_ms WHERE id = :id",
        id=job.id,
        now_ms=now_ms,
    )
    return True


if __name__ == "__main__":
    keep_a_ledger()
    job_queue.finish = finish_anyway
    main()
