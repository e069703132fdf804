"""Which image a file is, when its path or its fingerprint is known: the same, moved, a copy, or new.

Equal bytes have equal fingerprints, so only a known fingerprint needs the whole content (F1). A path
is an attribute: files that changed places keep what the person wrote, each with its own content.
"""

import os
from dataclasses import replace
from enum import Enum, auto

from mysticanvas.db.database import Database
from mysticanvas.db.images import files
from mysticanvas.db.images.files import KnownFile
from mysticanvas.domain.errors import TaskError
from mysticanvas.domain.task import Executor
from mysticanvas.features.file_hashes.types import FileHashed, HashFile
from mysticanvas.features.importing import record
from mysticanvas.features.importing.record import Found


class Outcome(Enum):
    IMPORTED = auto()
    CHANGED = auto()
    UNCHANGED = auto()
    MOVED = auto()
    COPY = auto()


def identify(database: Database, executor: Executor, found: Found, *, now_ms: int) -> Outcome:
    """Decide what `found` is and commit it. Raises `TaskError` when it cannot be hashed."""
    stat = found.read.stat
    here = database.read(files.known, root_id=found.root.id, paths=[stat.path_bytes]).get(stat.path_bytes)
    found = replace(found, known=here)
    digest = compute_digest(executor, found.root.path, stat.path_bytes)
    if here is not None and _is_unchanged(here, found, digest):
        # A new date alone changes nothing (F13).
        database.write_bulk(record.touch, here, found, now_ms=now_ms)
        return Outcome.UNCHANGED
    copied = None
    for candidate in database.read(files.with_fingerprint, found.read.fingerprint):
        if not _is_same(database, executor, candidate, digest):
            continue
        if _has_left(executor, candidate, found):
            database.write_bulk(record.move, candidate, found, now_ms=now_ms)
            return Outcome.MOVED
        copied = copied or candidate
    if copied is not None:
        database.write_bulk(record.add_copy, copied, found, digest, now_ms=now_ms)
        return Outcome.COPY
    if here is not None:
        # Edited in place: a new version, with what the person wrote (F9).
        is_new = database.write_bulk(record.replace_content, here, found, now_ms=now_ms)
        return Outcome.IMPORTED if is_new else Outcome.CHANGED
    database.write_bulk(record.add_images, [found], [], now_ms=now_ms)
    return Outcome.IMPORTED


def seems_moved(candidate: KnownFile) -> bool:
    """Whether a known file is no longer where it was, by size and date alone: for a dry run, which hashes
    nothing. False while its whole root is away."""
    here = os.path.isdir(os.fsencode(candidate.root_path))
    return here and _read_stat(candidate) != (candidate.bytes, candidate.mtime_ns)


def _is_unchanged(here: KnownFile, found: Found, digest: bytes | None) -> bool:
    return here.blake3 == digest if here.blake3 and digest else here.fingerprint == found.read.fingerprint


def _is_same(database: Database, executor: Executor, candidate: KnownFile, digest: bytes | None) -> bool:
    if digest is None:
        return False
    theirs = candidate.blake3
    if theirs is None:
        try:
            theirs = compute_digest(executor, candidate.root_path, candidate.path_bytes)
        except TaskError:
            # It went away before anything hashed it. Its size and both ends are equal, and a person
            # who moved a file just after importing it must not lose what hangs on its row.
            return True
        if _read_stat(candidate) != (candidate.bytes, candidate.mtime_ns):
            # What is at its path now is something else; the row was never hashed while it was there.
            return True
        if theirs is not None:
            database.write_bulk(files.set_blake3, file_id=candidate.id, blake3=theirs)
    return theirs == digest


def _has_left(executor: Executor, candidate: KnownFile, found: Found) -> bool:
    """Whether a known file is no longer where it was: gone, renamed in place, or another file is there
    now. False while its whole root is away: then nothing is known about it."""
    if not os.path.isdir(os.fsencode(candidate.root_path)):
        return False
    stat = _read_stat(candidate)
    if stat is None:
        return True
    if stat != (candidate.bytes, candidate.mtime_ns):
        return not _still_has_content(executor, candidate)
    return _is_same_entry(candidate, found)


def _still_has_content(executor: Executor, candidate: KnownFile) -> bool:
    if candidate.blake3 is None:
        return False
    try:
        return compute_digest(executor, candidate.root_path, candidate.path_bytes) == candidate.blake3
    except TaskError:
        return False


def _is_same_entry(candidate: KnownFile, found: Found) -> bool:
    """A change of case or of Unicode form where the system takes both for one name: the folder lists
    the new name alone. Two hard links are both listed, and are copies."""
    theirs = os.path.join(os.fsencode(candidate.root_path), candidate.path_bytes)
    ours = os.path.join(os.fsencode(found.root.path), found.read.stat.path_bytes)
    try:
        return os.path.samefile(theirs, ours) and os.path.basename(theirs) not in os.listdir(os.path.dirname(theirs))
    except OSError:
        return False


def _read_stat(candidate: KnownFile) -> tuple[int, int] | None:
    """Size and date of what is at its path; None when nothing is."""
    try:
        stat = os.lstat(os.path.join(os.fsencode(candidate.root_path), candidate.path_bytes))
    except (OSError, ValueError):
        return None
    return stat.st_size, stat.st_mtime_ns


def compute_digest(executor: Executor, root_path: str, path_bytes: bytes) -> bytes | None:
    task = HashFile(os.fsencode(root_path), path_bytes)
    answer = executor.submit(task, urgent=True).result()
    return answer.digest if isinstance(answer, FileHashed) else None
