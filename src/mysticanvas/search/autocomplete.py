"""Autocomplete for a query: fields, and their values with counts."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mysticanvas.domain.errors import QueryError
from mysticanvas.domain.query import (
    AddedBetween,
    Field,
    Has,
    Is,
    NamedValue,
    Node,
    Order,
    Query,
    Shape,
    State,
    Thing,
    all_of,
)
from mysticanvas.domain.tag import make_tag_key
from mysticanvas.search import facets, fields, language
from mysticanvas.search.engine import Finder

OFFERS = 12
# The limit for each field while no field is typed.
OFFERS_PER_FIELD = 4
_UNNAMED = (Field.TAG, Field.MODEL, Field.LORA)
_ADDED = [AddedBetween(time, time) for time in ("1h", "24h", "today", "yesterday", "7d", "30d")]
_BEGUN = re.compile(r'(?P<minus>-?)(?:(?P<field>[A-Za-z_]+):)?(?P<quote>"?)(?P<value>.*)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Offer:
    """`text` replaces the typed text. `count` is the number of images that the query would find; None if it was not
    counted."""

    text: str
    label: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Completion:
    """Offers for the characters [start, end) of the query. `stands` is whether the typed term is valid as it is and
    finds images."""

    start: int
    end: int
    stands: bool
    offers: list[Offer]


def complete(finder: Finder, text: str, at: int) -> Completion:
    """Complete the term at the cursor, which is before the character `at`. Accepts any text."""
    at = max(0, min(at, len(text)))
    start, end = _find_term(text, at)
    begun = _BEGUN.fullmatch(text[start:at])
    assert begun is not None
    rest = _parse_rest(text[:start] + " " + text[end:])
    minus, name, value = begun["minus"], begun["field"], begun["value"]
    if name is None:
        offers = [] if begun["quote"] else [*_offer_fields(value), *_offer_any_values(finder, rest, value)]
    else:
        field = language.find_field(name)
        offers = [] if field is None else list(_offer_values(finder, rest, field, value))
    shown = [Offer(minus + o.text, o.label, o.count) for o in offers if minus + o.text != text[start:end]]
    stands = name is None or _finds_images(finder, rest, text[start:end].removeprefix("-"))
    return Completion(start, end, stands, shown)


def _finds_images(finder: Finder, rest: Query, term: str) -> bool:
    try:
        written = language.parse(term)
    except QueryError:
        return False
    parts = [part for part in (rest.where, written.where) if part is not None]
    return finder.count(Query(all_of(parts) if parts else None)) > 0


def _find_term(text: str, at: int) -> tuple[int, int]:
    """The range [start, end) of the term at the cursor."""
    start, quoted = 0, False
    for place, character in enumerate(text[:at]):
        if character == '"' and text[place - 1 : place] != "\\":
            quoted = not quoted
        elif not quoted and (character.isspace() or character == "("):
            start = place + 1
    end = at
    while end < len(text) and not text[end].isspace() and text[end] not in '()"':
        end += 1
    return start, end


def _parse_rest(text: str) -> Query:
    try:
        return language.parse(text)
    except QueryError:
        return Query()


def _offer_fields(beginning: str) -> Iterable[Offer]:
    for field in Field:
        # Also for the beginning of the former name.
        if any(name.startswith(beginning.lower()) for name in (field.written, field.value)):
            yield Offer(f"{field.written}:", fields.EXAMPLES[field], None)


def _offer_any_values(finder: Finder, rest: Query, value: str) -> Iterable[Offer]:
    if len(value) < 2 and value.isascii():
        return
    found = finder.facets(rest, _UNNAMED, containing=value, limit=OFFERS_PER_FIELD)
    for field in _UNNAMED:
        for one in found[field]:
            yield Offer(one.text, one.value, one.count)
    yield from _offer_collections(finder, rest, value, OFFERS_PER_FIELD)


def _offer_values(finder: Finder, rest: Query, field: Field, value: str) -> Iterable[Offer]:
    match field:
        case Field.IS:
            return _offer_choices(finder, rest, value, [Is(state) for state in State], field)
        case Field.HAS:
            return _offer_choices(finder, rest, value, [Has(thing) for thing in Thing], field)
        case Field.ADDED:
            return _offer_choices(finder, rest, value, _ADDED, field)
        case Field.COLLECTION:
            return _offer_collections(finder, rest, value, OFFERS)
        case Field.SORT:
            orders = [o for o in Order if o is not Order.SIMILARITY or rest.similar is not None]
            return [Offer(f"sort:{o}", o.value, None) for o in orders if o.startswith(value.lower())]
        case _ if field in facets.FIELDS:
            found = finder.facets(rest, [field], containing=value.lstrip("<>="), limit=OFFERS)[field]
            shapes = [Offer(f"size:{s}", s.value, None) for s in Shape if field is Field.SIZE and s.startswith(value)]
            return [*shapes, *(Offer(one.text, one.value, one.count) for one in found)]
        case _:
            return [Offer(fields.EXAMPLES[field], fields.EXAMPLES[field], None)] if not value else []


def _offer_collections(finder: Finder, rest: Query, value: str, limit: int) -> Iterable[Offer]:
    begun = make_tag_key(value)
    keys = {name: make_tag_key(name) for name in finder.collection_names()}
    found = [name for name, key in keys.items() if begun in key]
    for name in sorted(found, key=lambda name: (not keys[name].startswith(begun), keys[name]))[:limit]:
        node = NamedValue(Field.COLLECTION, name)
        yield Offer(language.format_node(node), name, _count_with(finder, rest, node))


def _count_with(finder: Finder, rest: Query, node: Node) -> int | None:
    parts = [node] if rest.where is None else [rest.where, node]
    return finder.count(Query(all_of(parts))) if finder.warm else None


def _offer_choices(finder: Finder, rest: Query, value: str, nodes: Sequence[Node], field: Field) -> Iterable[Offer]:
    for node in nodes:
        text = language.format_node(node)
        if text.startswith(f"{field.written}:{value.lower()}"):
            yield Offer(text, text.partition(":")[2], _count_with(finder, rest, node))
