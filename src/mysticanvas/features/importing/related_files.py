"""Joins related files to their image, when the naming scheme of a generator identifies them.

Sources: the suffixes of A1111 and its forks for intermediate images and masks (`modules/processing.py`), the file
names of Upscayl, and the previews of SwarmUI.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.file import FileKind, FileStat
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features import hooks
from mysticanvas.features.importing import related_files_queries
from mysticanvas.features.importing.messages import ImageRead
from mysticanvas.features.importing.related_files_queries import PendingCompanion
from mysticanvas.fs.scanner import IMAGE_ENDINGS

# A1111 numbers every file that it saves. In a batch, an image comes several numbers after its intermediate image and
# several before its mask.
NUMBERS_TRIED = 16
# Quickly rejects almost every name.
_MAY_BE_COMPANION = re.compile(rb"-before-|-mask|_upscayl_|\.swarmpreview")
_STEP = re.compile(
    rb"(?P<base>.+?)(?P<suffix>-before-(?:highres-fix|color-correction|face-restoration)|-mask(?:-composite)?)"
)
_UPSCAYL = re.compile(rb"(?P<base>.+)_upscayl_\d+(?:x|px)_.+")
_SWARM_PREVIEW = re.compile(rb"(?P<base>.+)\.swarmpreview")
_NUMBERED = re.compile(rb"(?P<number>\d{5,})(?P<rest>-.*)?")


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that belongs to an image. `stems` are the names, without extension, that the image may have.
    `must_agree`: the image must have the same seed and prompt."""

    kind: FileKind
    stems: tuple[bytes, ...]
    must_agree: bool


def detect_companion(path_bytes: bytes) -> Companion | None:
    """What kind of companion a file is, by its name; None for most files."""
    if not _MAY_BE_COMPANION.search(path_bytes):
        return None
    stem = os.path.splitext(os.path.basename(path_bytes))[0]
    if match := _STEP.fullmatch(stem):
        is_mask = match["suffix"].startswith(b"-mask")
        stems = _list_nearby_names(match["base"], -1 if is_mask else 1)
        return Companion(FileKind.MASK if is_mask else FileKind.INPUT, tuple(stems), must_agree=True)
    if match := _UPSCAYL.fullmatch(stem):
        return Companion(FileKind.UPSCALED, (match["base"],), must_agree=False)
    if match := _SWARM_PREVIEW.fullmatch(stem):
        return Companion(FileKind.SIDECAR, (match["base"],), must_agree=False)
    return None


Arrival = tuple[GenerationId, int, bytes]
"""An image, and the root ID and path of one of its files."""


def on_images_added(tx: WriteTx, images: Sequence[tuple[GenerationId, int, ImageRead]], *, now_ms: int) -> None:
    """Record sidecars and grids of new images (with their root IDs), and join companions."""
    for image, root_id, read in images:
        update_image(tx, image, root_id, read)
    on_files_arrived(tx, [(image, root_id, read.stat.path_bytes) for image, root_id, read in images], now_ms=now_ms)


def on_files_arrived(tx: WriteTx, arrivals: Sequence[Arrival], *, now_ms: int) -> None:
    """Join companions to their images after files of images were added or moved.

    The result depends on the files alone: a companion belongs to the image with the nearest matching name in its
    folder, and moves to it if that image arrives later. What is a companion in one folder is one everywhere.
    """
    for image, root_id, path in arrivals:
        if found := detect_companion(path):
            related_files_queries.add_pending(
                tx, image, kind=found.kind.value, root_id=root_id, folder=os.path.dirname(path)
            )
    if related_files_queries.has_pending(tx):
        for root_id, folder in {(root_id, os.path.dirname(path)): None for _, root_id, path in arrivals}:
            for loose in related_files_queries.list_pending(tx, root_id=root_id, folder=folder):
                _join_if_matched(tx, loose, now_ms=now_ms)
    for image, root_id, path in arrivals:
        _take_companions(tx, image, root_id, path, now_ms=now_ms)


def on_file_moved(tx: WriteTx, arrival: Arrival, *, now_ms: int) -> None:
    """Look for the image of a companion, and the companions of an image, at the new path of its file."""
    image, root_id, path = arrival
    if related_files_queries.find_image(tx, root_id=root_id, path_bytes=path) == image:
        related_files_queries.forget_pending(tx, image)
        arrivals = [(image, *file) for file in related_files_queries.list_image_files(tx, image)]
        on_files_arrived(tx, arrivals, now_ms=now_ms)


def on_companion_copied(tx: WriteTx, companion: PendingCompanion, *, now_ms: int) -> None:
    """Update the image of a companion of which a copy was added."""
    related_files_queries.rename_companion(tx, companion.generation_id, companion.path_bytes)
    _move_if_nearer(tx, companion, now_ms=now_ms)


def on_companion_moved(tx: WriteTx, image: GenerationId, *, before: bytes, now_ms: int) -> None:
    """Update the image of a companion that was moved from the path `before`."""
    with hooks.run_removal_hooks(tx, image, now_ms=now_ms):
        related_files_queries.rename_companion(tx, image, before)
    for one in hooks.list_hooks():
        one.on_names_changed(tx, image, now_ms=now_ms)


