"""The job that scans a whole root. After a restart the scan starts over, which is fast for unchanged files."""

from collections.abc import Callable
from typing import Any

from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import folders
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.task import Answer
from mysticanvas.edits.changesets import RowChange
from mysticanvas.features.folders.types import JOB_KIND, RescanRoot
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob


def prepare(tx: ReadTx, payload: dict[str, Any]) -> RescanRoot | None:
    known = any(root.id == payload["root"] for root in folders.list_folders(tx))
    return RescanRoot(payload["root"]) if known else None


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    """Nothing to do: a scan commits its findings while it runs."""


def enqueue(tx: WriteTx, root_id: int) -> None:
    job_queue.enqueue(tx, NewJob(JOB_KIND, {"root": root_id}, str(root_id)), now_ms=now_ms())


def rescan_changed(tx: WriteTx, rows: list[RowChange]) -> None:
    """Queue a scan of each folder whose exclude patterns an edit, undo or redo changed: it finds the files that are no
    longer excluded."""
    for root_id in sorted({row.value("root_id") for row in rows}):
        enqueue(tx, root_id)


def enqueue_all(database: Database, now_ms: Callable[[], int]) -> int:
    """Queue a scan of every folder. Returns the number of folders."""
    return database.write(_enqueue_all)


def _enqueue_all(tx: WriteTx) -> int:
    known = [root.id for root in folders.list_folders(tx) if root.id is not None]
    for root_id in known:
        enqueue(tx, root_id)
    return len(known)
