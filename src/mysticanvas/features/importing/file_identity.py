"""Identifies a file whose path or fingerprint is known: unchanged, moved, a copy, changed, or new.

Equal files have equal fingerprints, so only a known fingerprint requires hashing the whole file. An image is its
content, not its path: when two files swap paths, their ratings, tags and notes follow the content.
"""

import os
from dataclasses import replace
from enum import Enum, auto

from mysticanvas.db.database import Database
from mysticanvas.db.images import files
from mysticanvas.db.images.files import KnownFile
from mysticanvas.domain.errors import TaskError
from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Executor
from mysticanvas.features.file_hashes.types import FileHashed, HashFile
from mysticanvas.features.importing import record
from mysticanvas.features.importing.record import Found
from mysticanvas.fs.paths import join_system_path


class Outcome(Enum):
    IMPORTED = auto()
    CHANGED = auto()
    UNCHANGED = auto()
    MOVED = auto()
    COPY = auto()


def identify(database: Database, executor: Executor, found: Found, *, now_ms: int) -> Outcome:
    """Decide what `found` is and commit it. Raises `TaskError` when the file cannot be hashed."""
    stat = found.read.stat
    here = database.read(files.find_by_paths, root_id=found.root.id, paths=[stat.path_bytes]).get(stat.path_bytes)
    found = replace(found, known=here)
    digest = compute_digest(executor, found.root.path, stat.path_bytes)
    if here is not None and is_unchanged(here, found, digest):
        # A new modification date alone is not a change.
        database.write_bulk(record.touch, here, found, now_ms=now_ms)
        return Outcome.UNCHANGED
    copied = None
    for candidate in database.read(files.find_by_fingerprint, found.read.fingerprint):
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
        # Edited in place: the image keeps its ratings, tags and notes.
        is_new = database.write_bulk(record.replace_content, here, found, now_ms=now_ms)
        return Outcome.IMPORTED if is_new else Outcome.CHANGED
    database.write_bulk(record.add_images, [found], [], now_ms=now_ms)
    return Outcome.IMPORTED


def seems_moved(candidate: KnownFile) -> bool:
    """Whether a known file is no longer at its path, by size and date only: for a dry run. False while its root is
    offline."""
    here = os.path.isdir(os.fsencode(candidate.root_path))
    return here and _read_stat(candidate) != (candidate.bytes, candidate.mtime_ns)


def seems_same(executor: Executor, candidate: KnownFile, digest: bytes | None) -> bool:
    """As `identify` decides whether a known file has this content, for a dry run, which stores nothing."""
    if digest is None:
        return False
    if candidate.blake3 is not None:
        return candidate.blake3 == digest
    try:
        theirs = compute_digest(executor, candidate.root_path, candidate.path_bytes)
    except TaskError:
        return True
    return _read_stat(candidate) != (candidate.bytes, candidate.mtime_ns) or theirs == digest


def is_unchanged(here: KnownFile, found: Found, digest: bytes | None) -> bool:
    return here.blake3 == digest if here.blake3 and digest else here.fingerprint == found.read.fingerprint


def _is_same(database: Database, executor: Executor, candidate: KnownFile, digest: bytes | None) -> bool:
    if digest is None:
        return False
    theirs = candidate.blake3
    if theirs is None:
        try:
            theirs = compute_digest(executor, candidate.root_path, candidate.path_bytes)
        except TaskError:
            # It disappeared before it was hashed. Its size and both ends are equal, and a user who moves a file
            # right after importing it must not lose ratings, tags and notes.
            return True
        if _read_stat(candidate) != (candidate.bytes, candidate.mtime_ns):
            # Another file is at its path now, and the known file was never hashed.
            return True
        if theirs is not None:
            database.write_bulk(files.set_blake3, file_id=candidate.id, blake3=theirs)
    return theirs == digest


def _has_left(executor: Executor, candidate: KnownFile, found: Found) -> bool:
    """Whether a known file is no longer at its path: missing, renamed in place, or replaced by another file. False
    while its root is offline, because its state is unknown then."""
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
    """Whether a rename changed only the case or Unicode form of a name and the file system treats both as equal: the
    folders list only the new names. Two hard links are both listed, so they are copies."""
    root = os.fsencode(candidate.root_path)
    theirs = join_system_path(root, candidate.path_bytes)
    ours = join_system_path(os.fsencode(found.root.path), found.read.stat.path_bytes)
    try:
        return os.path.samefile(theirs, ours) and not _is_listed(root, candidate.path_bytes)
    except OSError:
        return False


def _is_listed(root: bytes, path_bytes: bytes) -> bool:
    """Whether each folder on the path lists the next name exactly as it is spelled here. Raises `OSError`."""
    folder = root
    for name in path_bytes.split(b"/"):
        if name not in os.listdir(folder):
            return False
        folder = os.path.join(folder, name)
    return True


def _read_stat(candidate: KnownFile) -> tuple[int, int] | None:
    """Size and modification time (ns) of the file at its path; None when there is none."""
    try:
        stat = os.lstat(join_system_path(os.fsencode(candidate.root_path), candidate.path_bytes))
    except (OSError, ValueError):
        return None
    bounded = FileStat(candidate.path_bytes, stat.st_size, stat.st_mtime_ns)
    return bounded.bytes, bounded.mtime_ns


def compute_digest(executor: Executor, root_path: str, path_bytes: bytes) -> bytes | None:
    task = HashFile(os.fsencode(root_path), path_bytes)
    answer = executor.submit(task, urgent=True).result()
    return answer.digest if isinstance(answer, FileHashed) else None
