"""Joins related files to their image, when the naming scheme of a generator identifies them.

Sources: the suffixes of A1111 and its forks for intermediate images and masks (`modules/processing.py`), the file
names of Upscayl, and the previews of SwarmUI.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import WriteTx
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


def on_images_added(tx: WriteTx, images: Sequence[tuple[GenerationId, int, ImageRead]], *, now_ms: int) -> None:
    """Record sidecars and grids of new images (with their root IDs), and join companions to their images in either
    order of arrival. Without companions in the library, this is a single statement."""
    folders = set()
    for image, root_id, read in images:
        update_image(tx, image, root_id, read)
        path = read.stat.path_bytes
        folders.add((root_id, os.path.dirname(path)))
        if found := detect_companion(path):
            related_files_queries.add_pending(
                tx, image, kind=found.kind.value, root_id=root_id, folder=os.path.dirname(path)
            )
    if related_files_queries.has_pending(tx):
        for root_id, folder in folders:
            for loose in related_files_queries.list_pending(tx, root_id=root_id, folder=folder):
                _join_if_matched(tx, loose, now_ms=now_ms)


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
    folder = os.path.dirname(loose.path_bytes)
    homes: dict[GenerationId, None] = {}
    for stem in found.stems:
        for ending in sorted(IMAGE_ENDINGS):
            path = os.path.join(folder, stem + ending)
            image = related_files_queries.find_final(tx, root_id=loose.root_id, path_bytes=path)
            if image is None or image == loose.generation_id:
                continue
            if not found.must_agree or related_files_queries.have_same_prompt_and_seed(tx, loose.generation_id, image):
                homes[image] = None
        if homes:
            # The nearest number was saved next.
            break
    if len(homes) == 1:
        _join_image(tx, loose, next(iter(homes)), now_ms=now_ms)


def _join_image(tx: WriteTx, loose: PendingCompanion, image: GenerationId, *, now_ms: int) -> None:
    """Join the companion to its image, which also inherits its lineage."""
    with hooks.run_removal_hooks(tx, loose.generation_id, heir=image, now_ms=now_ms):
        related_files_queries.join_image(tx, loose, image)
