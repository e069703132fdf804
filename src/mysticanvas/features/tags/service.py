"""The vocabulary: tags, other names for them, and what implies what. Each function is a deed, or a part
of one, of edits/kinds.py; names are as a person writes them.
"""

from collections.abc import Sequence
from typing import Any

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagId, TagSource, TagState, key_of, tag_name
from mysticanvas.features.collections import service as collection_service
from mysticanvas.features.tags import assertion_queries, queries, relation_queries
from mysticanvas.features.tags.queries import Tag

MAX_CATEGORY = 60
REFUSED = "tags.refused"


def known(tx: ReadTx, name: str) -> Tag:
    """The tag of that very name, also where it is only another name. Raises `NotFoundError`."""
    found = queries.find(tx, key_of(name))
    if found is None:
        raise NotFoundError(f"There is no tag “{name.strip()[:80]}”.")
    return found


def find_or_add(tx: WriteTx, name: str, *, now_ms: int, origin: TagSource = TagSource.USER) -> TagId:
    """A proposal that a person names is one no longer."""
    wanted = tag_name(name)
    found = queries.find(tx, wanted.key)
    if found is None:
        return queries.add(tx, wanted, category=None, state=TagState.KNOWN, origin=origin, now_ms=now_ms)
    if found.state == TagState.PROPOSED:
        queries.set_state(tx, found.id, TagState.KNOWN)
    return found.id


def find_or_propose(tx: WriteTx, name: str, origin: TagSource, *, now_ms: int) -> TagId | None:
    """For what machines say: an unknown word becomes a proposal, which shows nowhere (T15). None for a
    name that no tag may have, or that the person refused."""
    try:
        wanted = tag_name(name)
    except InvalidInputError:
        return None
    found = queries.find(tx, wanted.key)
    if found is not None:
        return found.id
    if wanted.key in refused(tx):
        return None
    return queries.add(tx, wanted, category=None, state=TagState.PROPOSED, origin=origin, now_ms=now_ms)


def refused(tx: ReadTx) -> list[str]:
    """Normalized names that machines need not propose again."""
    names: list[str] = settings_store.get(tx, REFUSED, [])
    return names


# -- one tag --------------------------------------------------------------------------------------


