"""The one place where what a model says of images becomes tags (T14, T15)."""

from collections.abc import Sequence

from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.machine import MachineTag
from mysticanvas.domain.tag import Assertion, TagId, TagSource, TagState
from mysticanvas.library import vocabulary
from mysticanvas.store import assertions, autotags, postings, tags
from mysticanvas.store.database import WriteTx


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
    gone = autotags.forget(tx, images, source=source, runs=instead_of)
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
    assertions.record(tx, new, now_ms=now_ms)
    postings.derive_pairs(tx, [*gone, *((image, tag) for image, tag, _ in new)])
    tx.changes.changed.extend(images)


def _find_or_propose(tx: WriteTx, said: MachineTag, source: TagSource, *, now_ms: int) -> TagId | None:
    tag = vocabulary.find_or_propose(tx, said.name, source, now_ms=now_ms)
    if tag is not None:
        kept = tags.get(tx, tag)
        if said.category is not None and kept.state == TagState.PROPOSED and kept.category is None:
            tags.set_category(tx, tag, said.category)
    return tag
