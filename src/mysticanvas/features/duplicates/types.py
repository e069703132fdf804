"""The task of computing a perceptual hash."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Task, Travel

JOB_KIND = "phash"


@dataclass(frozen=True, slots=True)
class PictureHashed:
    """`phash` is the hash and the look (imaging/perceptual_hash.py); None for a picture without contrast."""

    stat: FileStat
    phash: bytes | None


@dataclass(frozen=True, slots=True)
class HashPicture(Task):
    """The perceptual hash of one image, for those that had their thumbnails before there was one."""

    answer_type: ClassVar[type] = PictureHashed
    travel: ClassVar[Travel] = Travel.WITH_FILE
    root: bytes
    path_bytes: bytes