def create(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{name, category?}"""
    wanted = tag_name(args["name"])
    if queries.find(tx, wanted.key) is not None:
        raise ConflictError(f"There is a tag “{wanted.shown}” already.")
    tag = queries.add(tx, wanted, category=None, state=TagState.KNOWN, origin=TagSource.USER, now_ms=now_ms)
    queries.set_category(tx, tag, _category(args.get("category")))
    return 1


def rename(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tag, to}"""
    tag, wanted = known(tx, args["tag"]), tag_name(args["to"])
    other = queries.find(tx, wanted.key)
    if other is not None and other.id != tag.id:
        raise ConflictError(f"There is a tag “{other.name}” already; merge the two instead.")
    old = key_of(tag.name)
    queries.rename(tx, tag.id, wanted)
    if old != wanted.key:
        collection_service.rename_tag_in_searches(tx, old, wanted.shown, now_ms=now_ms)
    return 1


def set_category(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tags, category}; None takes it away."""
    for name in args["tags"]:
        queries.set_category(tx, find_or_add(tx, name, now_ms=now_ms), _category(args["category"]))
    return len(args["tags"])


def set_threshold(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{source, value, tag?}: from which confidence on a source is believed, of one tag or of all (T14)."""
    value = args["value"]
    if args["source"] not in list(TagSource) or not (value is None or 0 <= value <= 1):
        raise InvalidInputError("A threshold is a source (llm, vision, prompt, import) and a number from 0 to 1.")
    tag = known(tx, args["tag"]).id if args.get("tag") else None
    queries.set_threshold(tx, tag, TagSource(args["source"]), value)
    return 1


def accept(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tags}: proposals become words of the vocabulary (T15)."""
    return _set_states(tx, args["tags"], TagState.PROPOSED, TagState.KNOWN)


def propose_again(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tags}: words of the vocabulary become proposals."""
    return _set_states(tx, args["tags"], TagState.KNOWN, TagState.PROPOSED)


def refuse(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tags}: proposals go, with all that was said of them, and do not come again."""
    found = [known(tx, name) for name in args["tags"]]
    for tag in found:
        if tag.state != TagState.PROPOSED:
            raise ConflictError(f"“{tag.name}” is no proposal; delete it instead.")
        queries.remove(tx, tag.id)
    settings_store.put(tx, REFUSED, sorted({*refused(tx), *(key_of(tag.name) for tag in found)}))
    return len(found)


def ensure(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tag, category?}: a tag that there may be already; a category that is given stands."""
    before = queries.find(tx, tag_name(args["tag"]).key)
    tag = find_or_add(tx, args["tag"], now_ms=now_ms)
    category = _category(args.get("category"))
    if category is not None:
        queries.set_category(tx, tag, category)
    return int(before is None or (category is not None and before.category != category))


def _set_states(tx: WriteTx, names: Sequence[str], old: TagState, new: TagState) -> int:
    found = [tag for tag in (known(tx, name) for name in names) if tag.state == old]
    for tag in found:
        queries.set_state(tx, tag.id, new)
    return len(found)


def _category(text: str | None) -> str | None:
    category = key_of(text or "")
    if not category:
        return None
    if len(category) > MAX_CATEGORY:
        raise InvalidInputError(f"The name of a category is at most {MAX_CATEGORY} characters long.")
    return tag_name(category).key


# -- relations ------------------------------------------------------------------------------------


def alias(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tag, of, across?}: `tag` is another name of `of` from now on; `across` allows it between two
    categories (T11)."""
    tag, target = find_or_add(tx, args["tag"], now_ms=now_ms), find_or_add(tx, args["of"], now_ms=now_ms)
    if tag == target:
        raise InvalidInputError("A tag cannot be another name of itself.")
    graph = relation_queries.graph(tx)
    if (there := graph.aliases.get(tag)) is not None:
        if there == target:
            return 0
        path = _path(tx, [tag, there, *([] if graph.terminal(there) == there else [graph.terminal(there)])])
        raise ConflictError(f"It is another name already: {path}. Take that away first.")
    if circle := graph.alias_path(tag, target):
        raise ConflictError(f"That would lead in a circle: {_path(tx, [tag, *circle])}.")
    _refuse_across(tx, tag, target, allowed=bool(args.get("across")))
    relation_queries.add_alias(tx, tag, target)
    refuse_circles(tx)
    return 1


def unalias(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tag}: a tag of its own again, with all that was said of it (T6)."""
    tag = known(tx, args["tag"])
    if not relation_queries.remove_alias(tx, tag.id):
        raise NotFoundError(f"“{tag.name}” is no other name of a tag.")
    return 1


def imply(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tag, implies}: whoever shows the one shows the other (T5)."""
    tag = find_or_add(tx, args["tag"], now_ms=now_ms)
    implied = find_or_add(tx, args["implies"], now_ms=now_ms)
    if tag == implied:
        raise InvalidInputError("A tag cannot imply itself.")
    relation_queries.add_implication(tx, tag, implied)
    refuse_circles(tx)
    return 1


def unimply(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{tag, implies}"""
    tag, implied = known(tx, args["tag"]), known(tx, args["implies"])
    if not relation_queries.remove_implication(tx, tag.id, implied.id):
        raise NotFoundError(f"“{tag.name}” does not imply “{implied.name}” by itself.")
    return 1


def _refuse_across(tx: ReadTx, tag: TagId, target: TagId, *, allowed: bool) -> None:
    one, other = queries.get(tx, tag), queries.get(tx, target)
    if not allowed and one.category and other.category and one.category != other.category:
        raise ConflictError(
            f"“{one.name}” is a {one.category}, “{other.name}” a {other.category}. Say that you mean it, to go on."
        )


def refuse_circles(tx: ReadTx) -> None:
    """Raises `ConflictError` with the path: also an undo may close one, after what was said since."""
    graph = relation_queries.graph(tx)
    if circle := graph.alias_circle():
        raise ConflictError(f"That would lead in a circle: {_path(tx, circle)}.")
    if circle := graph.circle():
        raise ConflictError(f"That would make tags imply each other in a circle: {_path(tx, circle)}.")


def _path(tx: ReadTx, path: Sequence[TagId]) -> str:
    return " → ".join(relation_queries.names_of(tx, path))


# -- tags of many images: each image's part in slices, the tag's own part at the end --------------


def images_of(tx: ReadTx, args: dict[str, Any]) -> list[GenerationId]:
    """Of which anything was said about {tag}."""
    return assertion_queries.images_of(tx, known(tx, args["tag"]).id)


def move(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """{tag, to}: all that was said of the one is said of the other, or of several, instead."""
    tag = known(tx, args["tag"])
    targets = [find_or_add(tx, name, now_ms=now_ms) for name in _names(args["to"])]
    if tag.id in targets:
        raise InvalidInputError(f"“{tag.name}” cannot become itself.")
    return len(assertion_queries.move(tx, tag.id, targets, images))


def finish_merge(tx: WriteTx, args: dict[str, Any], now_ms: int) -> None:
    """The relations go over too, and the tag is gone."""
    tag, target = known(tx, args["tag"]), find_or_add(tx, _names(args["to"])[0], now_ms=now_ms)
    relation_queries.move_relations(tx, tag.id, target)
    refuse_circles(tx)
    queries.remove(tx, tag.id)
    collection_service.rename_tag_in_searches(tx, key_of(tag.name), queries.get(tx, target).name, now_ms=now_ms)


def finish_split(tx: WriteTx, args: dict[str, Any], now_ms: int) -> None:
    queries.remove(tx, known(tx, args["tag"]).id)


def delete(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """{tag}: all that anyone said of it."""
    return len(assertion_queries.remove_all(tx, known(tx, args["tag"]).id, images))


def finish_delete(tx: WriteTx, args: dict[str, Any], now_ms: int) -> None:
    queries.remove(tx, known(tx, args["tag"]).id)


def _names(to: str | Sequence[str]) -> list[str]:
    names = [to] if isinstance(to, str) else list(to)
    if not names:
        raise InvalidInputError("Say which tag it becomes.")
    return names
