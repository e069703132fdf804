"""A block of prompts by one model: those of it that have no vector yet."""

from typing import Any

from mysticanvas.domain.task import Answer, EmbedTexts, Task, TextsEmbedded
from mysticanvas.store import embeddings
from mysticanvas.store.database import ReadTx, WriteTx


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    space, first, last = payload["space"], payload["first"], payload["last"]
    missing = embeddings.unembedded(tx, space=space, first=first, last=last)
    if not missing:
        return None
    return EmbedTexts(space, [one.content_hash for one in missing], [one.text for one in missing])


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, TextsEmbedded)
    embeddings.keep(tx, space=answer.space, vectors=zip(answer.hashes, answer.vectors, strict=True))


def split(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Two halves of the block, so that the one prompt a worker dies of is found."""
    first, last = payload["first"], payload["last"]
    if first == last:
        return []
    middle = (first + last) // 2
    return [payload | {"last": middle}, payload | {"first": middle + 1}]
