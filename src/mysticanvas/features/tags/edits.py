"""Edits of tags: of images, of one tag, of relations between tags."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagId, TagSource, TagState, key_of, tag_name
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.collections import service as collection_service
from mysticanvas.features.tags import assertion_queries, queries, relation_queries
from mysticanvas.features.tags.service import (
    REFUSED_KEY,
    check_categories,
    clean_category,
    find_or_add,
    format_path,
    get_tag,
    list_target_names,
    refuse_circles,
    refused,
    set_states,
)


def _find_shown(tx: WriteTx, name: str) -> TagId | None:
    """The tag that this name leads to."""
    found = queries.find(tx, key_of(name))
    return None if found is None else queries.resolve_alias(tx, found.id)


def _find_or_add_shown(tx: WriteTx, name: str, now_ms: int) -> TagId:
    found = find_or_add(tx, name, now_ms=now_ms)
    return queries.resolve_alias(tx, found)


class TagImages(Edit, frozen=True, kw_only=True):
    """Add, remove, reject or forget tags of images, by name. `remove` withdraws the assignment, `reject`
    says that the tag is wrong, `forget` deletes every assignment.

    A new name to add or reject is a new tag. A name to remove that no tag has is ignored."""

    kind: ClassVar[str] = "tag"
    at_once: ClassVar[int] = 500
    add: Sequence[str] = ()
    remove: Sequence[str] = ()
    reject: Sequence[str] = ()
    forget: Sequence[str] = ()

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        if not (self.add or self.remove or self.reject or self.forget):
            raise InvalidInputError("Say which tags to add, to remove or to reject.")
        changed: set[GenerationId] = set()
        for name in self.remove:
            if (known := _find_shown(tx, name)) is not None:
                changed |= assertion_queries.remove_tag(tx, known, images, now_ms=now_ms)
        for name in self.forget:
            if (known := _find_shown(tx, name)) is not None:
                changed |= assertion_queries.clear_tag(tx, known, images)
        for name in self.reject:
            changed |= assertion_queries.reject_tag(tx, _find_or_add_shown(tx, name, now_ms), images, now_ms=now_ms)
        for name in self.add:
            changed |= assertion_queries.assign_tag(tx, _find_or_add_shown(tx, name, now_ms), images, now_ms=now_ms)
        return len(changed)


class CreateTag(Edit, frozen=True, kw_only=True):
    """A new tag. Raises `ConflictError` for a name that a tag has."""

    kind: ClassVar[str] = "tag.create"
    name: str
    category: str | None = None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        wanted = tag_name(self.name)
        if queries.find(tx, wanted.key) is not None:
            raise ConflictError(f"There is a tag “{wanted.shown}” already.")
        tag = queries.add(tx, wanted, category=None, state=TagState.KNOWN, origin=TagSource.USER, now_ms=now_ms)
        queries.set_category(tx, tag, clean_category(self.category))
        return 1


class EnsureTag(Edit, frozen=True, kw_only=True):
    """A tag that may exist already; a category that is given replaces its own."""

    kind: ClassVar[str] = "tag.ensure"
    tag: str
    category: str | None = None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        before = queries.find(tx, tag_name(self.tag).key)
        tag = find_or_add(tx, self.tag, now_ms=now_ms)
        category = clean_category(self.category)
        if category is not None:
            queries.set_category(tx, tag, category)
        return int(before is None or (category is not None and before.category != category))


class RefuseTags(Edit, frozen=True, kw_only=True):
    """Delete suggested tags with their assignments; models no longer suggest them."""

    kind: ClassVar[str] = "tag.refuse"
    tags: Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        found = [get_tag(tx, name) for name in self.tags]
        for tag in found:
            if tag.state != TagState.PROPOSED:
                raise ConflictError(f"“{tag.name}” is no proposal; delete it instead.")
            queries.remove(tx, tag.id)
        settings_store.put(tx, REFUSED_KEY, sorted({*refused(tx), *(key_of(tag.name) for tag in found)}))
        return len(found)


class RenameTag(Edit, frozen=True, kw_only=True):
    """Smart collections that search for the tag follow."""

    kind: ClassVar[str] = "tag.rename"
    tag: str
    to: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag, wanted = get_tag(tx, self.tag), tag_name(self.to)
        other = queries.find(tx, wanted.key)
        if other is not None and other.id != tag.id:
            raise ConflictError(f"There is a tag “{other.name}” already; merge the two instead.")
        old = key_of(tag.name)
        queries.rename(tx, tag.id, wanted)
        if old != wanted.key:
            collection_service.rename_tag_in_searches(tx, old, wanted.shown, now_ms=now_ms)
        return 1


class SetTagCategory(Edit, frozen=True, kw_only=True):
    """None removes the category."""

    kind: ClassVar[str] = "tag.category"
    tags: Sequence[str]
    category: str | None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        for name in self.tags:
            queries.set_category(tx, find_or_add(tx, name, now_ms=now_ms), clean_category(self.category))
        return len(self.tags)


class SetThreshold(Edit, frozen=True, kw_only=True):
    """The confidence from which assignments of a source count, for one tag or for all."""

    kind: ClassVar[str] = "tag.threshold"
    source: str
    value: float | None
    tag: str | None = None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        value = self.value
        if self.source not in list(TagSource) or not (value is None or 0 <= value <= 1):
            raise InvalidInputError("A threshold is a source (llm, vision, prompt, import) and a number from 0 to 1.")
        tag = get_tag(tx, self.tag).id if self.tag else None
        queries.set_threshold(tx, tag, TagSource(self.source), value)
        return 1


class AcceptTags(Edit, frozen=True, kw_only=True):
    """Suggested tags become tags."""

    kind: ClassVar[str] = "tag.accept"
    tags: Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return set_states(tx, self.tags, TagState.PROPOSED, TagState.KNOWN)


class SuggestTags(Edit, frozen=True, kw_only=True):
    """Tags become suggested tags."""

    kind: ClassVar[str] = "tag.propose"
    tags: Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return set_states(tx, self.tags, TagState.KNOWN, TagState.PROPOSED)


class AddAlias(Edit, frozen=True, kw_only=True):
    """`tag` is an alias of `of`; `across` allows it between two categories."""

    kind: ClassVar[str] = "tag.alias"
    tag: str
    of: str
    across: bool = False

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag, target = find_or_add(tx, self.tag, now_ms=now_ms), find_or_add(tx, self.of, now_ms=now_ms)
        if tag == target:
            raise InvalidInputError("A tag cannot be another name of itself.")
        graph = relation_queries.graph(tx)
        if (there := graph.aliases.get(tag)) is not None:
            if there == target:
                return 0
            path = format_path(
                tx, [tag, there, *([] if graph.resolve_alias(there) == there else [graph.resolve_alias(there)])]
            )
            raise ConflictError(f"It is another name already: {path}. Take that away first.")
        if circle := graph.find_alias_path(tag, target):
            raise ConflictError(f"That would lead in a circle: {format_path(tx, [tag, *circle])}.")
        check_categories(tx, tag, target, allowed=bool(self.across))
        relation_queries.add_alias(tx, tag, target)
        refuse_circles(tx)
        return 1


class RemoveAlias(Edit, frozen=True, kw_only=True):
    """The alias is a tag of its own again, with its assignments."""

    kind: ClassVar[str] = "tag.unalias"
    tag: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag = get_tag(tx, self.tag)
        if not relation_queries.remove_alias(tx, tag.id):
            raise NotFoundError(f"“{tag.name}” is no other name of a tag.")
        return 1


class AddImplication(Edit, frozen=True, kw_only=True):
    """Every image with the tag has the implied tag too."""

    kind: ClassVar[str] = "tag.imply"
    tag: str
    implies: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag = find_or_add(tx, self.tag, now_ms=now_ms)
        implied = find_or_add(tx, self.implies, now_ms=now_ms)
        if tag == implied:
            raise InvalidInputError("A tag cannot imply itself.")
        relation_queries.add_implication(tx, tag, implied)
        refuse_circles(tx)
        return 1


class RemoveImplication(Edit, frozen=True, kw_only=True):
    """Undoes one implication."""

    kind: ClassVar[str] = "tag.unimply"
    tag: str
    implies: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag, implied = get_tag(tx, self.tag), get_tag(tx, self.implies)
        if not relation_queries.remove_implication(tx, tag.id, implied.id):
            raise NotFoundError(f"“{tag.name}” does not imply “{implied.name}” by itself.")
        return 1


class MergeTag(Edit, frozen=True, kw_only=True):
    """Move the assignments and relations of a tag to another, and delete it."""

    kind: ClassVar[str] = "tag.merge"
    finds_images: ClassVar[bool] = True
    tag: str
    to: str | Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag = get_tag(tx, self.tag)
        targets = [find_or_add(tx, name, now_ms=now_ms) for name in list_target_names(self.to)]
        if tag.id in targets:
            raise InvalidInputError(f"“{tag.name}” cannot become itself.")
        return len(assertion_queries.move(tx, tag.id, targets, images))

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        return assertion_queries.list_images(tx, get_tag(tx, self.tag).id)

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        tag, target = get_tag(tx, self.tag), find_or_add(tx, list_target_names(self.to)[0], now_ms=now_ms)
        relation_queries.move_relations(tx, tag.id, target)
        refuse_circles(tx)
        queries.remove(tx, tag.id)
        collection_service.rename_tag_in_searches(tx, key_of(tag.name), queries.get(tx, target).name, now_ms=now_ms)


class SplitTag(Edit, frozen=True, kw_only=True):
    """Move the assignments of a tag to several, and delete it."""

    kind: ClassVar[str] = "tag.split"
    finds_images: ClassVar[bool] = True
    tag: str
    to: str | Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag = get_tag(tx, self.tag)
        targets = [find_or_add(tx, name, now_ms=now_ms) for name in list_target_names(self.to)]
        if tag.id in targets:
            raise InvalidInputError(f"“{tag.name}” cannot become itself.")
        return len(assertion_queries.move(tx, tag.id, targets, images))

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        return assertion_queries.list_images(tx, get_tag(tx, self.tag).id)

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        queries.remove(tx, get_tag(tx, self.tag).id)


class MoveAssignments(Edit, frozen=True, kw_only=True):
    """Move the assignments of a tag to another; the tag stays."""

    kind: ClassVar[str] = "tag.retag"
    finds_images: ClassVar[bool] = True
    tag: str
    to: str | Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag = get_tag(tx, self.tag)
        targets = [find_or_add(tx, name, now_ms=now_ms) for name in list_target_names(self.to)]
        if tag.id in targets:
            raise InvalidInputError(f"“{tag.name}” cannot become itself.")
        return len(assertion_queries.move(tx, tag.id, targets, images))

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        return assertion_queries.list_images(tx, get_tag(tx, self.tag).id)


class DeleteTag(Edit, frozen=True, kw_only=True):
    """Delete a tag with all its assignments."""

    kind: ClassVar[str] = "tag.delete"
    finds_images: ClassVar[bool] = True
    tag: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return len(assertion_queries.remove_all(tx, get_tag(tx, self.tag).id, images))

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        return assertion_queries.list_images(tx, get_tag(tx, self.tag).id)

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        queries.remove(tx, get_tag(tx, self.tag).id)


EDITS = (
    TagImages,
    CreateTag,
    EnsureTag,
    RefuseTags,
    RenameTag,
    SetTagCategory,
    SetThreshold,
    AcceptTags,
    SuggestTags,
    AddAlias,
    RemoveAlias,
    AddImplication,
    RemoveImplication,
    MergeTag,
    SplitTag,
    MoveAssignments,
    DeleteTag,
)
