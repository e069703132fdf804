"""Library folders: listing, removing, and locating or forgetting missing files.

Nothing here modifies a file on disk.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import excludes, files, folders, missing
from mysticanvas.db.images.files import KnownFile
from mysticanvas.db.images.folders import FolderState, WatchedFolder
from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError, TaskError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Executor
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.folders.schemas import FilesForgotten, Folder
from mysticanvas.features.importing import file_identity
from mysticanvas.features.importing import record as import_record
from mysticanvas.features.importing.messages import FileToRead, ImageRead, ImagesRead, ReadImages
from mysticanvas.features.importing.record import Found
from mysticanvas.features.importing.service import ImportService
from mysticanvas.features.trash.edits import MoveToTrash
from mysticanvas.fs.exclusions import Exclusions
from mysticanvas.fs.paths import resolve_folder
from mysticanvas.fs.watcher import FolderWatcher


def list_states(database: Database, watcher: FolderWatcher) -> list[Folder]:
    """All folders, with their current state on disk."""
    return [_describe(state, watcher) for state in database.read(folders.list_states)]


def get_state(database: Database, watcher: FolderWatcher, root_id: int) -> Folder:
    """Raises `NotFoundError`, for a removed folder as well."""
    for state in database.read(folders.list_states):
        if state.id == root_id:
            return _describe(state, watcher)
    raise NotFoundError("This folder is not in the library. Add it first.")


def _describe(state: FolderState, watcher: FolderWatcher) -> Folder:
    is_there = os.path.isdir(state.path)
    return Folder(
        **asdict(state),
        available=is_there,
        read_only=is_there and not os.access(state.path, os.W_OK),
        watching=watcher.is_watching(state.path),
        not_watched=watcher.find_failure(state.path),
    )


def add(database: Database, importing: ImportService, path: str, *, watch: bool) -> tuple[int, str, bool]:
    """Add a folder and start to import it. Returns the ID of the folder that contains `path`, the ID of the import, and
    whether the folder is new.

    Raises `InvalidInputError` when the path is not a folder.
    """
    before = {folder.id for folder in database.read(folders.list_active)}
    scan = importing.start([path], watch=watch)
    place = resolve_folder(path)
    holders = [folder for folder in database.read(folders.list_active) if place.is_relative_to(folder.path)]
    holder = max(holders, key=lambda one: len(one.path))
    assert holder.id is not None
    return holder.id, scan, holder.id not in before


def remove(database: Database, importing: ImportService, root_id: int, *, now_ms: int) -> WatchedFolder:
    """Stop watching and scanning a folder. Its files and images stay, with their ratings, tags and notes."""
    root = database.read(folders.find_folder, root_id)
    importing.stop_root(root)
    database.write(_remove, root, now_ms=now_ms)
    return root


def _remove(tx: WriteTx, root: WatchedFolder, *, now_ms: int) -> None:
    assert root.id is not None
    folders.remove(tx, root.id, now_ms=now_ms)
    event_log.append(tx, level="info", kind="root.removed", subject=root.path, data={}, now_ms=now_ms)


# -- files that are missing -----------------------------------------------------------------------


def locate(database: Database, executor: Executor, file_id: int, path: str, *, now_ms: int) -> KnownFile:
    """Set the new path of a missing file. `path` must be in a library folder and have the content of the missing file.

    Raises `InvalidInputError` or `ConflictError` before anything is changed.
    """
    known = database.read(missing.find_missing, file_id)
    root, path_bytes = _resolve_location(database, path)
    read = _read_image(executor, root, path_bytes)
    if not _is_same(executor, root, known, read):
        raise ConflictError(
            f"{path} is a different image: its content differs from the missing file. Select another file."
        )
    here = database.read(files.find_by_paths, root_id=root.id, paths=[path_bytes]).get(path_bytes)
    if here is not None and here.missing_at is None:
        raise ConflictError(f"{path} is already in the library. Select another file.")
    database.write(_record_location, known, Found(root=root, read=read, known=here), now_ms=now_ms)
    return known


def _resolve_location(database: Database, path: str) -> tuple[WatchedFolder, bytes]:
    """The innermost library folder that contains `path`, and the path relative to it."""
    place = Path(os.path.realpath(parse_entered_path(path)))
    if not place.is_file():
        raise InvalidInputError(f"The file {path} does not exist.")
    holders = [root for root in database.read(folders.list_active) if place.is_relative_to(root.path)]
    if not holders:
        raise InvalidInputError(
            f"{path} is not in a library folder. Add its folder to the library, and the missing file will be found "
            "automatically."
        )
    root = max(holders, key=lambda one: len(one.path))
    path_bytes = os.fsencode(place.relative_to(root.path).as_posix())
    excluded = Exclusions(os.fsencode(root.path), tuple(database.read(excludes.list_patterns, root.id)))
    if (source := excluded.find_file_source(path_bytes)) is not None:
        raise InvalidInputError(f"{path} is excluded ({source}), so scans skip it. Select another file.")
    return root, path_bytes


def _read_image(executor: Executor, root: WatchedFolder, path_bytes: bytes) -> ImageRead:
    task = ReadImages(os.fsencode(root.path), [FileToRead(path_bytes)])
    try:
        answer = executor.submit(task, urgent=True).result()
    except TaskError as error:
        raise InvalidInputError(str(error)) from error
    assert isinstance(answer, ImagesRead)
    [read] = answer.reads
    if not isinstance(read, ImageRead):
        raise InvalidInputError(read.reason)
    return read


def _is_same(executor: Executor, root: WatchedFolder, known: KnownFile, read: ImageRead) -> bool:
    if read.fingerprint != known.fingerprint:
        return False
    if known.blake3 is None:
        # It was never hashed while it existed, so only its size and both ends can be compared.
        return True
    try:
        digest = file_identity.compute_digest(executor, root.path, read.stat.path_bytes)
    except TaskError as error:
        raise InvalidInputError(str(error)) from error
    return digest == known.blake3


def _record_location(tx: WriteTx, known: KnownFile, found: Found, *, now_ms: int) -> None:
    import_record.move(tx, known, found, now_ms=now_ms)
    data = {"path": found.read.stat.path_bytes.decode("utf-8", "replace")}
    event_log.append(tx, level="info", kind="file.located", subject=found.root.path, data=data, now_ms=now_ms)


def forget(database: Database, edits: EditRunner, file_ids: Sequence[int], *, now_ms: int) -> FilesForgotten:
    """Remove missing files from the library. No file on disk is changed. Ratings, tags and notes of an image are lost
    only when the Trash is emptied."""
    requested = list(file_ids)
    alone: list[GenerationId] = database.write(_forget_spare, requested, now_ms=now_ms)
    edit = edits.do(MoveToTrash(), alone) if alone else None
    return FilesForgotten(len(requested) - len(alone), edit)


def _forget_spare(tx: WriteTx, file_ids: list[int], *, now_ms: int) -> list[GenerationId]:
    alone = missing.forget_redundant(tx, file_ids)
    data = {"files": len(file_ids), "images": len(alone)}
    event_log.append(tx, level="info", kind="missing.forgotten", subject=None, data=data, now_ms=now_ms)
    return alone
