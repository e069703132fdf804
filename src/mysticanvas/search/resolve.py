"""Resolves the names in a query to IDs.

Both SQL and the index evaluate the resolved tree, so names mean the same in both. The names of models, tags and
collections can change, so they are looked up again for each query.
"""

import functools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Union

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images import generations, word_index
from mysticanvas.db.images.word_index import Phrase
from mysticanvas.domain.errors import QueryError
from mysticanvas.domain.generation import SECONDS_OF_2010
from mysticanvas.domain.query import (
    AddedBetween,
    All,
    Any,
    ComputedImages,
    Field,
    Has,
    HasShape,
    Interval,
    Is,
    MadeBetween,
    NamedValue,
    Node,
    Not,
    Number,
    Query,
    Ratio,
    Shape,
    Size,
    State,
    Term,
    Text,
    Thing,
)
from mysticanvas.domain.tag import make_tag_key
from mysticanvas.domain.text import fold_text, make_name_key
from mysticanvas.search import days, language
from mysticanvas.search.collection_names import CollectionName, read_collection_names

# The beginning of a UUID can match several images.
MAX_BY_UUID = 1_000
# A search for a date in the future finds at most this many images.
MAX_FUTURE_IMAGES = 10_000
# Of a query, including the smart collections that it refers to.
MAX_LEAVES = 500
_COLUMN_OF_TEXT = {Field.PROMPT: "prompt", Field.NEGATIVE: "negative_prompt", Field.NOTES: "notes"}
_ROLES = {
    Field.LORA: "lora",
    Field.VAE: "vae",
    Field.REFINER: "refiner",
    Field.EMBEDDING: "embedding",
    Field.CONTROLNET: "controlnet",
    Field.UPSCALER: "upscaler",
}
_RATIOS_MILLI = {Shape.PORTRAIT: (0, 999), Shape.SQUARE: (1000, 1000), Shape.LANDSCAPE: (1001, 65_535)}


@dataclass(frozen=True, slots=True)
class Words:
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class Everything:
    pass


