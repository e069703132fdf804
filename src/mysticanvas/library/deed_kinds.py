"""The table of everything that a person can do and take back.

A kind is named in the row of its deed, so a name is never given to another one later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.domain.generation import GenerationId
from mysticanvas.library import (
    collecting,
    keeping_one,
    lineage,
    merging_models,
    organising,
    tagging,
    templating,
    trashing,
    vocabulary,
)
from mysticanvas.store.database import ReadTx, WriteTx

# A deed of at most this many images is one transaction; a larger one is done in slices.
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Kind:
    """`apply(tx, arguments, images, now_ms)` changes some of the images and says how many things are
    different now. It is called once, without an image, for a deed that is about none.

    `targets` finds the images of a step that were not named; `finish` ends the step, in the
    transaction of its last slice. `at_once` is how many images one transaction may take.
    """

    apply: Callable[[WriteTx, dict[str, Any], Sequence[GenerationId], int], int]
    targets: Callable[[ReadTx, dict[str, Any]], list[GenerationId]] | None = None
    finish: Callable[[WriteTx, dict[str, Any], int], None] | None = None
    at_once: int = AT_ONCE


KINDS: dict[str, Kind] = {
    "favorite": Kind(organising.favorite),
    "rating": Kind(organising.rating),
    "notes": Kind(organising.notes, at_once=300),
    "tag": Kind(tagging.tag, at_once=500),
    "tag.create": Kind(vocabulary.create),
    "tag.ensure": Kind(vocabulary.ensure),
    "tag.refuse": Kind(vocabulary.refuse),
    "tag.rename": Kind(vocabulary.rename),
    "tag.category": Kind(vocabulary.set_category),
    "tag.threshold": Kind(vocabulary.set_threshold),
    "tag.accept": Kind(vocabulary.accept),
    "tag.propose": Kind(vocabulary.propose_again),
    "tag.alias": Kind(vocabulary.alias),
    "tag.unalias": Kind(vocabulary.unalias),
    "tag.imply": Kind(vocabulary.imply),
    "tag.unimply": Kind(vocabulary.unimply),
    "tag.merge": Kind(vocabulary.move, vocabulary.images_of, vocabulary.finish_merge),
    "tag.split": Kind(vocabulary.move, vocabulary.images_of, vocabulary.finish_split),
    "tag.retag": Kind(vocabulary.move, vocabulary.images_of),
    "tag.delete": Kind(vocabulary.delete, vocabulary.images_of, vocabulary.finish_delete),
    "collection.create": Kind(collecting.create),
    "collection.edit": Kind(collecting.edit),
    "collection.delete": Kind(collecting.empty, collecting.items, collecting.finish_delete),
    "collection.freeze": Kind(collecting.freeze, finish=collecting.finish_freeze),
    "collect": Kind(collecting.collect),
    "uncollect": Kind(collecting.uncollect),
    "reorder": Kind(collecting.reorder),
    "merge_models": Kind(merging_models.merge),
    "parent": Kind(lineage.correct),
    "template.create": Kind(templating.create),
    "template.edit": Kind(templating.edit),
    "template.delete": Kind(templating.delete),
    "wildcard": Kind(templating.set_wildcard),
    "keep_one": Kind(keeping_one.keep_one, at_once=200),
    "trash": Kind(trashing.put_in, at_once=200),
    "restore": Kind(trashing.take_out, at_once=200),
}
