"""The thumbnail task, and the task that reads headers again."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Task, Travel

JOB_KIND = "thumb"
RECHECK_JOB_KIND = "header"


@dataclass(frozen=True, slots=True)
class ThumbsMade:
    """`webps` is parallel to the requested sizes. It is empty when no pixel could be decoded. `damage` tells what is
    missing or why nothing could be decoded, `too_large` that decoding would take too much. `color_rgb` is the dominant
    color as 0xRRGGBB. `blake3` is the hash of the whole file (32 bytes), None when the file is too large to hash.
    `hidden` is the stealth text of an image without other generation data, None when there is none. `phash`
    (imaging/perceptual_hash.py) is None for an image without contrast. The size is that of the shown image, None when
    the header is unreadable."""

    stat: FileStat
    blake3: bytes | None
    color_rgb: int | None
    webps: list[bytes]
    damage: str | None
    hidden: str | None = None
    phash: bytes | None = None
    too_large: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class MakeThumbs(Task):
    """Hash, decode and downscale one image, and search its pixels for stealth text. `short_edges_px` are the
    requested sizes, in ascending order."""

    answer_type: ClassVar[type] = ThumbsMade
    travel: ClassVar[Travel] = Travel.WITH_FILE
    root: bytes
    path_bytes: bytes
    short_edges_px: list[int]


@dataclass(frozen=True, slots=True)
class FileToRecheck:
    root: bytes
    path_bytes: bytes


@dataclass(frozen=True, slots=True)
class HeaderRechecked:
    """`stat` is None when the header could not be read. `may_look_wrong`: thumbnails that ignored orientation, color
    profiles or missing parts look wrong."""

    root: bytes
    path_bytes: bytes
    stat: FileStat | None = None
    width_px: int = 0
    height_px: int = 0
    orientation: int = 1
    may_look_wrong: bool = False


@dataclass(frozen=True, slots=True)
class HeadersRechecked:
    files: list[HeaderRechecked]


@dataclass(frozen=True, slots=True)
class RecheckHeaders(Task):
    """Read the headers of some images again. Pixels are not decoded."""

    answer_type: ClassVar[type] = HeadersRechecked
    files: list[FileToRecheck]
