"""What a person does with the library's folders: looking, taking one out, finding a lost file by hand.

Nothing here touches a file.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import files, folders, missing
from mysticanvas.db.images.files import KnownFile
from mysticanvas.db.images.folders import Root
from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import ConflictError, InvalidInputError, TaskError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Executor
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EditResult
from mysticanvas.features.importing import file_identity
from mysticanvas.features.importing import record as import_record
from mysticanvas.features.importing.messages import FileToRead, ImageRead, ImagesRead, ReadImages
from mysticanvas.features.importing.record import Found
from mysticanvas.features.importing.service import Importing
from mysticanvas.features.trash.edits import MoveToTrash


def listed(database: Database, is_watched: Callable[[str], bool]) -> list[dict[str, Any]]:
    """The states of all folders, with what the disk says at this moment: `there`, `read_only`, `watching`."""
    return [
        asdict(state)
        | {
            "there": os.path.isdir(state.path),
            "read_only": os.path.isdir(state.path) and not os.access(state.path, os.W_OK),
            "watching": is_watched(state.path),
        }
        for state in database.read(folders.states)
    ]


def remove(database: Database, importing: Importing, root_id: int, *, now_ms: int) -> Root:
    """Nobody looks at the folder any more. Its files, its images and all that was written about them stay."""
    root = database.read(folders.find, root_id)
    importing.leave(root)
    database.write(_remove, root, now_ms=now_ms)
    return root


def _remove(tx: WriteTx, root: Root, *, now_ms: int) -> None:
    assert root.id is not None
    folders.remove(tx, root.id, now_ms=now_ms)
    event_log.append(tx, level="info", kind="root.removed", subject=root.path, data={}, now_ms=now_ms)


# -- files that are missing -----------------------------------------------------------------------


def locate(database: Database, executor: Executor, file_id: int, path: str, *, now_ms: int) -> KnownFile:
    """A missing file is at `path`, says a person. It must lie in a folder of the library and have the very
    content of the file that is missing.

    Raises `InvalidInputError`, `ConflictError`; nothing is changed then.
    """
    known = database.read(missing.find, file_id)
    root, path_bytes = _place_of(database, path)
    read = _read(executor, root, path_bytes)
    if not _is_same(executor, root, known, read):
        raise ConflictError(f"{path} is another picture: its content is not that of the file that is missing.")
    here = database.read(files.known, root_id=root.id, paths=[path_bytes]).get(path_bytes)
    if here is not None and here.missing_at is None:
        raise ConflictError(f"{path} is in the library already, as a file of its own.")
    database.write(_settle, known, Found(root=root, read=read, known=here), now_ms=now_ms)
    return known


def _place_of(database: Database, path: str) -> tuple[Root, bytes]:
    """The innermost folder of the library that holds the path, and where in it."""
    place = Path(os.path.realpath(parse_entered_path(path)))
    if not place.is_file():
        raise InvalidInputError(f"There is no file {path}.")
    holders = [root for root in database.read(folders.kept_roots) if place.is_relative_to(root.path)]
    if not holders:
        raise InvalidInputError(
            f"{path} is in none of the library's folders. Add the folder it is in: what is missing is then found "
            "there by itself."
        )
    root = max(holders, key=lambda one: len(one.path))
    return root, os.fsencode(place.relative_to(root.path).as_posix())


def _read(executor: Executor, root: Root, path_bytes: bytes) -> ImageRead:
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


def _is_same(executor: Executor, root: Root, known: KnownFile, read: ImageRead) -> bool:
    if read.fingerprint != known.fingerprint:
        return False
    if known.blake3 is None:
        # Nobody has hashed it while it was there: its size and both ends are all that is known.
        return True
    try:
        digest = file_identity.digest_of(executor, root.path, read.stat.path_bytes)
    except TaskError as error:
        raise InvalidInputError(str(error)) from error
    return digest == known.blake3


def _settle(tx: WriteTx, known: KnownFile, found: Found, *, now_ms: int) -> None:
    import_record.move(tx, known, found, now_ms=now_ms)
    data = {"path": found.read.stat.path_bytes.decode("utf-8", "replace")}
    event_log.append(tx, level="info", kind="file.located", subject=found.root.path, data=data, now_ms=now_ms)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """`places` were spare: their images have another file. The images of the others are in the Trash, by
    `edit` (None for none), from where they can be restored."""

    places: int
    edit: EditResult | None


def forget(database: Database, edits: EditRunner, file_ids: Sequence[int], *, now_ms: int) -> Forgotten:
    """Miss these files no more. No file is touched, and what is written about an image is lost only when the
    Trash is emptied."""
    wanted = list(file_ids)
    alone: list[GenerationId] = database.write(_drop_spare, wanted, now_ms=now_ms)
    edit = edits.do(MoveToTrash(), alone) if alone else None
    return Forgotten(len(wanted) - len(alone), edit)


def _drop_spare(tx: WriteTx, file_ids: list[int], *, now_ms: int) -> list[GenerationId]:
    alone = missing.forget_spare(tx, file_ids)
    data = {"files": len(file_ids), "images": len(alone)}
    event_log.append(tx, level="info", kind="missing.forgotten", subject=None, data=data, now_ms=now_ms)
    return alone
