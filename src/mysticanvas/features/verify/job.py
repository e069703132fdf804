"""The job that verifies a batch of files against their stored hashes and queues the next batch.

A batch stores its findings and queues its successor in one transaction, so an interrupted verification continues
where it was. When a batch is split, only the part with `payload["goes_on"]` queues the successor.
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
_NOT_SEEN = "The file changed since it was imported. Scan the folder again."
_SILENT = "The content of the file changed, but its size and date did not. The disk may be failing."
_GONE = "The file is missing: it was moved, renamed or deleted."


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """The task, with files parallel to the paths of the payload. Raises `NotFoundError` if the folder was removed."""
    root = folders.find_folder(tx, payload["root"])
    mark = folders.get_mark(tx, payload["root"])
    by_path = _find_unmoved(tx, payload)
    asked = [FileToVerify(path, by_path[path].blake3 if path in by_path else None) for path in _paths(payload)]
    return VerifyFiles(os.fsencode(root.path), mark.volume_id, mark.sample, asked)


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, FilesVerified)
    by_path = _find_unmoved(tx, payload)
    if not answer.away:
        for path, verified in zip(_paths(payload), answer.files, strict=True):
            if path in by_path:
                _save_result(tx, by_path[path], verified)
    if payload["goes_on"]:
        _advance(tx, payload, is_away=answer.away)


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
    """Record a file that crashes its worker as a finding, and continue with the next batch."""
    if len(payload["files"]) == 1:
        queries.save_finding(tx, payload["files"][0], Finding.UNDECODABLE, reason, now_ms=now_ms())
    if payload["goes_on"]:
        _advance(tx, payload, is_away=False)


def enqueue_next(tx: WriteTx, state: VerifyState) -> VerifyState:
    """Queue the batch that follows `state`, to run when the budget allows. Without another batch, the returned state
    is finished."""
    root: int | None = state.root
    after = bytes.fromhex(state.after)
    while root is not None:
        files = _batch(queries.next_files(tx, root=root, after=after, limit=BATCH_FILES))
        if files:
            payload = _payload(root, files)
            run_at = _find_start_ms(state, now_ms())
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


def _find_unmoved(tx: ReadTx, payload: dict[str, Any]) -> dict[bytes, StoredFile]:
    """By path, the files that are still in the folder. Files that a scan marked as moved or missing get no finding."""
    files = queries.read_files(tx, payload["files"])
    return {file.path_bytes: file for file in files if file.root_id == payload["root"]}


def _paths(payload: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(path) for path in payload["paths"]]


def _find_start_ms(state: VerifyState, now: int) -> int:
    """When the budget allows the next batch, in Unix milliseconds; 0 means immediately."""
    waits = [0]
    if state.bytes_per_s and state.updated_at is not None:
        due = state.updated_at + state.last_bytes * 1000 // state.bytes_per_s
        waits.append(due if due > now else 0)
    if state.bytes_per_day and state.day_bytes >= state.bytes_per_day and now < state.day_from + DAY_MS:
        waits.append(state.day_from + DAY_MS)
    return max(waits)


def _advance(tx: WriteTx, payload: dict[str, Any], *, is_away: bool) -> None:
    """Store the progress after this batch and queue the next one. Does nothing if verification was stopped."""
    state, now = queries.get_state(tx), now_ms()
    if not state.on:
        return
    if is_away:
        # The rest of this folder is left to the next verification.
        next_root = queries.next_root(tx, after=payload["root"])
        state = replace(state, root=next_root if next_root is not None else 1 << 62, after="")
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
    queries.save_state(tx, enqueue_next(tx, state))


def _save_result(tx: WriteTx, file: StoredFile, verified: FileVerified) -> None:
    found = _classify(file, verified)
    if found is None:
        queries.delete_findings(tx, [file.id])
    else:
        queries.save_finding(tx, file.id, *found, now_ms=now_ms())


def _classify(file: StoredFile, verified: FileVerified) -> tuple[Finding, str] | None:
    """The finding and its explanation; None if the file is fine or cannot be compared."""
    if verified.is_gone:
        return Finding.MISSING, _GONE
    if verified.stat is None:
        return Finding.UNDECODABLE, verified.fault or "The file cannot be read."
    if verified.blake3 is None or file.blake3 is None:
        # The file is too large to hash, or was not hashed yet.
        return None
    if verified.blake3 == file.blake3:
        return (Finding.UNDECODABLE, file.damage) if file.damage else None
    if verified.fault is not None:
        return Finding.UNDECODABLE, verified.fault
    unseen = (verified.stat.bytes, verified.stat.mtime_ns) != (file.bytes, file.mtime_ns)
    return Finding.CHANGED, _NOT_SEEN if unseen else _SILENT
