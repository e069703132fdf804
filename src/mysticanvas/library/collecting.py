"""Collections. Each function is a deed, or a part of one, of library/deed_kinds.py; a collection is
named by its uuid, which whoever makes one chooses, so that doing it again makes the same one.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import key_of
from mysticanvas.domain.text import clean
from mysticanvas.search import language
from mysticanvas.store import collections, generations
from mysticanvas.store.collections import Collection
from mysticanvas.store.database import ReadTx, WriteTx

MAX_NAME = 200
MAX_NOTES = 20_000
# Positions closer than this are numbered anew.
SMALLEST_GAP = 1e-6


def create(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{uuid, name, query?, notes?, parent?}; smart when it has a query."""
    query = args.get("query")
    checked = None if query is None else _checked_query(tx, query, args["uuid"])
    made = collections.add(tx, uuid=args["uuid"], name=_name(args["name"]), query=checked, now_ms=now_ms)
    if args.get("notes"):
        collections.set_notes(tx, made, _notes(args["notes"]), now_ms=now_ms)
    if args.get("parent"):
        _put_into(tx, collections.find(tx, args["uuid"]), args["parent"], None, now_ms)
    return 1


def edit(tx: WriteTx, args: dict[str, Any], _: Sequence[GenerationId], now_ms: int) -> int:
    """{collection, name?, notes?, query?, cover?, parent?, position?}: what is given stands from now on;
    None for a cover or a parent takes it away."""
    found = collections.find(tx, args["collection"])
    if "name" in args:
        collections.set_name(tx, found.id, _name(args["name"]), now_ms=now_ms)
    if "notes" in args:
        collections.set_notes(tx, found.id, _notes(args["notes"]), now_ms=now_ms)
    if "query" in args:
        if found.kind != "smart":
            raise InvalidInputError("Only a smart collection has a search.")
        collections.set_query(tx, found.id, _checked_query(tx, args["query"], found.uuid), now_ms=now_ms)
    if "cover" in args:
        cover = None if args["cover"] is None else generations.id_of(tx, args["cover"])
        collections.set_cover(tx, found.id, cover, now_ms=now_ms)
    if "parent" in args or "position" in args:
        _put_into(tx, found, args.get("parent", found.parent), args.get("position"), now_ms)
    return 1