@dataclass(frozen=True, slots=True)
class Tags:
    """Has one of these tags."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class InCollections:
    """In one of these manual collections."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Models:
    """Generated with one of these checkpoints."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Uses:
    """Generated with one of these models in this role, with a weight in the interval (None: any)."""

    role: str
    ids: tuple[int, ...]
    weight: Interval | None = None


@dataclass(frozen=True, slots=True)
class Ids:
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """`first` <= ID < `until`; None for an open end. IDs begin with the second of creation."""

    first: int | None
    until: int | None


@dataclass(frozen=True, slots=True)
class Amount:
    """`column` is "rating", "steps", "cfg", "explicit", "pixels", or "added" in Unix milliseconds."""

    column: str
    interval: Interval


@dataclass(frozen=True, slots=True)
class Sides:
    operator: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Ratios:
    """Width / height × 1000, ends included."""

    low_milli: int
    high_milli: int


@dataclass(frozen=True, slots=True)
class Flag:
    """A state of an image, or a property that it has."""

    what: State | Thing


@dataclass(frozen=True, slots=True)
class Spelling:
    """`column` is "sampler" or "engine". `pattern` is in ASCII lower case; * matches any text."""

    column: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Folders:
    """In one of these folders: (ID of an added folder or None for any; pattern of the path within it in ASCII lower
    case, "" for all)."""

    places: tuple[tuple[int | None, str], ...]


@dataclass(frozen=True, slots=True)
class Seed:
    value: str


Leaf = (
    Words
    | Everything
    | Tags
    | InCollections
    | Models
    | Uses
    | Ids
    | Span
    | Amount
    | Sides
    | Ratios
    | Flag
    | Spelling
    | Folders
    | Seed
)


@dataclass(frozen=True, slots=True)
class Both:
    """Matches all parts."""

    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Without:
    part: "Tree"


Tree = Union[Leaf, Both, Either, Without]  # noqa: UP007 - refers to itself


def resolve(tx: ReadTx, query: Query) -> Tree:
    """The query as a tree over the current IDs. Raises `QueryError`."""
    known = query.known or ComputedImages()
    tree = _Resolver(tx, known).resolve(query)
    return tree if known.similar is None else Both((tree, Ids(known.similar)))


class _Resolver:
    """Resolves one query, including smart collections that it refers to. Each is resolved once."""

    def __init__(self, tx: ReadTx, known: ComputedImages) -> None:
        self._tx = tx
        self._known = known
        self._within: list[CollectionName] = []
        self._smart: dict[int, tuple[Tree, int]] = {}
        self._leaves = 0

    @functools.cached_property
    def _collections(self) -> list[CollectionName]:
        return read_collection_names(self._tx)

    def resolve(self, query: Query) -> Tree:
        return Everything() if query.where is None else self._resolve(query.where)

    def _resolve(self, node: Node) -> Tree:
        match node:
            case All(parts):
                return Both(tuple(self._resolve(part) for part in parts))
            case Any(parts):
                return Either(tuple(self._resolve(part) for part in parts))
            case Not(part):
                return Without(self._resolve(part))
            case NamedValue(Field.COLLECTION, name):
                return self._resolve_collection(name)
            case Is(State.DUPLICATE):
                self._count(1)
                return Ids(self._known.duplicates)
            case _:
                self._count(1)
                return _resolve_leaf(self._tx, node)

    def _resolve_collection(self, name: str) -> Tree:
        """The images in all manual and smart collections with this name."""
        found = find_collections(self._collections, name)
        manual = tuple(sorted(one.id for one in found if one.query is None))
        smart = tuple(self._resolve_smart(one, one.query) for one in found if one.query is not None)
        self._count(1)
        if not smart:
            return InCollections(manual)
        parts = (InCollections(manual), *smart) if manual else smart
        return parts[0] if len(parts) == 1 else Either(parts)

    def _resolve_smart(self, one: CollectionName, query: str) -> Tree:
        if one in self._within:
            path = [inner.name for inner in (*self._within[self._within.index(one) :], one)]
            raise QueryError(f"This collection contains itself: {' → '.join(path)}. Change one of these searches.", 0)
        if one.id not in self._smart:
            before, self._leaves = self._leaves, 0
            self._within.append(one)
            tree = self.resolve(_parse_search(one, query))
            self._within.pop()
            self._smart[one.id] = tree, self._leaves
            self._leaves = before
        tree, leaves = self._smart[one.id]
        self._count(leaves)
        return tree

    def _count(self, leaves: int) -> None:
        self._leaves += leaves
        if self._leaves > MAX_LEAVES:
            raise QueryError(
                f"Including the searches of its smart collections, this search has more than {MAX_LEAVES} terms. "
                "Remove some.",
                0,
            )


def _parse_search(one: CollectionName, query: str) -> Query:
    try:
        parsed = language.parse(query)
    except QueryError as error:
        raise QueryError(f"The search of the collection “{one.name}” is invalid: {error}", 0) from error
    if parsed.similar is not None:
        raise QueryError(
            f"The collection “{one.name}” is a similarity search, which cannot be part of another search.", 0
        )
    return parsed


def find_collections(collections: Sequence[CollectionName], name: str) -> list[CollectionName]:
    """The collections with this name or UUID; `*` matches any text."""
    pattern = make_tag_key(name)
    return [one for one in collections if matches_pattern(pattern, make_tag_key(one.name)) or one.uuid == name]


def _resolve_leaf(tx: ReadTx, term: Term) -> Tree:
    match term:
        case Text(text, field):
            words = word_index.tokenize(tx, fold_text(text))
            # Text with only punctuation matches everything.
            return Words(Phrase(words, _COLUMN_OF_TEXT[field] if field else None)) if words else Everything()
        case NamedValue():
            return _resolve_name(tx, term)
        case Number(field, interval):
            return _resolve_amount(field, interval)
        case MadeBetween():
            return _resolve_days(tx, *days.to_seconds(term))
        case AddedBetween():
            return Amount("added", days.to_interval_ms(term))
        case Size(operator, width, height):
            return Sides(operator, width, height)
        case Ratio(width, height):
            return Ratios(-(-990 * width // height), 1010 * width // height)
        case HasShape(shape):
            return Ratios(*_RATIOS_MILLI[shape])
        case Is(state):
            return Flag(state)
        case Has(thing):
            return Flag(thing)


def _resolve_amount(field: Field, interval: Interval) -> Amount:
    if field is not Field.MP:
        return Amount(field.value, interval)
    low, high = (None if end is None else end * 1e6 for end in (interval.low, interval.high))
    return Amount("pixels", Interval(low, high, interval.without_low, interval.without_high))


def _resolve_days(tx: ReadTx, first_s: int | None, until_s: int | None) -> Tree:
    """The images of a time span. IDs do not follow dates in the future, so those images are listed."""
    first, until = (None if end is None else find_first_id(end) for end in (first_s, until_s))
    ahead = generations.list_in_future(tx, first_s=first_s, until_s=until_s, limit=MAX_FUTURE_IMAGES)
    return Either((Span(first, until), Ids(tuple(ahead)))) if ahead else Span(first, until)


def find_first_id(second: int) -> int:
    """The first ID of this Unix second."""
    return (second - SECONDS_OF_2010) << 8


def _resolve_name(tx: ReadTx, term: NamedValue) -> Leaf:
    match term.field:
        case Field.TAG:
            return Tags(_find_tag_ids(tx, term.value))
        case Field.MODEL:
            return Models(_find_model_ids(tx, "checkpoint", term.value))
        case Field.SEED:
            return Seed(term.value)
        case Field.ID:
            return Ids(find_by_uuid(tx, term.value))
        case Field.SAMPLER | Field.ENGINE:
            return Spelling(term.field.value, lower_ascii(term.value))
        case Field.PATH:
            return Folders(tuple(_find_folders(tx, lower_ascii(term.value))))
        case field:
            return Uses(_ROLES[field], _find_model_ids(tx, _ROLES[field], term.value), term.weight)


def lower_ascii(text: str) -> str:
    """Like SQLite's lower()."""
    return re.sub("[A-Z]+", lambda match: match[0].lower(), text)


