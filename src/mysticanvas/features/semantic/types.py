"""The task of embedding prompts."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.task import Task, Travel

JOB_KIND = "embed"


@dataclass(frozen=True, slots=True)
class TextsEmbedded:
    """`vectors` is parallel to the hashes: signed bytes, one a dimension."""

    space: str
    hashes: list[bytes]
    vectors: list[bytes]


@dataclass(frozen=True, slots=True)
class EmbedTexts(Task):
    """What some prompts mean, in the space of one model (ml/embedding_models.py). `hashes` are parallel to
    the texts and come back with the vectors."""

    answer_type: ClassVar[type] = TextsEmbedded
    travel: ClassVar[Travel] = Travel.SELF_CONTAINED
    space: str
    hashes: list[bytes]
    texts: list[str]
