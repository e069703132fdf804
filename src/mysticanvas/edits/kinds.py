"""The table of everything that a person can do and take back.

A kind is named in the row of its deed, so a name is never given to another one later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.collections import service as collection_service
from mysticanvas.features.duplicates import merge as duplicate_merge
from mysticanvas.features.images import marks
from mysticanvas.features.lineage import service as lineage_service
from mysticanvas.features.models import merge as model_merge
from mysticanvas.features.tags import assign
from mysticanvas.features.tags import service as tag_service
from mysticanvas.features.templates import service as template_service
from mysticanvas.features.trash import service as trash_service

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
    "favorite": Kind(marks.favorite),
    "rating": Kind(marks.rating),
    "notes": Kind(marks.notes, at_once=300),
    "tag": Kind(assign.tag, at_once=500),
    "tag.create": Kind(tag_service.create),
    "tag.ensure": Kind(tag_service.ensure),
    "tag.refuse": Kind(tag_service.refuse),
    "tag.rename": Kind(tag_service.rename),
    "tag.category": Kind(tag_service.set_category),
    "tag.threshold": Kind(tag_service.set_threshold),
    "tag.accept": Kind(tag_service.accept),
    "tag.propose": Kind(tag_service.propose_again),
    "tag.alias": Kind(tag_service.alias),
    "tag.unalias": Kind(tag_service.unalias),
    "tag.imply": Kind(tag_service.imply),
    "tag.unimply": Kind(tag_service.unimply),
    "tag.merge": Kind(tag_service.move, tag_service.images_of, tag_service.finish_merge),
    "tag.split": Kind(tag_service.move, tag_service.images_of, tag_service.finish_split),
    "tag.retag": Kind(tag_service.move, tag_service.images_of),
    "tag.delete": Kind(tag_service.delete, tag_service.images_of, tag_service.finish_delete),
    "collection.create": Kind(collection_service.create),
    "collection.edit": Kind(collection_service.edit),
    "collection.delete": Kind(collection_service.empty, collection_service.items, collection_service.finish_delete),
    "collection.freeze": Kind(collection_service.freeze, finish=collection_service.finish_freeze),
    "collect": Kind(collection_service.collect),
    "uncollect": Kind(collection_service.uncollect),
    "reorder": Kind(collection_service.reorder),
    "merge_models": Kind(model_merge.merge),
    "parent": Kind(lineage_service.correct),
    "template.create": Kind(template_service.create),
    "template.edit": Kind(template_service.edit),
    "template.delete": Kind(template_service.delete),
    "wildcard": Kind(template_service.set_wildcard),
    "keep_one": Kind(duplicate_merge.keep_one, at_once=200),
    "trash": Kind(trash_service.put_in, at_once=200),
    "restore": Kind(trash_service.take_out, at_once=200),
}