def has_own_sidecar(tx: ReadTx, image: GenerationId, root_id: int, path_bytes: bytes) -> bool:
    """Whether a sidecar belongs to this file of an image, by its name."""
    stem = os.path.splitext(path_bytes)[0]
    return any(
        sidecar_root == root_id and os.path.splitext(path)[0] in (stem, path_bytes)
        for sidecar_root, path in related_files_queries.list_sidecars(tx, image)
    )


def _take_companions(tx: WriteTx, image: GenerationId, root_id: int, path: bytes, *, now_ms: int) -> None:
    """Move companions of other images to this one, if its name is nearer."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    numbered = _NUMBERED.fullmatch(stem)
    first, until = stem, stem + b"\xff"
    if numbered is not None:
        number, width = int(numbered["number"]), len(numbered["number"])
        first = b"%0*d" % (width, max(0, number - NUMBERS_TRIED))
        until = b"%0*d\xff" % (width, number + NUMBERS_TRIED)
    for joined in related_files_queries.list_joined(
        tx, root_id=root_id, first=os.path.join(folder, first), until=os.path.join(folder, until)
    ):
        if os.path.dirname(joined.path_bytes) == folder and joined.generation_id != image:
            _move_if_nearer(tx, joined, now_ms=now_ms)


def _move_if_nearer(tx: WriteTx, joined: PendingCompanion, *, now_ms: int) -> None:
    found = detect_companion(joined.path_bytes)
    home = _find_home(tx, joined, found) if found is not None else None
    if home is None or home == joined.generation_id:
        return
    with hooks.run_removal_hooks(tx, joined.generation_id, now_ms=now_ms):
        related_files_queries.move_companion(tx, joined, home)
    for one in hooks.list_hooks():
        one.on_names_changed(tx, home, now_ms=now_ms)


def update_image(tx: WriteTx, image: GenerationId, root_id: int, read: ImageRead) -> None:
    """Update the sidecars and the grid flag of an image that was read again, or at another path."""
    if read.sidecars:
        related_files_queries.add_sidecars(tx, image, root_id=root_id, sidecars=read.sidecars)
    if read.is_grid:
        related_files_queries.mark_grid(tx, image, is_grid=True)


def move_sidecars(tx: WriteTx, image: GenerationId, root_id: int, sidecars: Sequence[FileStat]) -> None:
    """Record sidecars that moved with their image. A sidecar that did not move keeps its row."""
    if sidecars:
        related_files_queries.forget_sidecars(tx, image, names=[os.path.basename(stat.path_bytes) for stat in sidecars])
        related_files_queries.add_sidecars(tx, image, root_id=root_id, sidecars=sidecars)


def _list_nearby_names(base: bytes, step: int) -> list[bytes]:
    """The name itself, or for a numbered name the numbers after (1) or before (-1) it, nearest first."""
    numbered = _NUMBERED.fullmatch(base)
    if numbered is None:
        return [base]
    number, width, rest = int(numbered["number"]), len(numbered["number"]), numbered["rest"] or b""
    near = range(number, max(-1, number + step * NUMBERS_TRIED), step)
    return [b"%0*d%s" % (width, one, rest) for one in near]


def _join_if_matched(tx: WriteTx, loose: PendingCompanion, *, now_ms: int) -> None:
    found = detect_companion(loose.path_bytes)
    if found is None or not related_files_queries.has_no_user_data(tx, loose.generation_id):
        return
    home = _find_home(tx, loose, found)
    if home is not None and home != loose.generation_id:
        _join_image(tx, loose, home, now_ms=now_ms)


def _find_home(tx: ReadTx, one: PendingCompanion, companion: Companion) -> GenerationId | None:
    """The image that a companion belongs to. Of several with one name, that with the extension of the companion, or
    else the first extension."""
    folder, own = os.path.dirname(one.path_bytes), os.path.splitext(one.path_bytes)[1].lower()
    for stem in companion.stems:
        for ending in sorted(IMAGE_ENDINGS, key=lambda ending: (ending != own, ending)):
            path = os.path.join(folder, stem + ending)
            image = related_files_queries.find_image(tx, root_id=one.root_id, path_bytes=path)
            if image is None or path == one.path_bytes:
                continue
            if (
                image == one.generation_id
                or not companion.must_agree
                or related_files_queries.have_same_prompt_and_seed(tx, one.generation_id, image)
            ):
                # The nearest number was saved next.
                return image
    return None


def _join_image(tx: WriteTx, loose: PendingCompanion, image: GenerationId, *, now_ms: int) -> None:
    """Join the companion to its image, which also inherits its lineage."""
    files = related_files_queries.list_image_files(tx, loose.generation_id)
    with hooks.run_removal_hooks(tx, loose.generation_id, heir=image, now_ms=now_ms):
        related_files_queries.join_image(tx, loose, image)
    for root_id, path in files:
        _move_if_nearer(tx, PendingCompanion(image, loose.kind, root_id, path), now_ms=now_ms)
