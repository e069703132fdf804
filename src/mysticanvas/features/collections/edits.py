"""Edits of collections. Each refers to a collection by its uuid."""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import UNSET, UnsetType

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.collections import queries
from mysticanvas.features.collections.service import (
    clean_name,
    clean_notes,
    find_manual,
    find_smart,
    move_into,
    normalize_query,
    rename,
)

# When positions get closer than this, the items are renumbered.
MIN_GAP = 1e-6


class CreateCollection(Edit, frozen=True, kw_only=True):
    """Create a collection with the uuid that the caller generated; smart if it has a query."""

    kind: ClassVar[str] = "collection.create"
    uuid: str
    name: str
    query: str | None = None
    notes: str | None = None
    parent: str | None = None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        query = self.query
        checked = None if query is None else normalize_query(query)
        made = queries.add(tx, uuid=self.uuid, name=clean_name(self.name), query=checked, now_ms=now_ms)
        if self.notes:
            queries.set_notes(tx, made, clean_notes(self.notes), now_ms=now_ms)
        if self.parent:
            move_into(tx, queries.find(tx, self.uuid), self.parent, None, now_ms)
        return 1


class EditCollection(Edit, frozen=True, kw_only=True):
    """Replace the fields that are given; None removes a cover or a parent."""

    kind: ClassVar[str] = "collection.edit"
    collection: str
    name: str | UnsetType = UNSET
    notes: str | UnsetType | None = UNSET
    query: str | UnsetType = UNSET
    cover: str | UnsetType | None = UNSET
    parent: str | UnsetType | None = UNSET
    position: float | UnsetType | None = UNSET

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        found = queries.find(tx, self.collection)
        if self.name is not UNSET:
            rename(tx, found, clean_name(self.name), now_ms)
        if self.notes is not UNSET:
            queries.set_notes(tx, found.id, clean_notes(self.notes), now_ms=now_ms)
        if self.query is not UNSET:
            if found.kind != "smart":
                raise InvalidInputError("This is a manual collection. Only a smart collection has a search.")
            queries.set_query(tx, found.id, normalize_query(self.query), now_ms=now_ms)
        if self.cover is not UNSET:
            cover = None if self.cover is None else generations.get_id(tx, self.cover)
            queries.set_cover(tx, found.id, cover, now_ms=now_ms)
        if self.parent is not UNSET or self.position is not UNSET:
            parent = found.parent if self.parent is UNSET else self.parent
            move_into(tx, found, parent, None if self.position is UNSET else self.position, now_ms)
        return 1


class DeleteCollection(Edit, frozen=True, kw_only=True):
    """Delete a collection; its images stay in the library."""

    kind: ClassVar[str] = "collection.delete"
    finds_images: ClassVar[bool] = True
    collection: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return queries.remove_items(tx, queries.find(tx, self.collection).id, images)

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        return queries.list_all_items(tx, queries.find(tx, self.collection).id)

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        queries.remove(tx, queries.find(tx, self.collection).id)


class ConvertToManual(Edit, frozen=True, kw_only=True):
    """Convert a smart collection to a manual one that contains the current results of its search."""

    kind: ClassVar[str] = "collection.freeze"
    collection: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return queries.add_items(tx, find_smart(tx, self.collection).id, images, now_ms=now_ms)

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        queries.set_query(tx, find_smart(tx, self.collection).id, None, now_ms=now_ms)


class AddToCollection(Edit, frozen=True, kw_only=True):
    """Append images, in the given order. Those already in the collection keep their position."""

    kind: ClassVar[str] = "collect"
    collection: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return queries.add_items(tx, find_manual(tx, self.collection).id, images, now_ms=now_ms)


class RemoveFromCollection(Edit, frozen=True, kw_only=True):
    """Remove images from a manual collection."""

    kind: ClassVar[str] = "uncollect"
    collection: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return queries.remove_items(tx, find_manual(tx, self.collection).id, images)


class ReorderCollection(Edit, frozen=True, kw_only=True):
    """Move images in front of another one (`before`, its uuid), or to the end."""

    kind: ClassVar[str] = "reorder"
    collection: str
    before: str | None = None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        found = find_manual(tx, self.collection)
        before = generations.get_id(tx, self.before) if self.before else None
        if before in images:
            raise InvalidInputError("An image cannot be moved before itself.")
        lower, upper = queries.find_gap_before(tx, found.id, before, images)
        if (upper - lower) / (len(images) + 1) < MIN_GAP:
            queries.renumber_items(tx, found.id)
            lower, upper = queries.find_gap_before(tx, found.id, before, images)
        return queries.place_items(tx, found.id, images, lower, upper)


EDITS = (
    CreateCollection,
    EditCollection,
    DeleteCollection,
    ConvertToManual,
    AddToCollection,
    RemoveFromCollection,
    ReorderCollection,
)
