"""A query as versioned JSON, as stored in smart collections. Equivalent to the query text."""

import dataclasses
from collections.abc import Callable
from typing import Any as Json

from mysticanvas.domain.errors import QueryError
from mysticanvas.domain.query import (
    AddedBetween,
    All,
    Any,
    Field,
    Has,
    HasShape,
    Interval,
    Is,
    LooksLikeImage,
    LooksLikeText,
    MadeBetween,
    NamedValue,
    Node,
    Not,
    Number,
    Order,
    Query,
    Ratio,
    Shape,
    Similar,
    SimilarMeaning,
    SimilarPrompt,
    Size,
    Sort,
    State,
    Term,
    Text,
    Thing,
)
from mysticanvas.search import language

VERSION = 1
_KINDS: dict[str, type[Term]] = {
    "text": Text,
    "named": NamedValue,
    "number": Number,
    "made": MadeBetween,
    "added": AddedBetween,
    "size": Size,
    "ratio": Ratio,
    "shape": HasShape,
    "is": Is,
    "has": Has,
}
_SIMILAR: dict[type[Similar], str] = {
    SimilarMeaning: "text",
    SimilarPrompt: "uuid",
    LooksLikeText: "looks",
    LooksLikeImage: "looks_like",
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def write(query: Query) -> dict[str, Json]:
    """The query as JSON values. Omits what is not set."""
    written: dict[str, Json] = {"version": VERSION}
    if query.where is not None:
        written["where"] = _write_node(query.where)
    if query.similar is not None:
        written["similar"] = {_SIMILAR[type(query.similar)]: next(iter(_write_values(query.similar).values()))}
    if query.sort is not None:
        written["sort"] = _write_values(query.sort)
    return written


def read(value: Json) -> Query:
    """Raises `QueryError` for any value that `write` does not produce."""
    try:
        if value["version"] != VERSION:
            raise QueryError(
                "This search was saved by a newer version of MystiCanvas. Update MystiCanvas to use it.", 0
            )
        where = _read_node(value["where"], 0) if "where" in value else None
        sort = Sort(Order(value["sort"]["by"]), value["sort"].get("seed")) if "sort" in value else None
        query = Query(where, sort, _read_similar(value["similar"]) if "similar" in value else None)
        # Every value must be one that the query text can express.
        if language.parse(language.write(query)) != query:
            raise ValueError(value)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, StopIteration) as error:
        raise QueryError("This saved search is invalid. Save it again.", 0) from error
    return query


def _write_node(node: Node) -> dict[str, Json]:
    match node:
        case All(parts):
            return {"all": [_write_node(part) for part in parts]}
        case Any(parts):
            return {"any": [_write_node(part) for part in parts]}
        case Not(part):
            return {"not": _write_node(part)}
        case _:
            return {_NAMES[type(node)]: _write_values(node)}


def _read_similar(value: Json) -> Similar:
    [(name, given)] = value.items()
    return next(kind for kind, ours in _SIMILAR.items() if ours == name)(given)


def _write_values(term: Term | Sort | Interval | Similar) -> dict[str, Json]:
    values = {field.name: getattr(term, field.name) for field in dataclasses.fields(term)}
    return {
        name: _write_values(value) if isinstance(value, Interval) else value
        for name, value in values.items()
        if value is not None and value is not False
    }


def _read_node(value: Json, depth: int) -> Node:
    [(kind, inside)] = value.items()
    if depth > 2 * language.MAX_DEPTH:
        raise ValueError(kind)
    if kind == "all":
        return All(tuple(_read_node(part, depth + 1) for part in inside))
    if kind == "any":
        return Any(tuple(_read_node(part, depth + 1) for part in inside))
    if kind == "not":
        return Not(_read_node(inside, depth + 1))
    return _READERS[kind](inside)


def _read_interval(value: Json) -> Interval:
    low, high = (float(value[end]) if end in value else None for end in ("low", "high"))
    return Interval(low, high, value.get("without_low", False), value.get("without_high", False))


_READERS: dict[str, Callable[[Json], Term]] = {
    "text": lambda v: Text(v["text"], Field(v["field"]) if "field" in v else None),
    "named": lambda v: NamedValue(
        Field(v["field"]), v["value"], _read_interval(v["weight"]) if "weight" in v else None
    ),
    "number": lambda v: Number(Field(v["field"]), _read_interval(v["interval"])),
    "made": lambda v: MadeBetween(v.get("first"), v.get("last")),
    "added": lambda v: AddedBetween(v.get("first"), v.get("last")),
    "size": lambda v: Size(v["operator"], v["width"], v["height"]),
    "ratio": lambda v: Ratio(v["width"], v["height"]),
    "shape": lambda v: HasShape(Shape(v["shape"])),
    "is": lambda v: Is(State(v["state"])),
    "has": lambda v: Has(Thing(v["thing"])),
}
