"""The task `EmbedTexts` and its answer."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.task import Task, Travel

JOB_KIND = "embed"


@dataclass(frozen=True, slots=True)
class TextsEmbedded:
    """`vectors` is parallel to `hashes`; each vector has one signed byte per dimension."""

    space: str
    hashes: list[bytes]
    vectors: list[bytes]


@dataclass(frozen=True, slots=True)
class EmbedTexts(Task):
    """Compute the embeddings of `texts` in the space of one model (`ml/embedding_models.py`). `hashes` is parallel to
    `texts` and is returned with the vectors."""

    answer_type: ClassVar[type] = TextsEmbedded
    travel: ClassVar[Travel] = Travel.SELF_CONTAINED
    space: str
    hashes: list[bytes]
    texts: list[str]