def collect(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """{collection}: after the last, in the order given."""
    return collections.add_items(tx, _manual(tx, args).id, images, now_ms=now_ms)


def uncollect(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """{collection}"""
    return collections.remove_items(tx, _manual(tx, args).id, images)


def reorder(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """{collection, before?}: to before an image (its uuid), or to the end."""
    found = _manual(tx, args)
    before = generations.id_of(tx, args["before"]) if args.get("before") else None
    if before in images:
        raise InvalidInputError("An image cannot be put before itself.")
    lower, upper = collections.gap_before(tx, found.id, before, images)
    if (upper - lower) / (len(images) + 1) < SMALLEST_GAP:
        collections.number_items(tx, found.id)
        lower, upper = collections.gap_before(tx, found.id, before, images)
    return collections.place_items(tx, found.id, images, lower, upper)


def items(tx: ReadTx, args: dict[str, Any]) -> list[GenerationId]:
    """Of {collection}, those in the Trash too."""
    return collections.all_items(tx, collections.find(tx, args["collection"]).id)


def empty(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    return collections.remove_items(tx, collections.find(tx, args["collection"]).id, images)


def finish_delete(tx: WriteTx, args: dict[str, Any], now_ms: int) -> None:
    collections.remove(tx, collections.find(tx, args["collection"]).id)


def freeze(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """{collection}: a smart one takes in what its search found (G7)."""
    return collections.add_items(tx, _smart(tx, args).id, images, now_ms=now_ms)


def finish_freeze(tx: WriteTx, args: dict[str, Any], now_ms: int) -> None:
    collections.set_query(tx, _smart(tx, args).id, None, now_ms=now_ms)


def _manual(tx: ReadTx, args: dict[str, Any]) -> Collection:
    found = collections.find(tx, args["collection"])
    if found.kind != "manual":
        raise InvalidInputError(f"“{found.name}” is a smart collection: its search decides what is in it.")
    return found


def _smart(tx: ReadTx, args: dict[str, Any]) -> Collection:
    found = collections.find(tx, args["collection"])
    if found.kind != "smart":
        raise InvalidInputError(f"“{found.name}” is no smart collection.")
    return found


def _put_into(tx: WriteTx, found: Collection, parent: str | None, position: float | None, now_ms: int) -> None:
    into = None if parent is None else collections.find(tx, parent)
    place = None if into is None else into.id
    at = collections.last_position(tx, place) + 1 if position is None else position
    collections.set_place(tx, found.id, place, at, now_ms=now_ms)
    refuse_circles(tx)


def refuse_circles(tx: ReadTx) -> None:
    """Raises `ConflictError`: also an undo may put a collection inside of itself, after others moved."""
    above = collections.parents(tx)
    sound: set[int] = set()
    for start in above:
        path: list[int] = []
        at: int | None = start
        while at is not None and at not in sound:
            if at in path:
                raise ConflictError("A collection cannot be inside of itself.")
            path.append(at)
            at = above.get(at)
        sound.update(path)


def _name(text: str) -> str:
    name = " ".join(clean(text).split())
    if not name or len(name) > MAX_NAME:
        raise InvalidInputError(f"A collection needs a name of at most {MAX_NAME} characters.")
    return name


def _notes(text: str | None) -> str | None:
    notes = clean(text or "").strip()
    if len(notes) > MAX_NOTES:
        raise InvalidInputError(f"Notes are at most {MAX_NOTES:,} characters long.")
    return notes or None


# -- searches -------------------------------------------------------------------------------------


def _checked_query(tx: ReadTx, query: str, uuid: str) -> str:
    """As the query language writes it. Raises `ConflictError` where it would refer to itself, and `QueryError`."""
    if circle := _circle(tx, query, uuid):
        raise ConflictError(f"That collection would be made of itself: {' → '.join(circle)}.")
    return language.write(language.parse(clean(query)))


def _circle(tx: ReadTx, query: str, uuid: str) -> list[str]:
    """The names on the way back to the collection, when its search leads there."""
    smart = {one.uuid: one for one in collections.listed(tx)}
    by_name = {key_of(one.name): one.uuid for one in smart.values()} | {one: one for one in smart}
    waiting: list[tuple[str, list[str]]] = [(name, []) for name in references(query)]
    seen: set[str] = set()
    while waiting:
        name, path = waiting.pop()
        found = by_name.get(key_of(name)) or by_name.get(name)
        if found is None or found in seen:
            continue
        path = [*path, smart[found].name]
        if found == uuid:
            return [smart[found].name, *path]
        seen.add(found)
        waiting += [(other, path) for other in references(smart[found].query or "")]
    return []


def references(query: str) -> list[str]:
    """Names and uuids of collections that a search speaks of. Raises `QueryError`."""
    return [token.value for token in language.tokens(query) if (token.field or "").lower() in ("collection", "in")]


def with_tag_renamed(query: str, old_key: str, new_name: str) -> str:
    """The search with another name for a tag (T16)."""
    parts, at = [], 0
    for token in language.tokens(query):
        if (token.field or "").lower() == "tag" and key_of(token.value) == old_key:
            parts += [query[at : token.position], "tag:" + language.quoted(new_name)]
            at = token.end
    return "".join([*parts, query[at:]])


def rename_tag_in_searches(tx: WriteTx, old_key: str, new_name: str, *, now_ms: int) -> None:
    """In every smart collection, in the transaction that renames the tag."""
    for one, query in _smart_queries(tx):
        rewritten = with_tag_renamed(query, old_key, new_name)
        if rewritten != query:
            collections.set_query(tx, one.id, rewritten, now_ms=now_ms)


def _smart_queries(tx: ReadTx) -> Iterator[tuple[Collection, str]]:
    for one in collections.listed(tx):
        if one.query is not None:
            yield one, one.query
