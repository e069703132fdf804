"""Byte sources and helpers shared by the container readers."""

from typing import Protocol

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.text import clean_text

HEAD_BYTES = 16 * 1024
# No generator writes longer text. A chunk that claims more is damaged or malicious.
MAX_TEXT_BYTES = 8 * 1024 * 1024
MAX_ALL_TEXT_BYTES = 32 * 1024 * 1024
MAX_ENTRIES = 256
MAX_SIDE_PX = 1 << 24


class ByteSource(Protocol):
    """`read` returns fewer bytes than requested only at the end of the source, and b"" beyond it."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


class BufferedSource:
    """Wraps a source and buffers its first `HEAD_BYTES`."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.size = source.size
        self.head = source.read(0, HEAD_BYTES)

    def read(self, offset: int, length: int) -> bytes:
        if offset + length <= len(self.head) or len(self.head) == self.size:
            return self.head[offset : offset + length]
        return self._source.read(offset, length)


class Entries:
    """Collects texts within limits. The first text of a key wins; `important` texts are exempt from `MAX_ENTRIES`."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], TextEntry] = {}
        self._bytes = 0
        self.problems: list[str] = []

    def add(self, carrier: str, key: str, text: str, *, important: bool = False) -> None:
        place = ("text", key) if carrier in ("tEXt", "iTXt", "zTXt") else (carrier, key)
        if place in self._found:
            return
        if not important and len(self._found) >= MAX_ENTRIES:
            self._add_problem("The file contains too many text fields. Some were skipped.")
            return
        if self._bytes + len(text) > MAX_ALL_TEXT_BYTES:
            self._add_problem("The file contains too much text. Some of it was skipped.")
            return
        self._bytes += len(text)
        self._found[place] = TextEntry(carrier, clean_text(key), clean_text(text))

    def _add_problem(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    @property
    def texts(self) -> tuple[TextEntry, ...]:
        return tuple(self._found.values())


def check_size(width_px: int, height_px: int) -> None:
    """Raises `UnreadableFileError` when a side is not positive or exceeds `MAX_SIDE_PX`."""
    if not (0 < width_px < MAX_SIDE_PX and 0 < height_px < MAX_SIDE_PX):
        raise UnreadableFileError(f"The file has an invalid image size of {width_px:,} × {height_px:,} pixels.")


def decode_utf8_or_latin1(content: bytes) -> str:
    """Decode as UTF-8, or else as Latin-1: many programs write UTF-8 where Latin-1 is specified."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
