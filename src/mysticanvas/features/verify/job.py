"""A batch of files whose bytes are compared with what they were, and the next batch when its time has come.

Each batch queues the one behind it, in the transaction of its findings: however it is interrupted, the check
goes on where it was. `payload["goes_on"]` marks the part of a batch that was taken apart which does so.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import folders
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.verify import queries
from mysticanvas.features.verify.queries import StoredFile, VerifyState
from mysticanvas.features.verify.types import JOB_KIND, FilesVerified, FileToVerify, FileVerified, Finding, VerifyFiles
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority

# A batch takes a fraction of a second on a fast disk and some seconds on a slow one.
BATCH_FILES = 32
BATCH_BYTES = 64 * 1024 * 1024
DAY_MS = 24 * 3_600_000
KEY = "verify"
_NOT_SEEN = "The file was changed since it was taken in, and no scan has seen that yet."
_SILENT = "The file holds other bytes than it did, with the same size and date: the disk may be failing."
_GONE = "The file is not where it was."


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """Parallel to the paths of the payload. Raises `NotFoundError` when the root is no more."""
    root = folders.find(tx, payload["root"])
    mark = folders.mark_of(tx, payload["root"])
    by_path = _known(tx, payload)
    asked = [FileToVerify(path, by_path[path].blake3 if path in by_path else None) for path in _paths(payload)]
    return VerifyFiles(os.fsencode(root.path), mark.volume_id, mark.sample, asked)


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, FilesVerified)
    by_path = _known(tx, payload)
    if not answer.away:
        for path, verified in zip(_paths(payload), answer.files, strict=True):
            if path in by_path:
                _settle(tx, by_path[path], verified)
    if payload["goes_on"]:
        _go_on(tx, payload, is_away=answer.away)


def split(payload: dict[str, Any]) -> list[dict[str, Any]]:
    middle = len(payload["files"]) // 2
    if not middle:
        return []
    halves = []
    for part, goes_on in ((slice(None, middle), False), (slice(middle, None), payload["goes_on"])):
        files, paths = payload["files"][part], payload["paths"][part]
        halves.append(payload | {"files": files, "paths": paths, "goes_on": goes_on})
    return halves


def give_up(tx: WriteTx, payload: dict[str, Any], reason: str) -> None:
    """A file that its reader dies of is a finding; the check goes on behind it."""
    if len(payload["files"]) == 1:
        queries.keep_finding(tx, payload["files"][0], Finding.UNDECODABLE, reason, now_ms=now_ms())
    if payload["goes_on"]:
        _go_on(tx, payload, is_away=False)


def enqueue_next(tx: WriteTx, state: VerifyState) -> VerifyState:
    """Queue the batch behind `state`, to be done when the budget allows; with none left the check is over."""
    root: int | None = state.root
    after = bytes.fromhex(state.after)
    while root is not None:
        files = _batch(queries.next_files(tx, root=root, after=after, limit=BATCH_FILES))
        if files:
            payload = _payload(root, files)
            run_at = _allowed_from(state, now_ms())
            job_queue.enqueue(tx, NewJob(JOB_KIND, payload, KEY, JobPriority.IDLE, run_at), now_ms=now_ms())
            return replace(state, root=root)
        root, after = queries.next_root(tx, after=root), b""
    return replace(state, on=False, root=0, after="", finished_at=now_ms())


def _payload(root: int, files: Sequence[StoredFile]) -> dict[str, Any]:
    return {
        "root": root,
        "files": [file.id for file in files],
        "paths": [file.path_bytes.hex() for file in files],
        "count": len(files),
        "bytes": sum(file.bytes for file in files),
        "goes_on": True,
    }


def _batch(files: Sequence[StoredFile]) -> list[StoredFile]:
    batch: list[StoredFile] = []
    size_bytes = 0
    for file in files:
        if batch and size_bytes + file.bytes > BATCH_BYTES:
            break
        batch.append(file)
        size_bytes += file.bytes
    return batch


def _known(tx: ReadTx, payload: dict[str, Any]) -> dict[bytes, StoredFile]:
    """The files that are still where they were: where one was moved or lost meanwhile, nothing is said of it."""
    files = queries.files_of(tx, payload["files"])
    return {file.path_bytes: file for file in files if file.root_id == payload["root"]}


def _paths(payload: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(path) for path in payload["paths"]]


def _allowed_from(state: VerifyState, now: int) -> int:
    """When the budget allows the next batch; 0 for at once."""
    waits = [0]
    if state.bytes_per_s and state.updated_at is not None:
        due = state.updated_at + state.last_bytes * 1000 // state.bytes_per_s
        waits.append(due if due > now else 0)
    if state.bytes_per_day and state.day_bytes >= state.bytes_per_day and now < state.day_from + DAY_MS:
        waits.append(state.day_from + DAY_MS)
    return max(waits)


def _go_on(tx: WriteTx, payload: dict[str, Any], *, is_away: bool) -> None:
    state, now = queries.state(tx), now_ms()
    if not state.on:
        return
    if is_away:
        # The rest of that root waits for the next check.
        following = queries.next_root(tx, after=payload["root"])
        state = replace(state, root=following if following is not None else 1 << 62, after="")
    else:
        new_day = now >= state.day_from + DAY_MS
        state = replace(
            state,
            after=payload["paths"][-1],
            checked=state.checked + payload["count"],
            bytes=state.bytes + payload["bytes"],
            last_bytes=payload["bytes"],
            day_from=now if new_day else state.day_from,
            day_bytes=payload["bytes"] if new_day else state.day_bytes + payload["bytes"],
            updated_at=now,
        )
    queries.keep_state(tx, enqueue_next(tx, state))


def _settle(tx: WriteTx, file: StoredFile, verified: FileVerified) -> None:
    found = _finding(file, verified)
    if found is None:
        queries.forget_findings(tx, [file.id])
    else:
        queries.keep_finding(tx, file.id, *found, now_ms=now_ms())


def _finding(file: StoredFile, verified: FileVerified) -> tuple[Finding, str] | None:
    if verified.is_gone:
        return Finding.MISSING, _GONE
    if verified.stat is None:
        return Finding.UNDECODABLE, verified.fault or "The file cannot be read."
    if verified.blake3 is None or file.blake3 is None:
        # Too large to be hashed, or its first hash is still to come.
        return None
    if verified.blake3 == file.blake3:
        return (Finding.UNDECODABLE, file.damage) if file.damage else None
    if verified.fault is not None:
        return Finding.UNDECODABLE, verified.fault
    unseen = (verified.stat.bytes, verified.stat.mtime_ns) != (file.bytes, file.mtime_ns)
    return Finding.CHANGED, _NOT_SEEN if unseen else _SILENT
