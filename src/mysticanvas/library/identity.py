"""Whether a file whose fingerprint or path is known is the same image, a copy, moved, or new.

Equal bytes have equal fingerprints, so only a known fingerprint needs the whole content (F1).
"""

import os
from enum import Enum, auto

from mysticanvas.domain.errors import TaskError
from mysticanvas.domain.task import Executor, FileHashed, HashFile
from mysticanvas.library import taking_in
from mysticanvas.library.taking_in import Found
from mysticanvas.store import files
from mysticanvas.store.database import Database
from mysticanvas.store.files import KnownFile


class Outcome(Enum):
    IMPORTED = auto()
    UNCHANGED = auto()
    MOVED = auto()
    COPY = auto()


def settle(database: Database, executor: Executor, found: Found, *, now_ms: int) -> Outcome:
    """Decide what `found` is and commit it. Raises `TaskError` when it cannot be hashed."""
    stat = found.read.stat
    digest = _digest(executor, found.root.path, stat.path_bytes)
    if found.known is not None:
        return _same_path(database, found, found.known, digest, now_ms=now_ms)
    for candidate in database.read(files.with_fingerprint, found.read.fingerprint):
        if _is_same(database, executor, candidate, digest):
            if _is_gone(candidate):
                database.write_bulk(taking_in.move, candidate, found, now_ms=now_ms)
                return Outcome.MOVED
            database.write_bulk(taking_in.add_copy, candidate, found, digest, now_ms=now_ms)
            return Outcome.COPY
    database.write_bulk(taking_in.take_in, [found], [], now_ms=now_ms)
    return Outcome.IMPORTED


def _same_path(database: Database, found: Found, known: KnownFile, digest: bytes | None, *, now_ms: int) -> Outcome:
    """A new date alone changes nothing (F13); new content keeps what the person wrote (F9)."""
    same = known.blake3 == digest if known.blake3 and digest else known.fingerprint == found.read.fingerprint
    if same:
        database.write_bulk(taking_in.touch, known, found, now_ms=now_ms)
        return Outcome.UNCHANGED
    database.write_bulk(taking_in.replace_content, known, found, now_ms=now_ms)
    return Outcome.IMPORTED


def _is_same(database: Database, executor: Executor, candidate: KnownFile, digest: bytes | None) -> bool:
    if digest is None:
        return False
    theirs = candidate.blake3
    if theirs is None:
        try:
            theirs = _digest(executor, candidate.root_path, candidate.path_bytes)
        except TaskError:
            # It went away before anything hashed it. Its size and both ends are equal, and a person
            # who moved a file just after importing it must not lose what hangs on its row.
            return True
        if theirs is not None:
            database.write_bulk(files.set_blake3, file_id=candidate.id, blake3=theirs)
    return theirs == digest


def _is_gone(candidate: KnownFile) -> bool:
    """False while its whole root is away: then nothing is known about it."""
    root = os.fsencode(candidate.root_path)
    return os.path.isdir(root) and not os.path.lexists(os.path.join(root, candidate.path_bytes))


def _digest(executor: Executor, root_path: str, path_bytes: bytes) -> bytes | None:
    task = HashFile(os.fsencode(root_path), path_bytes)
    answer = executor.submit(task, urgent=True).result()
    return answer.digest if isinstance(answer, FileHashed) else None
