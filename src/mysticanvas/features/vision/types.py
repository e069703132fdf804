"""The task of analyzing images."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.task import Task

JOB_KIND = "look"


@dataclass(frozen=True, slots=True)
class PicturesSeen:
    """`explicit` and the vectors of each space, a signed byte a dimension, are parallel to the hashes."""

    hashes: list[bytes]
    explicit: list[float] | None
    vectors: dict[str, list[bytes]]


@dataclass(frozen=True, slots=True)
class LookAtPictures(Task):
    """What do these pictures look like, and, with `judge`, how explicit are they? `pictures` are files of thumbnails,
    parallel to the hashes of the images; `spaces` name the models; `clip_folder` holds the one that is not ours."""

    answer_type: ClassVar[type] = PicturesSeen
    hashes: list[bytes]
    pictures: list[bytes]
    spaces: list[str]
    clip_folder: str | None
    judge: bool
