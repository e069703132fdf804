"""Deleting images in the Trash permanently, in three steps: record the intent, remove the file, delete the row.

After a crash, `recover` finishes what the recorded intents say. Only images in the Trash are purged. For a missing
file or a file in a folder that was removed from the library, only the row is deleted; if the folder is offline,
both stay.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features import hooks
from mysticanvas.features.trash import queries
from mysticanvas.features.trash.queries import PurgedFile
from mysticanvas.fs import sidecars
from mysticanvas.fs import trash as fs_trash
from mysticanvas.fs.trash import DiscardMethod, ExpectedFile, NotDiscardedError

log = logging.getLogger(__name__)

# Intents are recorded for this many images at a time.
BATCH_IMAGES = 50
# One call purges at most this many images.
MAX_IMAGES = 1_000


@dataclass(slots=True)
class Purge:
    """What was or would be purged. `beside` lists sidecars, which stay; `kept` lists (path, reason) of kept files."""

    images: int = 0
    files: int = 0
    bytes: int = 0
    beside: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)


def check_purge(database: Database, images: Sequence[GenerationId]) -> Purge:
    """Dry run: make every check, change nothing."""
    found = Purge()
    for image in images[:MAX_IMAGES]:
        files = database.read(queries.list_files, [image])
        reasons = [reason for file in files if (reason := _find_obstacle(file)) is not None]
        found.beside += [os.fsdecode(path) for file in files for path in _find_sidecars(file)]
        if reasons:
            found.kept.append((files[-1].path, reasons[0]))
        else:
            _add_to_totals(found, files)
    return found


def purge(
    database: Database, images: Sequence[GenerationId], how: DiscardMethod, *, now_ms: Callable[[], int]
) -> Purge:
    """Remove the files of at most `MAX_IMAGES` of these images and delete their rows.

    Images that are not in the Trash are skipped. An image with a file that changed is kept, with the reason.
    """
    result = Purge()
    for start in range(0, min(len(images), MAX_IMAGES), BATCH_IMAGES):
        files = database.read(queries.list_files, images[start : start + BATCH_IMAGES])
        with_files = {file.image for file in files}
        database.write(queries.record_intents, [file.id for file in files], how.value, now_ms=now_ms())
        _purge_files(database, [(file, how) for file in files], result, now_ms)
        bare = [image for image in images[start : start + BATCH_IMAGES] if image not in with_files]
        for image in bare:
            # An image without files has only a row to delete.
            if database.write(_delete_image_without_files, image, now_ms=now_ms()):
                result.images += 1
    return result


def recover(database: Database, *, now_ms: Callable[[], int]) -> Purge:
    """Finish purges that a crash interrupted. Files on a drive that is offline wait."""
    result = Purge()
    begun = database.read(queries.list_intents)
    _purge_files(database, [(file, DiscardMethod(how)) for file, how in begun], result, now_ms)
    if begun:
        log.info("interrupted purge finished", extra={"images": result.images, "kept": len(result.kept)})
    return result


def _purge_files(
    database: Database, intended: Sequence[tuple[PurgedFile, DiscardMethod]], result: Purge, now_ms: Callable[[], int]
) -> None:
    for _, group in groupby(intended, key=lambda one: one[0].image):
        files = list(group)
        reason = next((why for file, _ in files if (why := _find_obstacle(file)) is not None), None)
        if reason is None:
            reason = _discard_all(files)
        if reason is not None:
            database.write(_record_kept, [file for file, _ in files], reason, now_ms=now_ms())
            result.kept.append((files[-1][0].path, reason))
            continue
        database.write(_delete_image, [file for file, _ in files], files[0][1], now_ms=now_ms())
        _add_to_totals(result, [file for file, _ in files])


def _discard_all(files: Sequence[tuple[PurgedFile, DiscardMethod]]) -> str | None:
    for file, how in files:
        if _is_left_alone(file) or fs_trash.is_missing(_get_root(file), file.path_bytes):
            continue
        try:
            fs_trash.discard(_get_root(file), file.path_bytes, _get_expected(file), how)
        except NotDiscardedError as error:
            return str(error)
    return None


def _find_obstacle(file: PurgedFile) -> str | None:
    """Why this file cannot be removed. None if it can be, is already gone, or will be left alone."""
    if _is_left_alone(file):
        return None
    if fs_trash.is_missing(_get_root(file), file.path_bytes):
        return None
    try:
        fs_trash.check_file(_get_root(file), file.path_bytes, _get_expected(file))
    except NotDiscardedError as error:
        return str(error)
    return None


def _is_left_alone(file: PurgedFile) -> bool:
    """Whether only the row may be deleted: a missing file, or one outside the library, is never removed."""
    return file.missing or file.removed


def _get_expected(file: PurgedFile) -> ExpectedFile:
    return ExpectedFile(blake3=file.blake3, fingerprint=file.fingerprint, mtime_ns=file.mtime_ns, bytes=file.bytes)


def _get_root(file: PurgedFile) -> bytes:
    return os.fsencode(file.root)


def _find_sidecars(file: PurgedFile) -> list[bytes]:
    return sidecars.find_sidecars(_get_root(file), file.path_bytes)


def _add_to_totals(purge: Purge, files: Sequence[PurgedFile]) -> None:
    purge.images += 1
    purge.files += len(files)
    purge.bytes += sum(file.bytes for file in files)


def _delete_image(tx: WriteTx, files: Sequence[PurgedFile], how: DiscardMethod, *, now_ms: int) -> None:
    _delete_row(tx, files[0].image, now_ms=now_ms)
    for file in files:
        data = {"uuid": file.uuid, "path": file.path, "bytes": file.bytes, "how": how.value}
        kind = "image.forgotten" if _is_left_alone(file) else "file.purged"
        event_log.append(tx, level="info", kind=kind, subject=file.root, data=data, now_ms=now_ms)


def _delete_image_without_files(tx: WriteTx, image: GenerationId, *, now_ms: int) -> bool:
    if not _delete_row(tx, image, now_ms=now_ms):
        return False
    event_log.append(tx, level="info", kind="image.forgotten", subject=None, data={}, now_ms=now_ms)
    return True


def _delete_row(tx: WriteTx, image: GenerationId, *, now_ms: int) -> bool:
    with hooks.run_removal_hooks(tx, image, now_ms=now_ms):
        return queries.delete_image(tx, image)


def _record_kept(tx: WriteTx, files: Sequence[PurgedFile], reason: str, *, now_ms: int) -> None:
    """Keep the image in the Trash, and delete the rows of its files that are already gone."""
    queries.delete_intents(tx, [file.id for file in files])
    for file in files:
        if file.kind != "final" and fs_trash.is_missing(_get_root(file), file.path_bytes):
            queries.delete_file(tx, file.id)
    data = {"path": files[-1].path, "reason": reason}
    event_log.append(tx, level="warning", kind="file.kept", subject=files[-1].root, data=data, now_ms=now_ms)
