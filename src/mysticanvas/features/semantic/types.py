"""The task of embedding prompts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbedTexts:
    """What some prompts mean, in the space of one model (ml/embedding_models.py). `hashes` are parallel to
    the texts and come back with the vectors."""

    space: str
    hashes: list[bytes]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class TextsEmbedded:
    """`vectors` is parallel to the hashes: signed bytes, one a dimension."""

    space: str
    hashes: list[bytes]
    vectors: list[bytes]
