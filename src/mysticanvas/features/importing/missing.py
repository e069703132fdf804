"""Decides which files that a scan did not find are missing, and marks them.

Nothing here modifies a file. Files are not marked as missing while their root is offline, empty or replaced by another
folder. When many files seem to be missing, the user must confirm first.
"""

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import excludes, files, generations
from mysticanvas.db.images import folders as image_folders
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.errors import TaskError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Executor
from mysticanvas.features.importing.messages import (
    FileToRead,
    ImageRead,
    ImagesRead,
    ListFolder,
    ReadImages,
)
from mysticanvas.fs.exclusions import Exclusions
from mysticanvas.fs.paths import join_system_path
from mysticanvas.fs.scanner import FolderListing
from mysticanvas.fs.volumes import get_volume_id

# Above this, a drive is probably offline or something went wrong, so the user must confirm.
CONFIRM_ABOVE_FILES = 100
CONFIRM_ABOVE_SHARE = 0.05
SAMPLE_FILES = 32
# The user may easily have deleted this few files and created others.
FEW_FILES = 8
# How much of a root is checked when no file of its sample is found.
PROBE_FOLDERS = 200
PROBE_FILES = 256
FILES_PER_SLICE = 500


class SeenFiles:
    """The IDs of the files that a scan has found. One bit each, so a million files take 125 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, file_id: int) -> None:
        place = file_id >> 3
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 - len(self._bits) + (len(self._bits) >> 1)))
        self._bits[place] |= 1 << (file_id & 7)

    def __contains__(self, file_id: int) -> bool:
        place = file_id >> 3
        return place < len(self._bits) and bool(self._bits[place] & 1 << (file_id & 7))


@dataclass(slots=True)
class Scope:
    """What a scan covers in one root. `folders` were listed without subfolders, `trees` with them. Folders in
    `unlisted` could not be listed, so nothing in them is missing."""

    root: WatchedFolder
    last_file_id: int
    trees: list[bytes] = field(default_factory=list)
    folders: set[bytes] = field(default_factory=set)
    unlisted: set[bytes] = field(default_factory=set)
    seen: SeenFiles = field(default_factory=SeenFiles)
    not_shown: dict[str, int] = field(default_factory=dict)

    @property
    def covers_root(self) -> bool:
        return b"" in self.trees


def find_offline_reason(database: Database, executor: Executor, root: WatchedFolder) -> str | None:
    """Why a root is offline or replaced by another folder, as a sentence for the user; None when it is available."""
    if root.id is None:
        return None
    if not os.path.isdir(root.path):
        return (
            f"The folder {root.path} is not available. Its images stay in the library. Connect its drive or restore "
            "the folder."
        )
    known = database.read(image_folders.get_mark, root.id)
    volume = get_volume_id(Path(root.path))
    if known.volume_id is not None and volume is not None and volume != known.volume_id:
        return (
            f"A different drive is mounted at {root.path}. The images of the previous drive stay in the library. "
            "Reconnect the previous drive."
        )
    if not known.sample or any(os.path.lexists(_join_path(root, path)) for path in known.sample):
        return None
    if _has_known_content(database, executor, root, enough=len(known.sample) < FEW_FILES):
        return None
    return (
        f"None of the known files in {root.path} were found. If they were deleted, mark them as missing: "
        f"mysticanvas roots accept {root.path}"
    )


def _has_known_content(database: Database, executor: Executor, root: WatchedFolder, *, enough: bool) -> bool:
    """Whether one of the first files found is known from this root: then its files were only moved. `enough`: any
    image is enough, because only a few files are known."""
    looked_at = 0
    for paths in _sample_files(executor, root):
        task = ReadImages(os.fsencode(root.path), [FileToRead(path) for path in paths])
        try:
            answer = executor.submit(task, urgent=True).result()
        except TaskError:
            continue
        assert isinstance(answer, ImagesRead)
        fingerprints = [read.fingerprint for read in answer.reads if isinstance(read, ImageRead)]
        known = (file for one in fingerprints for file in database.read(files.find_by_fingerprint, one))
        if (enough and fingerprints) or any(file.root_path == root.path for file in known):
            return True
        looked_at += len(paths)
        if looked_at >= PROBE_FILES:
            break
    return False


def _sample_files(executor: Executor, root: WatchedFolder) -> Iterator[list[bytes]]:
    waiting = [b""]
    for _ in range(PROBE_FOLDERS):
        if not waiting:
            return
        task = ListFolder(os.fsencode(root.path), waiting.pop(random.randrange(len(waiting))))
        try:
            listing = executor.submit(task, urgent=True).result()
        except TaskError:
            continue
        assert isinstance(listing, FolderListing)
        waiting += listing.folders
        if listing.images:
            yield [image.path_bytes for image in listing.images[:16]]


def find_moved_root(database: Database, folder: Path) -> WatchedFolder | None:
    """A root that the user moved to `folder`: its path is missing and its whole sample is in `folder`."""
    for root in database.read(image_folders.list_folders):
        assert root.id is not None
        sample = database.read(image_folders.get_mark, root.id).sample
        if sample and not os.path.lexists(root.path):
            there = os.fsencode(folder)
            known = database.read(files.find_by_paths, root_id=root.id, paths=sample)
            if all(_read_size(os.path.join(there, path)) == row.bytes for path, row in known.items()) and known:
                return root
    return None


def relocate(tx: WriteTx, root: WatchedFolder, folder: Path, *, now_ms: int) -> None:
    """Set the new path of a root. All files in it keep their rows."""
    assert root.id is not None
    image_folders.relocate(tx, root.id, path=str(folder))
    data = {"from": root.path}
    event_log.append(tx, level="info", kind="root.moved", subject=str(folder), data=data, now_ms=now_ms)


def _read_size(path: bytes) -> int | None:
    try:
        return os.lstat(path).st_size
    except OSError:
        return None


# -- after a run ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnseenFiles:
    """Known files that the scan did not find: the IDs of those that are verified to be missing, and (ID, path) of the
    others, which may be excluded."""

    missing: list[int]
    others: list[tuple[int, bytes]]


def find_unseen(database: Database, scope: Scope) -> UnseenFiles:
    assert scope.root.id is not None
    found = UnseenFiles([], [])
    for folder, recursive in [(tree, True) for tree in scope.trees] + [(one, False) for one in sorted(scope.folders)]:
        after = b""
        while page := database.read(
            files.list_in_folder, scope.root.id, folder, recursive=recursive, after=after, limit=FILES_PER_SLICE
        ):
            after = page[-1][1]
            for file_id, path in page:
                if file_id > scope.last_file_id or file_id in scope.seen or _is_beneath(path, scope.unlisted):
                    continue
                if _is_missing(scope.root, path):
                    found.missing.append(file_id)
                else:
                    found.others.append((file_id, path))
    return found


def mark_missing(database: Database, executor: Executor, scope: Scope, *, accept: bool, now_ms: int) -> int:
    """Mark the files that a complete scan did not find as missing. Returns their number; 0 when the root is offline or
    the user must confirm first. `accept`: the user has confirmed."""
    root = scope.root
    assert root.id is not None
    why = None if accept else find_offline_reason(database, executor, root)
    if why is not None:
        record_offline(database, root, why, now_ms=now_ms)
        return 0
    unseen = find_unseen(database, scope)
    _update_excluded(database, scope, unseen.others, now_ms=now_ms)
    lost = unseen.missing
    if not accept and needs_confirmation(database, root, lost):
        database.write_bulk(
            _request_confirmation, root, len(lost), database.read(files.count_in_folder, root.id), now_ms=now_ms
        )
        return 0
    for start in range(0, len(lost), FILES_PER_SLICE):
        database.write_bulk(_mark_files, lost[start : start + FILES_PER_SLICE], now_ms=now_ms)
    if scope.covers_root:
        database.write_bulk(_mark_scanned, scope, now_ms=now_ms)
    return len(lost)


def needs_confirmation(database: Database, root: WatchedFolder, lost: Sequence[int]) -> bool:
    """Whether too many files of a root seem to be missing to mark them without confirmation by the user."""
    assert root.id is not None
    return len(lost) > max(CONFIRM_ABOVE_FILES, CONFIRM_ABOVE_SHARE * database.read(files.count_in_folder, root.id))


def record_offline(database: Database, root: WatchedFolder, why: str, *, now_ms: int) -> None:
    database.write_bulk(_set_offline, root, why, now_ms=now_ms)


def _set_offline(tx: WriteTx, root: WatchedFolder, why: str, *, now_ms: int) -> None:
    assert root.id is not None
    if image_folders.set_offline(tx, root.id, why=why):
        event_log.append(tx, level="warning", kind="root.offline", subject=root.path, data={"why": why}, now_ms=now_ms)


def _request_confirmation(tx: WriteTx, root: WatchedFolder, lost: int, known: int, *, now_ms: int) -> None:
    assert root.id is not None
    why = (
        f"Files not found in {root.path}: {lost:,} of {known:,}. To mark them as missing, run: "
        f"mysticanvas roots accept {root.path}"
    )
    image_folders.ask_about_missing(tx, root.id, would_miss=lost, why=why)
    event_log.append(tx, level="warning", kind="root.asks", subject=root.path, data={"why": why}, now_ms=now_ms)


def _update_excluded(database: Database, scope: Scope, unseen: Sequence[tuple[int, bytes]], *, now_ms: int) -> None:
    """Records which files are excluded: another file of their image is shown then, if there is one."""
    root = scope.root
    assert root.id is not None
    rules = Exclusions(os.fsencode(root.path), tuple(database.read(excludes.list_patterns, root.id)))
    marked = set(database.read(files.list_excluded, root.id))
    excluded = [file_id for file_id, path in unseen if file_id not in marked and rules.find_file_source(path)]
    included = sorted(file_id for file_id in marked if file_id in scope.seen)
    for ids, is_excluded in ((excluded, True), (included, False)):
        for start in range(0, len(ids), FILES_PER_SLICE):
            some = ids[start : start + FILES_PER_SLICE]
            database.write_bulk(_mark_excluded, some, is_excluded=is_excluded, now_ms=now_ms)


def _mark_excluded(tx: WriteTx, file_ids: Sequence[int], *, is_excluded: bool, now_ms: int) -> None:
    update_missing(tx, files.set_excluded(tx, file_ids, is_excluded=is_excluded), now_ms=now_ms)


def _mark_files(tx: WriteTx, lost: Sequence[int], *, now_ms: int) -> None:
    images = files.mark_missing(tx, lost, now_ms=now_ms)
    update_missing(tx, images, now_ms=now_ms)


def update_missing(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    """Recompute which images are missing: those without any available file. An available copy replaces a missing
    original."""
    if images:
        tx.changes.invalidated.add("roots")
    for image in images:
        if (copy := files.find_replacement_copy(tx, image)) is not None:
            files.promote(tx, image, copy)
    generations.update_missing(tx, images, now_ms=now_ms)


def _mark_scanned(tx: WriteTx, scope: Scope, *, now_ms: int) -> None:
    assert scope.root.id is not None
    image_folders.mark_scanned(tx, scope.root.id, not_shown=scope.not_shown, now_ms=now_ms)
    sample = files.sample_paths(tx, scope.root.id, size=SAMPLE_FILES)
    image_folders.set_mark(tx, scope.root.id, volume_id=get_volume_id(Path(scope.root.path)), sample=sample)


def _is_beneath(path: bytes, folders: set[bytes]) -> bool:
    if not folders:
        return False
    parts = path.split(b"/")[:-1]
    return b"" in folders or any(b"/".join(parts[:depth]) in folders for depth in range(1, len(parts) + 1))


def _is_missing(root: WatchedFolder, path_bytes: bytes) -> bool:
    """Whether the file does not exist. Other errors do not prove that it is missing."""
    try:
        os.lstat(_join_path(root, path_bytes))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    except ValueError:
        # A displaced file has no valid path.
        return True
    return False


def _join_path(root: WatchedFolder, path_bytes: bytes) -> bytes:
    return join_system_path(os.fsencode(root.path), path_bytes)
