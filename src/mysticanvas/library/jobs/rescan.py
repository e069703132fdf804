"""A scan of a whole root, as a job: it survives a restart, and begins again then; what is known is quick."""

from typing import Any

from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.job import JobKind
from mysticanvas.domain.task import Answer
from mysticanvas.domain.verifying import RescanRoot
from mysticanvas.store import jobs, roots
from mysticanvas.store.database import ReadTx, WriteTx
from mysticanvas.store.jobs import NewJob


def prepare(tx: ReadTx, payload: dict[str, Any]) -> RescanRoot | None:
    known = any(root.id == payload["root"] for root in roots.all_roots(tx))
    return RescanRoot(payload["root"]) if known else None


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    """Whatever a scan finds is committed as it is found."""


def enqueue(tx: WriteTx, root_id: int) -> None:
    jobs.enqueue(tx, NewJob(JobKind.RESCAN, {"root": root_id}, str(root_id)), now_ms=now_ms())