def _find_model_ids(tx: ReadTx, kind: str, name: str) -> tuple[int, ...]:
    """The IDs of the models with this name, compared by `name_key`. A merged model is found by any of its names."""
    pattern = make_name_key(name)
    rows = list(tx.rows("SELECT id, name, coalesce(merged_into, id) FROM models WHERE kind = :kind", kind=kind))
    heads = {head for _, spelled, head in rows if matches_pattern(pattern, make_name_key(spelled))}
    return tuple(sorted(entry for entry, _, head in rows if head in heads))


def matches_pattern(pattern: str, text: str) -> bool:
    """Whether the text matches the pattern; * matches any text. Like GLOB, but in linear time."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _find_tag_ids(tx: ReadTx, name: str) -> tuple[int, ...]:
    """The IDs of the tags with this name or alias."""
    key = make_tag_key(name)
    if "*" in key:
        return _find_tags_like(tx, key)
    found = tx.column(
        """
        SELECT id FROM tags WHERE normalized_name = :key
         UNION ALL
        SELECT tag_id FROM tag_aliases WHERE normalized_name = :key
        """,
        key=key,
    )
    return tuple(sorted(set(found)))


def _find_tags_like(tx: ReadTx, key: str) -> tuple[int, ...]:
    pattern = "*".join(escape_glob(part) for part in re.split(r"\*+", key))
    found = tx.column(
        """
        SELECT id FROM tags WHERE normalized_name GLOB :pattern
         UNION ALL
        SELECT tag_id FROM tag_aliases WHERE normalized_name GLOB :pattern
        """,
        pattern=pattern,
    )
    return tuple(sorted(set(found)))


def escape_glob(text: str) -> str:
    """A GLOB pattern that matches only this text."""
    return re.sub(r"([*?\[])", r"[\1]", text)


def find_by_uuid(tx: ReadTx, beginning: str) -> tuple[int, ...]:
    """The IDs of the images whose UUID begins with this text, ascending."""
    found = tx.column(
        "SELECT id FROM generations WHERE uuid >= :beginning AND uuid < :beginning || '~' LIMIT :limit",
        beginning=beginning,
        limit=MAX_BY_UUID,
    )
    return tuple(sorted(found))


def _find_folders(tx: ReadTx, folder: str) -> Iterable[tuple[int | None, str]]:
    """The folder as a path within any added folder, and as an absolute path."""
    yield None, folder
    for row in tx.all("SELECT id, path FROM roots"):
        root = lower_ascii(row["path"].replace("\\", "/")).rstrip("/")
        if root == folder or root.startswith(folder + "/"):
            yield row["id"], ""
        elif folder.startswith(root + "/"):
            yield row["id"], folder[len(root) + 1 :]


# -- unknown names ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name in a query that does not exist. `nearest` is the most similar existing name."""

    field: Field
    value: str
    nearest: str | None


def find_unknown_names(tx: ReadTx, query: Query) -> list[UnknownName]:
    """The names in the query that do not exist, so that the user can be told about a typo."""
    found = []
    for term in query.terms:
        if isinstance(term, NamedValue):
            leaf = _resolve_existing(tx, term)
            if isinstance(leaf, Tags | InCollections | Models | Uses) and not leaf.ids:
                found.append(UnknownName(term.field, term.value, _find_nearest(tx, term)))
    return found


def _resolve_existing(tx: ReadTx, term: NamedValue) -> Leaf:
    if term.field is not Field.COLLECTION:
        return _resolve_name(tx, term)
    return InCollections(tuple(one.id for one in find_collections(read_collection_names(tx), term.value)))


def _find_nearest(tx: ReadTx, term: NamedValue) -> str | None:
    if term.field is Field.COLLECTION:
        names = [one.name for one in read_collection_names(tx)]
    elif term.field is Field.TAG:
        names = tx.column("SELECT name FROM tags WHERE normalized_name >= :begin AND normalized_name < :begin || '~' "
                          "LIMIT 5000", begin=make_tag_key(term.value)[:1])  # fmt: skip
    else:
        kind = _ROLES.get(term.field, "checkpoint")
        names = tx.column("SELECT DISTINCT name FROM models WHERE kind = :kind", kind=kind)
    by_key = {make_name_key(name): name for name in names}
    near = get_close_matches(make_name_key(term.value), list(by_key), 1, 0.5)
    if not near:
        near = [key for key in by_key if make_name_key(term.value) in key][:1]
    return by_key[near[0]] if near else None


def dump_ids(ids: Iterable[int]) -> str:
    return json.dumps(list(ids))
