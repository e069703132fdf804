"""The task that computes a perceptual hash."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Task, Travel

JOB_KIND = "phash"


@dataclass(frozen=True, slots=True)
class PictureHashed:
    """`phash` is the hash and the miniature (imaging/perceptual_hash.py); None for a picture without contrast."""

    stat: FileStat
    phash: bytes | None


@dataclass(frozen=True, slots=True)
class HashPicture(Task):
    """Compute the perceptual hash of one image whose thumbnails were made before hashes existed."""

    answer_type: ClassVar[type] = PictureHashed
    travel: ClassVar[Travel] = Travel.WITH_FILE
    root: bytes
    path_bytes: bytes
