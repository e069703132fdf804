"""Job `embed`: computes the missing vectors of a block of prompts with one model."""

from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.semantic.types import EmbedTexts, TextsEmbedded
from mysticanvas.search import prompt_vectors


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    space, first, last = payload["space"], payload["first"], payload["last"]
    missing = prompt_vectors.list_unembedded_prompts(tx, space=space, first=first, last=last)
    if not missing:
        return None
    return EmbedTexts(space, [one.content_hash for one in missing], [one.text for one in missing])


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, TextsEmbedded)
    prompt_vectors.save_vectors(tx, space=answer.space, vectors=zip(answer.hashes, answer.vectors, strict=True))


def split(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The two halves of the block, to isolate a prompt that crashes the worker; [] for a single prompt."""
    first, last = payload["first"], payload["last"]
    if first == last:
        return []
    middle = (first + last) // 2
    return [payload | {"last": middle}, payload | {"first": middle + 1}]
