"""The task of making thumbnails."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Task, Travel

JOB_KIND = "thumb"


@dataclass(frozen=True, slots=True)
class ThumbsMade:
    """`webps` is parallel to the sizes asked for; empty when the pixels could not be decoded, and
    then `damage` says why. `color_rgb` is the dominant colour as 0xRRGGBB. `blake3` is of the whole
    file (32 bytes), None when the file is larger than may be hashed. `hidden` is the text that the
    pixels of an image hide which says nothing else of how it was made; None when they hide none.
    `phash` (imaging/perceptual_hash.py) is None for a picture without contrast."""

    stat: FileStat
    blake3: bytes | None
    color_rgb: int | None
    webps: list[bytes]
    damage: str | None
    hidden: str | None = None
    phash: bytes | None = None


@dataclass(frozen=True, slots=True)
class MakeThumbs(Task):
    """Hash, decode and shrink one image, and look for text in its pixels. `short_edges_px` are the
    sizes wanted, small to large."""

    answer_type: ClassVar[type] = ThumbsMade
    travel: ClassVar[Travel] = Travel.WITH_FILE
    root: bytes
    path_bytes: bytes
    short_edges_px: list[int]
