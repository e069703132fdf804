"""The task of computing a perceptual hash."""

from dataclasses import dataclass

from mysticanvas.domain.file import FileStat


@dataclass(frozen=True, slots=True)
class HashPicture:
    """The perceptual hash of one image, for those that had their thumbnails before there was one."""

    root: bytes
    path_bytes: bytes


@dataclass(frozen=True, slots=True)
class PictureHashed:
    """`phash` is the hash and the look (imaging/perceptual_hash.py); None for a picture without contrast."""

    stat: FileStat
    phash: bytes | None
