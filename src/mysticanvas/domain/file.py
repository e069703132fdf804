"""Image files: what a header contains, and what a scan finds."""

import re
import zlib
from dataclasses import dataclass
from enum import StrEnum


class ImageFormat(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    GIF = "gif"
    AVIF = "avif"
    BMP = "bmp"

    @property
    def media_type(self) -> str:
        return f"image/{self.value}"


@dataclass(frozen=True, slots=True)
class TextEntry:
    """One text found in a container, unparsed.

    `carrier` is where it was found: "tEXt", "iTXt", "zTXt", "exif", "xmp", "comment", "comf", "sidecar" …;
    `key` is the chunk's keyword, the EXIF tag's name or the sidecar's file name.
    """

    carrier: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class ImageHead:
    """What the container declares, read without decoding pixels.

    `complete`: the end of the container is present (PNG IEND, JPEG EOI …). `frames` is 1 for a still
    image and at least 2 for an animated one. `problems` are sentences for the user.

    `width_px` and `height_px` are those of the shown image, after `orientation` (EXIF, 1 to 8; 1 for formats that
    a decoder turns by itself). `has_own_colors`: there is an ICC profile, or the colors are CMYK.
    `buffer_bytes`: memory that a decoder needs even when it reduces the image; 0 when it decodes row by row.
    """

    format: ImageFormat
    width_px: int
    height_px: int
    frames: int
    complete: bool
    texts: tuple[TextEntry, ...]
    problems: tuple[str, ...] = ()
    orientation: int = 1
    has_own_colors: bool = False
    buffer_bytes: int = 0

    @property
    def stored_px(self) -> tuple[int, int]:
        """Width and height before `orientation` is applied."""
        return turn_size((self.width_px, self.height_px), self.orientation)


def turn_size(size_px: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height after an EXIF orientation; 5 to 8 turn the image by 90°."""
    return size_px[::-1] if orientation >= 5 else size_px


class FileKind(StrEnum):
    """The role of a file for its image."""

    FINAL = "final"
    COPY = "copy"
    THUMB = "thumb"
    PREVIEW = "preview"
    INPUT = "input"
    MASK = "mask"
    CONTROL = "control"
    UPSCALED = "upscaled"
    GRID = "grid"
    SIDECAR = "sidecar"


# The range of an INTEGER in SQLite. In nanoseconds, the years 1677 to 2262.
MAX_STORED = 2**63 - 1
MIN_STORED = -(2**63)


@dataclass(frozen=True, slots=True)
class FileStat:
    """`path_bytes` is relative to the watched folder, in the encoding of the file system, with '/' between parts.

    File systems store times that the database cannot store. A `FileStat` replaces them by the nearest time that it can,
    so that a time read from the disk and its stored value compare as equal.
    """

    path_bytes: bytes
    bytes: int
    mtime_ns: int

    def __post_init__(self) -> None:
        if not MIN_STORED <= self.mtime_ns <= MAX_STORED:
            object.__setattr__(self, "mtime_ns", min(max(self.mtime_ns, MIN_STORED), MAX_STORED))
        if not 0 <= self.bytes <= MAX_STORED:
            object.__setattr__(self, "bytes", min(max(self.bytes, 0), MAX_STORED))


# Entries that contain the graph in the format that the editor of ComfyUI or InvokeAI opens.
_WORKFLOW = re.compile(rb', "(?:(?:invokeai_)?workflow", "|[\w ]+", "\s?workflow:)', re.IGNORECASE)
MAX_TEXTS_BYTES = 64 * 1024 * 1024


def holds_workflow(content: bytes) -> bool:
    """Whether packed texts (zlib over a JSON list of [carrier, key, text]) contain the graph of an editor."""
    try:
        return _WORKFLOW.search(zlib.decompressobj().decompress(content, MAX_TEXTS_BYTES)) is not None
    except zlib.error:
        return False


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or folder that could not be imported. `path` is for display; it may not open the file."""

    path: str
    reason: str
