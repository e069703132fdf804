"""Compiles a resolved tree to SQL: clauses from a closed set, values as parameters.

`build_condition` is over `live_generations AS l`. It defines the meaning of a query; the index must agree. An unknown
value (NULL) matches no condition, so it matches every negated condition.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from mysticanvas.domain.query import Interval, Order, Sort, State, Thing
from mysticanvas.search.resolve import (
    Amount,
    Both,
    Either,
    Everything,
    Flag,
    Folders,
    Ids,
    InCollections,
    Models,
    Ratios,
    Seed,
    Sides,
    Span,
    Spelling,
    Tags,
    Tree,
    Uses,
    Without,
    Words,
    escape_glob,
)

# The index evaluates the same expressions when it is loaded.
GRID = "(g.is_grid <> 0)"
HAS_PROMPT = "coalesce(g.prompt <> '', 0)"
HAS_NEGATIVE = "coalesce(g.negative_prompt <> '', 0)"
HAS_NOTES = "coalesce(g.notes <> '', 0)"
HAS_PARENT = "(g.parent_id IS NOT NULL OR g.parent_uuid IS NOT NULL)"
HAS_WORKFLOW = "EXISTS (SELECT 1 FROM generation_workflows AS w WHERE w.generation_id = l.id)"
FILE_NAME = "lower(replace(f.path, rtrim(f.path, replace(f.path, '/', '')), ''))"

_OF_GENERATION = "EXISTS (SELECT 1 FROM generations AS g WHERE g.id = l.id AND {0})"
# The files whose folders path: finds: the shown one, and copies that exist.
SHOWN_COPY = "kind = 'copy' AND f.missing_at IS NULL AND f.is_excluded = 0"
_IN_FOLDERS = (
    "(EXISTS (SELECT 1 FROM generation_files AS f WHERE f.generation_id = l.id AND f.kind = 'final' AND {0})"
    " OR EXISTS (SELECT 1 FROM generation_files AS f WHERE f.generation_id = l.id AND f.{1} AND {0}))"
)
_USES_ROLE = "EXISTS (SELECT 1 FROM generation_models AS u WHERE u.generation_id = l.id AND u.role = '{0}')"
_FLAGS: dict[State | Thing, str] = {
    State.FAVORITE: "l.is_favorite = 1",
    State.MISSING: "l.flags & 1 <> 0",
    State.DAMAGED: "l.flags & 2 <> 0",
    State.ANIMATED: "l.flags & 4 <> 0",
    State.TOO_LARGE: "l.flags & 8 <> 0",
    State.GRID: _OF_GENERATION.format(GRID),
    Thing.WORKFLOW: HAS_WORKFLOW,
    Thing.PROMPT: _OF_GENERATION.format(HAS_PROMPT),
    Thing.NEGATIVE: _OF_GENERATION.format(HAS_NEGATIVE),
    Thing.NOTES: _OF_GENERATION.format(HAS_NOTES),
    Thing.SEED: _OF_GENERATION.format("g.seed IS NOT NULL"),
    Thing.MODEL: _OF_GENERATION.format("g.model_id IS NOT NULL"),
    Thing.PARENT: _OF_GENERATION.format(HAS_PARENT),
    Thing.LORA: _USES_ROLE.format("lora"),
    Thing.VAE: _USES_ROLE.format("vae"),
    Thing.TAG: "EXISTS (SELECT 1 FROM image_tags AS t WHERE t.generation_id = l.id)",
    Thing.RATING: "l.rating > 0",
}
_WORDS_SET = "l.id IN (SELECT rowid FROM generations_fts WHERE generations_fts MATCH {0})"
_WORDS_PROBE = "EXISTS (SELECT 1 FROM generations_fts WHERE generations_fts MATCH {0} AND rowid = l.id)"
_TAGS_SET = "l.id IN (SELECT t.generation_id FROM image_tags AS t WHERE t.tag_id IN ({0}))"
_TAGS_PROBE = "EXISTS (SELECT 1 FROM image_tags AS t WHERE t.tag_id IN ({0}) AND t.generation_id = l.id)"
_COLLECTED_SET = "l.id IN (SELECT c.generation_id FROM collection_items AS c WHERE c.collection_id IN ({0}))"
_COLLECTED_PROBE = (
    "EXISTS (SELECT 1 FROM collection_items AS c WHERE c.collection_id IN ({0}) AND c.generation_id = l.id)"
)
_MODELS_SET = "l.id IN (SELECT g.id FROM generations AS g WHERE g.model_id IN ({0}))"
_MODELS_PROBE = _OF_GENERATION.format("g.model_id IN ({0})")
_USES_SET = "l.id IN (SELECT u.generation_id FROM generation_models AS u WHERE u.model_id IN ({0}) AND {1})"
_USES_PROBE = (
    "EXISTS (SELECT 1 FROM generation_models AS u WHERE u.model_id IN ({0}) AND u.generation_id = l.id AND {1})"
)
_SEED_SET = "l.id IN (SELECT g.id FROM generations AS g WHERE g.seed = {0})"
_SEED_PROBE = _OF_GENERATION.format("g.seed = {0}")
_ADDED_SET = "l.id IN (SELECT g.id FROM generations AS g WHERE {0})"
_AMOUNTS = {
    "rating": "({0}) IS TRUE",
    "pixels": "({0}) IS TRUE",
    "steps": _OF_GENERATION.format("{0}"),
    "cfg": _OF_GENERATION.format("{0}"),
    "added": _OF_GENERATION.format("{0}"),
    "explicit": "EXISTS (SELECT 1 FROM pictures AS p WHERE p.content_hash = l.content_hash AND {0})",
}
_AMOUNT_COLUMNS = {
    "rating": "l.rating",
    "pixels": "l.width_px * l.height_px",
    "steps": "g.steps",
    "cfg": "g.cfg_scale",
    "added": "g.imported_at",
    "explicit": "p.explicit",
}
_SIDES = {
    "=": "(l.width_px = {0} AND l.height_px = {1}) IS TRUE",
    ">=": "(l.width_px >= {0} AND l.height_px >= {1}) IS TRUE",
    "<=": "(l.width_px <= {0} AND l.height_px <= {1}) IS TRUE",
    ">": "(l.width_px > {0} AND l.height_px > {1}) IS TRUE",
    "<": "(l.width_px < {0} AND l.height_px < {1}) IS TRUE",
}
_SPELLED = {"sampler": "lower(g.sampler) GLOB {0}", "engine": "lower(g.engine_name) GLOB {0}"}
_IN_ROOT = "f.root_id = {0}"
_IN_FOLDER = "lower(f.path) GLOB {0}"

# The sort keys that no database index stores. Ties are sorted newest first.
PIXELS = "coalesce(l.width_px * l.height_px, 0)"
_PLACE = """coalesce((SELECT min(c.position)
                             FROM collection_items AS c
                            WHERE c.collection_id IN ({0}) AND c.generation_id = l.id), 1e300)"""
_PRIME = 2_147_483_647


@dataclass(slots=True)
class Values:
    """Parameters by name. `bind` adds a value and returns its placeholder."""

    by_name: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        name = f"v{len(self.by_name)}"
        self.by_name[name] = value
        return f":{name}"


def build_condition(tree: Tree, values: Values, *, probe: bool) -> str:
    """A condition over `live_generations AS l` that is never NULL. `probe`: fast for each of a few rows, as for a page;
    otherwise fast over all rows."""
    match tree:
        case Both(parts):
            return " AND ".join(_build_part(part, values, probe) for part in parts)
        case Either(parts):
            return " OR ".join(_build_part(part, values, probe) for part in parts)
        case Without(part):
            return f"NOT ({build_condition(part, values, probe=probe)})"
        case Everything():
            return "TRUE"
        case Words(phrase):
            return (_WORDS_PROBE if probe else _WORDS_SET).format(values.bind(phrase.match))
        case Tags(ids):
            return (_TAGS_PROBE if probe else _TAGS_SET).format(_bind_ids(ids, values))
        case InCollections(ids):
            return (_COLLECTED_PROBE if probe else _COLLECTED_SET).format(_bind_ids(ids, values))
        case Models(ids):
            return (_MODELS_PROBE if probe else _MODELS_SET).format(_bind_ids(ids, values))
        case Uses(role, ids, weight):
            return (_USES_PROBE if probe else _USES_SET).format(
                _bind_ids(ids, values), _build_use(role, weight, values)
            )
        case Seed(value):
            return (_SEED_PROBE if probe else _SEED_SET).format(values.bind(value))
        case Amount("added", interval) if not probe:
            return _ADDED_SET.format(build_interval("g.imported_at", interval, values))
        case _:
            return _build_column_condition(tree, values)


def _build_part(part: Tree, values: Values, probe: bool) -> str:
    text = build_condition(part, values, probe=probe)
    return f"({text})" if isinstance(part, Both | Either) else text


def _build_column_condition(
    leaf: Ids | Span | Amount | Sides | Ratios | Flag | Spelling | Folders, values: Values
) -> str:
    match leaf:
        case Ids(ids):
            return f"l.id IN ({_bind_ids(ids, values)})"
        case Span(first, until):
            ends = [] if first is None else [f"l.id >= {values.bind(first)}"]
            ends += [] if until is None else [f"l.id < {values.bind(until)}"]
            return f"({' AND '.join(ends)})"
        case Amount(column, interval):
            return _AMOUNTS[column].format(build_interval(_AMOUNT_COLUMNS[column], interval, values))
        case Sides(operator, width, height):
            return _SIDES[operator].format(values.bind(width), values.bind(height))
        case Ratios(low, high):
            return f"l.ratio_milli BETWEEN {values.bind(low)} AND {values.bind(high)}"
        case Flag(what):
            return _FLAGS[what]
        case Spelling(column, pattern):
            return _OF_GENERATION.format(_SPELLED[column].format(values.bind(_escape_pattern(pattern))))
        case Folders(places):
            inside = " OR ".join(_build_folder(*place, values) for place in places)
            return _IN_FOLDERS.format(f"({inside})", SHOWN_COPY)


def _bind_ids(ids: tuple[int, ...], values: Values) -> str:
    """The IDs for use in IN. A single ID is bound directly, so that the planner knows that its rows are in order."""
    if len(ids) == 1:
        return values.bind(ids[0])
    return f"SELECT value FROM json_each({values.bind(json.dumps(ids))})"  # noqa: S608 - a name


def _build_use(role: str, weight: Interval | None, values: Values) -> str:
    in_role = f"u.role = {values.bind(role)}"
    return in_role if weight is None else f"{in_role} AND {build_interval('u.weight', weight, values)}"


def build_interval(column: str, interval: Interval, values: Values) -> str:
    ends = []
    if interval.low is not None:
        ends.append(f"{column} {'>' if interval.without_low else '>='} {values.bind(interval.low)}")
    if interval.high is not None:
        ends.append(f"{column} {'<' if interval.without_high else '<='} {values.bind(interval.high)}")
    return " AND ".join(ends)


def _escape_pattern(pattern: str) -> str:
    return "*".join(escape_glob(part) for part in pattern.split("*"))


def _build_folder(root: int | None, folder: str, values: Values) -> str:
    conditions = [] if root is None else [_IN_ROOT.format(values.bind(root))]
    if folder:
        conditions.append(_IN_FOLDER.format(values.bind(_escape_pattern(folder) + "/*")))
    return f"({' AND '.join(conditions)})"


# -- order ------------------------------------------------------------------------------------


def compute_shuffle_factors(seed: int) -> tuple[int, int]:
    """Two factors derived from the seed of a random order. SQL and the index both compute with them in 62 bits."""
    mixed = (seed * 2_654_435_761 + 0x9E3779B9) % _PRIME
    return 1 + mixed % (_PRIME - 1), 1 + (mixed * 48_271) % (_PRIME - 1)


def find_ordering_collections(tree: Tree) -> tuple[int, ...]:
    """The manual collections that define the order MANUAL: those of the first collection term in the tree."""
    match tree:
        case InCollections(ids):
            return ids
        case Both(parts) | Either(parts):
            return next((found for part in parts if (found := find_ordering_collections(part))), ())
        case _:
            return ()


def build_order_key(sort: Sort, tree: Tree, values: Values) -> str:
    """The sort expression for SIZE, NAME, MANUAL and RANDOM. NAME needs `generation_files AS f`."""
    if sort.by is Order.SIZE:
        return f"-{PIXELS}"
    if sort.by is Order.NAME:
        return f"coalesce({FILE_NAME}, '')"
    if sort.by is Order.MANUAL:
        return _PLACE.format(_bind_ids(find_ordering_collections(tree), values))
    first, second = (values.bind(factor) for factor in compute_shuffle_factors(sort.seed or 0))
    # The remainder of a negative id is negative in SQLite.
    once = f"((l.id % {_PRIME} + {_PRIME}) % {_PRIME} * {first} % {_PRIME})"
    # There is no XOR in SQLite.
    mixed = f"(({once} | ({once} >> 15)) - ({once} & ({once} >> 15)))"
    return f"({mixed} * {second} % {_PRIME})"
