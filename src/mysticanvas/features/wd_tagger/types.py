"""The task of tagging one image by its picture."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.tag import MachineTag
from mysticanvas.domain.task import Task

JOB_KIND = "vision"


@dataclass(frozen=True, slots=True)
class PictureTagged:
    """The most certain first."""

    tags: list[MachineTag]


@dataclass(frozen=True, slots=True)
class TagPicture(Task):
    """What does one image show? `folder` holds the tagger's model; labels below the least confidence of their
    category are left out, and of the others all but the `most` certain."""

    answer_type: ClassVar[type] = PictureTagged
    root: bytes
    path_bytes: bytes
    folder: str
    least_general: float
    least_character: float
    most: int
