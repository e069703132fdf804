"""Rules of collections: names, nesting, and searches that refer to other collections or to tags."""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.domain.query import Field
from mysticanvas.domain.tag import make_tag_key
from mysticanvas.domain.text import clean_text
from mysticanvas.edits.changesets import RowChange
from mysticanvas.features.collections import queries
from mysticanvas.features.collections.queries import Collection
from mysticanvas.search import language
from mysticanvas.search import resolve as search_resolve
from mysticanvas.search.collection_names import CollectionName, read_collection_names
from mysticanvas.search.language import Token

MAX_NAME = 200
MAX_NOTES = 20_000


def rename(tx: WriteTx, found: Collection, name: str, now_ms: int) -> None:
    """Rename a collection, and update searches that refer to it unless another collection still has the old name."""
    old = make_tag_key(found.name)
    queries.set_name(tx, found.id, name, now_ms=now_ms)
    if not any(make_tag_key(one.name) == old for one in read_collection_names(tx)):
        _rename_in_searches(tx, Field.COLLECTION, old, name, now_ms)


def find_manual(tx: ReadTx, uuid: str) -> Collection:
    found = queries.find(tx, uuid)
    if found.kind != "manual":
        raise InvalidInputError(f"“{found.name}” is a smart collection. Convert it to manual to change its images.")
    return found


def find_smart(tx: ReadTx, uuid: str) -> Collection:
    found = queries.find(tx, uuid)
    if found.kind != "smart":
        raise InvalidInputError(f"“{found.name}” is not a smart collection.")
    return found


def move_into(tx: WriteTx, found: Collection, parent: str | None, position: float | None, now_ms: int) -> None:
    into = None if parent is None else queries.find(tx, parent)
    place = None if into is None else into.id
    at = queries.get_last_position(tx, place) + 1 if position is None else position
    queries.set_place(tx, found.id, place, at, now_ms=now_ms)


def refuse_circles(tx: ReadTx) -> None:
    """Raises `ConflictError` if a collection contains itself, or if its search refers to itself.

    Undoing an edit or renaming a collection can cause this too, after other edits.
    """
    _refuse_nests(tx)
    if circle := _find_circle(read_collection_names(tx)):
        path = " → ".join(circle)
        raise ConflictError(f"This collection would contain itself: {path}. Change one of these searches.")


def _refuse_nests(tx: ReadTx) -> None:
    above = queries.get_parents(tx)
    sound: set[int] = set()
    for start in above:
        path: list[int] = []
        at: int | None = start
        while at is not None and at not in sound:
            if at in path:
                raise ConflictError("A collection cannot contain itself.")
            path.append(at)
            at = above.get(at)
        sound.update(path)


def clean_name(text: str) -> str:
    name = " ".join(clean_text(text).split())
    if not name or len(name) > MAX_NAME:
        raise InvalidInputError(f"A collection name must have 1 to {MAX_NAME} characters.")
    return name


def clean_notes(text: str | None) -> str | None:
    notes = clean_text(text or "").strip()
    if len(notes) > MAX_NOTES:
        raise InvalidInputError(f"Notes can have at most {MAX_NOTES:,} characters.")
    return notes or None


# -- searches -------------------------------------------------------------------------------------


def normalize_query(query: str) -> str:
    """The search in the normal form of the query language. Raises `QueryError`."""
    return language.write(language.parse(clean_text(query)))


def _find_circle(known: Sequence[CollectionName]) -> list[str]:
    """The names along a chain of searches that leads from a collection back to itself; [] if there is none."""
    try:
        TopologicalSorter({one: _list_referenced(known, one) for one in known}).prepare()
    except CycleError as error:
        return [one.name for one in reversed(error.args[1])]
    return []


def _list_referenced(known: Sequence[CollectionName], one: CollectionName) -> list[CollectionName]:
    if one.query is None:
        return []
    return [other for name in list_references(one.query) for other in search_resolve.find_collections(known, name)]


def list_references(query: str) -> list[str]:
    """Names and uuids of the collections that a search refers to. Raises `QueryError`."""
    return [token.value for token in language.tokenize(query) if _is_field(token, Field.COLLECTION)]


def _is_field(token: Token, field: Field) -> bool:
    return token.field is not None and language.find_field(token.field) is field


def rename_in_query(query: str, field: Field, old_key: str, new_name: str) -> str:
    """The search with one tag or collection renamed; the rest stays as written."""
    parts, at = [], 0
    for token in language.tokenize(query):
        if _is_field(token, field) and make_tag_key(token.value) == old_key:
            parts += [query[at : token.position], f"{field}:{language.quote(new_name)}"]
            at = token.end
    return "".join([*parts, query[at:]])


def rename_tag_in_searches(tx: WriteTx, old_key: str, new_name: str, *, now_ms: int) -> None:
    """Rename a tag in the search of every smart collection, in the transaction that renames the tag."""
    _rename_in_searches(tx, Field.TAG, old_key, new_name, now_ms)


def _rename_in_searches(tx: WriteTx, field: Field, old_key: str, new_name: str, now_ms: int) -> None:
    for one in read_collection_names(tx):
        after = None if one.query is None else rename_in_query(one.query, field, old_key, new_name)
        if after != one.query:
            queries.set_query(tx, one.id, after, now_ms=now_ms)


def report_changes(tx: WriteTx, rows: list[RowChange]) -> None:
    """Record which collections have changed items, so that open views of them reload."""
    tx.changes.collections.update(row.value("collection_id") for row in rows if row.table == "collection_items")
