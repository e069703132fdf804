"""`ReadImage`: what an image's container and its sidecars say. No pixel is decoded."""

import json
import os
import zlib

from mysticanvas.disk.hashing import fingerprint
from mysticanvas.disk.opening import open_beneath
from mysticanvas.disk.sidecars import read_with_stat
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import FileStat, TextEntry
from mysticanvas.domain.task import ImageRead, ReadImage
from mysticanvas.domain.text import clean
from mysticanvas.formats.containers import read_head
from mysticanvas.formats.detect import read_recipe

# What is kept to be read again; a file with more text than this is hostile.
MAX_RAW_BYTES = 24 * 1024 * 1024


def run(task: ReadImage) -> ImageRead:
    """Raises `UnreadableFileError`, also when the file changed while it was read."""
    with open_beneath(task.root, task.path_bytes) as source:
        before = source.stat()
        head = read_head(source)
        sidecars, stats, problems = _sidecars(task)
        name = clean(os.path.basename(task.path_bytes).decode("utf-8", "replace"))
        recipe = read_recipe(head, file_name=name, sidecars=sidecars)
        print_of_file = fingerprint(source)
        if source.stat() != before:
            raise UnreadableFileError("The file is still being written.")
    return ImageRead(
        stat=before,
        format=head.format,
        width_px=head.width_px,
        height_px=head.height_px,
        frames=head.frames,
        complete=head.complete,
        fingerprint=print_of_file,
        recipe=recipe,
        raw=_pack([*head.texts, *sidecars]),
        problems=[*head.problems, *problems],
        sidecars=stats,
    )


def _sidecars(task: ReadImage) -> tuple[list[TextEntry], list[FileStat], list[str]]:
    entries, stats, problems = [], [], []
    for path in sorted(task.sidecars):
        name = clean(os.path.basename(path).decode("utf-8", "replace"))
        try:
            entry, stat = read_with_stat(task.root, path)
        except UnreadableFileError as error:
            problems.append(f"{name}: {error}")
            continue
        entries.append(entry)
        stats.append(stat)
    return entries, stats, problems


def _pack(entries: list[TextEntry]) -> bytes:
    if not entries:
        return b""
    content = json.dumps([[e.carrier, e.key, e.text] for e in entries], ensure_ascii=False).encode()
    return zlib.compress(content, 6) if len(content) <= MAX_RAW_BYTES else b""
