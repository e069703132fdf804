"""The task `AnalyzeImages` and its answer."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.task import Task

JOB_KIND = "look"


@dataclass(frozen=True, slots=True)
class ImagesAnalyzed:
    """`explicit` (NSFW scores; None when they were not requested) and the vectors of each space are parallel to
    `hashes`. Each vector has one signed byte per dimension."""

    hashes: list[bytes]
    explicit: list[float] | None
    vectors: dict[str, list[bytes]]


@dataclass(frozen=True, slots=True)
class AnalyzeImages(Task):
    """Compute the embeddings of `images` in each of `spaces`, and their NSFW scores if `with_nsfw_scores`.

    `images` are the contents of thumbnail files, parallel to the content hashes. `clip_folder` is the folder of the
    user's CLIP model; None without one.
    """

    answer_type: ClassVar[type] = ImagesAnalyzed
    hashes: list[bytes]
    images: list[bytes]
    spaces: list[str]
    clip_folder: str | None
    with_nsfw_scores: bool
