"""The only place where the output of a model becomes tags of images (docs/adr/0014-models-suggest-tags.md)."""

from collections.abc import Sequence

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import Assertion, MachineTag, TagId, TagSource, TagState
from mysticanvas.features.tags import assertion_queries, image_tag_queries, model_tags_queries, queries, service


def assign_tags(
    tx: WriteTx,
    images: Sequence[GenerationId],
    tags: Sequence[MachineTag],
    *,
    source: TagSource,
    run: str,
    instead_of: str,
    now_ms: int,
) -> None:
    """Assign the tags that a model reported in `run` to images, as `source`.

    They replace the assertions of all runs whose names begin with `instead_of`. Unknown names become suggested tags,
    refused ones are skipped. Assertions of the user and of other sources do not change.
    """
    removed = model_tags_queries.delete_assertions(tx, images, source=source, runs=instead_of)
    by_tag: dict[TagId, MachineTag] = {}
    for one in tags:
        tag = _find_or_propose(tx, one, source, now_ms=now_ms)
        if tag is not None:
            by_tag.setdefault(tag, one)
    new = [
        (image, tag, Assertion(source, confidence=one.confidence, run=run))
        for image in images
        for tag, one in by_tag.items()
    ]
    assertion_queries.record(tx, new, now_ms=now_ms)
    image_tag_queries.derive_pairs(tx, [*removed, *((image, tag) for image, tag, _ in new)])
    tx.changes.changed.extend(images)


def _find_or_propose(tx: WriteTx, found: MachineTag, source: TagSource, *, now_ms: int) -> TagId | None:
    tag = service.find_or_suggest(tx, found.name, source, now_ms=now_ms)
    if tag is not None:
        known = queries.get(tx, tag)
        if found.category is not None and known.state == TagState.PROPOSED and known.category is None:
            queries.set_category(tx, tag, found.category)
    return tag
