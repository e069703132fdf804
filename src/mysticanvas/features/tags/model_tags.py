"""The one place where what a model says of images becomes tags (T14, T15)."""

from collections.abc import Sequence

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import Assertion, MachineTag, TagId, TagSource, TagState
from mysticanvas.features.tags import assertion_queries, image_tag_queries, model_tags_queries, queries, service


def say(
    tx: WriteTx,
    images: Sequence[GenerationId],
    said: Sequence[MachineTag],
    *,
    source: TagSource,
    run: str,
    instead_of: str,
    now_ms: int,
) -> None:
    """`source` says these tags of images in a run, in place of all that runs whose names begin with
    `instead_of` said of them. Words that are no tag become proposals, refused ones stay away, and what
    the person or another source said is not touched (T1, T2)."""
    gone = model_tags_queries.forget(tx, images, source=source, runs=instead_of)
    by_tag: dict[TagId, MachineTag] = {}
    for one in said:
        tag = _find_or_propose(tx, one, source, now_ms=now_ms)
        if tag is not None:
            by_tag.setdefault(tag, one)
    new = [
        (image, tag, Assertion(source, confidence=one.confidence, run=run))
        for image in images
        for tag, one in by_tag.items()
    ]
    assertion_queries.record(tx, new, now_ms=now_ms)
    image_tag_queries.derive_pairs(tx, [*gone, *((image, tag) for image, tag, _ in new)])
    tx.changes.changed.extend(images)


def _find_or_propose(tx: WriteTx, said: MachineTag, source: TagSource, *, now_ms: int) -> TagId | None:
    tag = service.find_or_suggest(tx, said.name, source, now_ms=now_ms)
    if tag is not None:
        kept = queries.get(tx, tag)
        if said.category is not None and kept.state == TagState.PROPOSED and kept.category is None:
            queries.set_category(tx, tag, said.category)
    return tag
