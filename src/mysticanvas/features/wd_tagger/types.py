"""The task `TagImage` and its answer."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.tag import MachineTag
from mysticanvas.domain.task import Task

JOB_KIND = "vision"


@dataclass(frozen=True, slots=True)
class ImageTagged:
    """`tags` has the highest confidence first."""

    tags: list[MachineTag]


@dataclass(frozen=True, slots=True)
class TagImage(Task):
    """Tag one image with the tagger in `folder`: at most `limit` labels with at least the confidence of their category.

    The image file is `path_bytes` under `root`.
    """

    answer_type: ClassVar[type] = ImageTagged
    root: bytes
    path_bytes: bytes
    folder: str
    least_general: float
    least_character: float
    limit: int
