"""Edits of tags: on images, of a tag itself, and of relations between tags."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagId, TagSource, TagState, make_tag_key, parse_tag_name
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
    list_refused,
    list_target_names,
    refuse_circles,
    set_states,
)


def _find_shown(tx: WriteTx, name: str) -> TagId | None:
    """The tag that is shown for this name; None if there is none."""
    found = queries.find(tx, make_tag_key(name))
    return None if found is None else queries.resolve_alias(tx, found.id)


def _find_or_add_shown(tx: WriteTx, name: str, now_ms: int) -> TagId:
    found = find_or_add(tx, name, now_ms=now_ms)
    return queries.resolve_alias(tx, found)


class TagImages(Edit, frozen=True, kw_only=True):
    """Add, remove, reject or forget tags of images, by name.

    `remove` withdraws the user's assignment and rejects the tag where other sources assigned it, `reject` marks it
    as wrong, `forget` deletes the user's decision. Unknown names in `add` and `reject` become new tags; unknown
    names in `remove` and `forget` are ignored."""

    kind: ClassVar[str] = "tag"
    at_once: ClassVar[int] = 500
    add: Sequence[str] = ()
    remove: Sequence[str] = ()
    reject: Sequence[str] = ()
    forget: Sequence[str] = ()

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        if not (self.add or self.remove or self.reject or self.forget):
            raise InvalidInputError("Specify at least one tag to add, remove, reject or forget.")
        if not images:
            # Nor are new tags created.
            return 0
        changed: set[GenerationId] = set()
        for name in self.remove:
            if (tag := _find_shown(tx, name)) is not None:
                changed |= assertion_queries.remove_tag(tx, tag, images, now_ms=now_ms)
        for name in self.forget:
            if (tag := _find_shown(tx, name)) is not None:
                changed |= assertion_queries.clear_tag(tx, tag, images)
        for name in self.reject:
            changed |= assertion_queries.reject_tag(tx, _find_or_add_shown(tx, name, now_ms), images, now_ms=now_ms)
        for name in self.add:
            changed |= assertion_queries.assign_tag(tx, _find_or_add_shown(tx, name, now_ms), images, now_ms=now_ms)
        return len(changed)


class CreateTag(Edit, frozen=True, kw_only=True):
    """Create a tag. Raises `ConflictError` if the name is taken."""

    kind: ClassVar[str] = "tag.create"
    name: str
    category: str | None = None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        new = parse_tag_name(self.name)
        if queries.find(tx, new.key) is not None:
            raise ConflictError(f"The tag “{new.shown}” already exists. Choose another name.")
        tag = queries.add(tx, new, category=None, state=TagState.KNOWN, origin=TagSource.USER, now_ms=now_ms)
        queries.set_category(tx, tag, clean_category(self.category))
        return 1


class EnsureTag(Edit, frozen=True, kw_only=True):
    """Create a tag if it does not exist; a category, if given, replaces that of an existing tag."""

    kind: ClassVar[str] = "tag.ensure"
    tag: str
    category: str | None = None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        before = queries.find(tx, parse_tag_name(self.tag).key)
        tag = find_or_add(tx, self.tag, now_ms=now_ms)
        category = clean_category(self.category)
        if category is not None:
            queries.set_category(tx, tag, category)
        return int(before is None or (category is not None and before.category != category))


class RefuseTags(Edit, frozen=True, kw_only=True):
    """Delete suggested tags and their assignments. Models no longer suggest them."""

    kind: ClassVar[str] = "tag.refuse"
    tags: Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        found = [get_tag(tx, name) for name in self.tags]
        for tag in found:
            if tag.state != TagState.PROPOSED:
                raise ConflictError(f"“{tag.name}” is not a suggested tag. Delete it instead.")
            queries.remove(tx, tag.id)
        settings_store.put(tx, REFUSED_KEY, sorted({*list_refused(tx), *(make_tag_key(tag.name) for tag in found)}))
        return len(found)


class RenameTag(Edit, frozen=True, kw_only=True):
    """Rename a tag, also in the searches of smart collections."""

    kind: ClassVar[str] = "tag.rename"
    tag: str
    to: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag, new = get_tag(tx, self.tag), parse_tag_name(self.to)
        other = queries.find(tx, new.key)
        if other is not None and other.id != tag.id:
            raise ConflictError(f"The tag “{other.name}” already exists. Merge the two instead.")
        old = make_tag_key(tag.name)
        queries.rename(tx, tag.id, new)
        if old != new.key:
            collection_service.rename_tag_in_searches(tx, old, new.shown, now_ms=now_ms)
        return 1


class SetTagCategory(Edit, frozen=True, kw_only=True):
    """Set the category of tags; None removes it."""

    kind: ClassVar[str] = "tag.category"
    tags: Sequence[str]
    category: str | None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        for name in self.tags:
            queries.set_category(tx, find_or_add(tx, name, now_ms=now_ms), clean_category(self.category))
        return len(self.tags)


class SetThreshold(Edit, frozen=True, kw_only=True):
    """Set the minimum confidence for assignments of a source, for one tag or for all; None removes it."""

    kind: ClassVar[str] = "tag.threshold"
    source: str
    value: float | None
    tag: str | None = None

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        value = self.value
        if self.source not in list(TagSource) or not (value is None or 0 <= value <= 1):
            raise InvalidInputError(
                "A threshold needs a source (llm, vision, prompt, import) and a number from 0 to 1."
            )
        tag = get_tag(tx, self.tag).id if self.tag else None
        queries.set_threshold(tx, tag, TagSource(self.source), value)
        return 1


class AcceptTags(Edit, frozen=True, kw_only=True):
    """Turn suggested tags into tags."""

    kind: ClassVar[str] = "tag.accept"
    tags: Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return set_states(tx, self.tags, TagState.PROPOSED, TagState.KNOWN)


class SuggestTags(Edit, frozen=True, kw_only=True):
    """Turn tags into suggested tags."""

    kind: ClassVar[str] = "tag.propose"
    tags: Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return set_states(tx, self.tags, TagState.KNOWN, TagState.PROPOSED)


class AddAlias(Edit, frozen=True, kw_only=True):
    """Make `tag` an alias of `of`; `across` allows it between different categories."""

    kind: ClassVar[str] = "tag.alias"
    tag: str
    of: str
    across: bool = False

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag, target = find_or_add(tx, self.tag, now_ms=now_ms), find_or_add(tx, self.of, now_ms=now_ms)
        if tag == target:
            raise InvalidInputError("A tag cannot be an alias of itself.")
        graph = relation_queries.load_graph(tx)
        if (there := graph.aliases.get(tag)) is not None:
            if there == target:
                return 0
            path = format_path(
                tx, [tag, there, *([] if graph.resolve_alias(there) == there else [graph.resolve_alias(there)])]
            )
            raise ConflictError(f"“{self.tag}” is already an alias: {path}. Remove that alias first.")
        if circle := graph.find_alias_path(tag, target):
            raise ConflictError(f"These aliases would form a cycle: {format_path(tx, [tag, *circle])}.")
        check_categories(tx, tag, target, allowed=bool(self.across))
        relation_queries.add_alias(tx, tag, target)
        refuse_circles(tx)
        return 1


class RemoveAlias(Edit, frozen=True, kw_only=True):
    """Turn an alias back into a separate tag with its own assignments."""

    kind: ClassVar[str] = "tag.unalias"
    tag: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag = get_tag(tx, self.tag)
        if not relation_queries.remove_alias(tx, tag.id):
            raise NotFoundError(f"“{tag.name}” is not an alias.")
        return 1


class AddImplication(Edit, frozen=True, kw_only=True):
    """Make images with `tag` also show the tag `implies`."""

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
    """Remove an implication."""

    kind: ClassVar[str] = "tag.unimply"
    tag: str
    implies: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag, implied = get_tag(tx, self.tag), get_tag(tx, self.implies)
        if not relation_queries.remove_implication(tx, tag.id, implied.id):
            raise NotFoundError(f"“{tag.name}” does not imply “{implied.name}” directly.")
        return 1


class MergeTag(Edit, frozen=True, kw_only=True):
    """Move the assignments and relations of a tag to another tag, then delete it."""

    kind: ClassVar[str] = "tag.merge"
    finds_images: ClassVar[bool] = True
    tag: str
    to: str | Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag = get_tag(tx, self.tag)
        targets = [find_or_add(tx, name, now_ms=now_ms) for name in list_target_names(self.to)]
        if tag.id in targets:
            raise InvalidInputError(f"“{tag.name}” cannot be merged, split or moved into itself.")
        return len(assertion_queries.move(tx, tag.id, targets, images))

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        return assertion_queries.list_images(tx, get_tag(tx, self.tag).id)

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        tag, target = get_tag(tx, self.tag), find_or_add(tx, list_target_names(self.to)[0], now_ms=now_ms)
        relation_queries.move_relations(tx, tag.id, target)
        refuse_circles(tx)
        queries.remove(tx, tag.id)
        collection_service.rename_tag_in_searches(
            tx, make_tag_key(tag.name), queries.get(tx, target).name, now_ms=now_ms
        )


class SplitTag(Edit, frozen=True, kw_only=True):
    """Move the assignments of a tag to several other tags, then delete it."""

    kind: ClassVar[str] = "tag.split"
    finds_images: ClassVar[bool] = True
    tag: str
    to: str | Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag = get_tag(tx, self.tag)
        targets = [find_or_add(tx, name, now_ms=now_ms) for name in list_target_names(self.to)]
        if tag.id in targets:
            raise InvalidInputError(f"“{tag.name}” cannot be merged, split or moved into itself.")
        return len(assertion_queries.move(tx, tag.id, targets, images))

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        return assertion_queries.list_images(tx, get_tag(tx, self.tag).id)

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        queries.remove(tx, get_tag(tx, self.tag).id)


class MoveAssignments(Edit, frozen=True, kw_only=True):
    """Move the assignments of a tag to another tag, and keep the tag."""

    kind: ClassVar[str] = "tag.retag"
    finds_images: ClassVar[bool] = True
    tag: str
    to: str | Sequence[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        tag = get_tag(tx, self.tag)
        targets = [find_or_add(tx, name, now_ms=now_ms) for name in list_target_names(self.to)]
        if tag.id in targets:
            raise InvalidInputError(f"“{tag.name}” cannot be merged, split or moved into itself.")
        return len(assertion_queries.move(tx, tag.id, targets, images))

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        return assertion_queries.list_images(tx, get_tag(tx, self.tag).id)


class DeleteTag(Edit, frozen=True, kw_only=True):
    """Delete a tag and all its assignments."""

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
