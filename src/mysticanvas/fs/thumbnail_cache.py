"""Thumbnails on disk, named by the content they show. All of it can be deleted and comes back."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from mysticanvas.fs.durable import replace

SHORT_EDGES_PX = (256, 512)
_PART = ".part"


class ThumbCache:
    """`thumbs/ab/abcd…-256.webp` in the library folder. Sizes are short edges in pixels."""

    def __init__(self, folder: Path, short_edges_px: tuple[int, ...]) -> None:
        self._folder = folder
        self.short_edges_px = short_edges_px

    def path(self, blake3_hex: str, short_edge_px: int) -> Path:
        return self._folder / blake3_hex[:2] / f"{blake3_hex}-{short_edge_px}.webp"

    def list_files(self) -> Iterator[tuple[str, float]]:
        """Name and date, in Unix seconds, of every picture there is, and of every unfinished one (`is_unfinished`)."""
        for path in self._folder.glob("??/*-*"):
            with suppress(FileNotFoundError):
                yield path.name, path.stat().st_mtime

    def remove(self, name: str) -> None:
        (self._folder / name[:2] / name).unlink(missing_ok=True)

    def keep(self, blake3_hex: str, webps: Sequence[bytes]) -> None:
        """Write the thumbnails of a file, parallel to the sizes; the same content twice is the same files.
        Raises `OSError`."""
        for short_edge_px, webp in zip(self.short_edges_px, webps, strict=False):
            _write_whole(self.path(blake3_hex, short_edge_px), webp)


def is_unfinished(name: str) -> bool:
    """Whether the file is being written, or was when its process was killed."""
    return name.endswith(_PART)


def _write_whole(path: Path, content: bytes) -> None:
    """The file appears whole or not at all; a reader never sees half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}-", suffix=_PART)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
