"""Task `ReadImages`: reads headers, metadata and sidecars. Pixels are not decoded."""

import json
import os
import zlib
from dataclasses import replace
from typing import Any

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import FileStat, TextEntry
from mysticanvas.domain.text import clean_text
from mysticanvas.features.importing.messages import FileToRead, ImageRead, ImagesRead, NotRead, ReadImages
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.containers.source import BufferedSource
from mysticanvas.formats.detect import read_recipe
from mysticanvas.formats.generators import fooocus_log
from mysticanvas.formats.grids import is_grid
from mysticanvas.fs.hashing import compute_fingerprint
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.fs.sidecars import read_log, read_sidecar_with_stat

# Limit of the stored metadata. A file with more text is malicious.
MAX_RAW_BYTES = 24 * 1024 * 1024
# A result beyond this size is sent, and the remaining files are requested again.
MAX_ANSWER_BYTES = 8 * 1024 * 1024
# A small window initializes six times as fast, and compresses texts that fit equally well.
SMALL_TEXT_BYTES = 16 * 1024


def run(task: ReadImages) -> ImagesRead:
    reads: list[ImageRead | NotRead] = []
    answer_bytes = 0
    for file in task.files:
        try:
            read = _read_image(task.root, file)
            answer_bytes += len(read.raw) + len(read.params_json) + len(read.recipe.prompt or "")
            reads.append(read)
        except UnreadableFileError as error:
            reads.append(NotRead(str(error)))
        if answer_bytes > MAX_ANSWER_BYTES:
            break
    return ImagesRead(reads)


def _read_image(root: bytes, file: FileToRead) -> ImageRead:
    """Raises `UnreadableFileError`, also when the file changes meanwhile."""
    with open_beneath(root, file.path_bytes) as opened:
        before = opened.stat()
        source = BufferedSource(opened)
        head = read_head(source)
        sidecars, stats, problems = _read_sidecars(root, file)
        name = clean_text(os.path.basename(file.path_bytes).decode("utf-8", "replace"))
        logged = None if head.texts else _read_log_section(root, file.path_bytes, name)
        sidecars += [logged] if logged else []
        recipe = read_recipe(head, file_name=name, sidecars=sidecars)
        fingerprint = compute_fingerprint(source)
        if opened.stat() != before:
            raise UnreadableFileError("The file is still being written.")
    return ImageRead(
        stat=before,
        format=head.format,
        width_px=head.width_px,
        height_px=head.height_px,
        frames=head.frames,
        orientation=head.orientation,
        complete=head.complete,
        fingerprint=fingerprint,
        recipe=replace(recipe, params={}) if recipe.params else recipe,
        params_json=_encode_json(recipe.params) if recipe.params else "{}",
        raw=_pack([*head.texts, *sidecars]),
        problems=[*head.problems, *problems],
        sidecars=stats,
        is_grid=is_grid(name, recipe, head.width_px, head.height_px),
    )


def _read_sidecars(root: bytes, file: FileToRead) -> tuple[list[TextEntry], list[FileStat], list[str]]:
    entries, stats, problems = [], [], []
    for path in sorted(file.sidecars):
        name = clean_text(os.path.basename(path).decode("utf-8", "replace"))
        try:
            entry, stat = read_sidecar_with_stat(root, path)
        except UnreadableFileError as error:
            problems.append(f"{name}: {error}")
            continue
        entries.append(entry)
        stats.append(stat)
    return entries, stats, problems


def _read_log_section(root: bytes, path_bytes: bytes, name: str) -> TextEntry | None:
    """The section about an image in the folder's Fooocus log, as a sidecar; None without one."""
    section = fooocus_log.find_section(read_log(root, path_bytes, fooocus_log.NAME), name)
    return TextEntry("sidecar", fooocus_log.NAME, section) if section else None


def _pack(entries: list[TextEntry]) -> bytes:
    if not entries:
        return b""
    content = _encode_json([[entry.carrier, entry.key, entry.text] for entry in entries]).encode()
    if len(content) > MAX_RAW_BYTES:
        return b""
    small = len(content) <= SMALL_TEXT_BYTES
    packer = zlib.compressobj(6, zlib.DEFLATED, 12 if small else 15, 5 if small else 8)
    return packer.compress(content) + packer.flush()


def _encode_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
