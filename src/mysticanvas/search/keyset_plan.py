"""Plans keyset pages in order of IDs, newest or oldest first, without sorting.

Each condition whose IDs are stored in order can drive the query: the images of a tag or model, the matches of words.
The rarest required condition drives; the others filter each of its rows. If none can drive, the live images do.
Alternatives (OR) are a union, which SQLite merges in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import BEFORE_ALL_IDS
from mysticanvas.domain.query import State
from mysticanvas.search.resolve import (
    Amount,
    Both,
    Either,
    Everything,
    Flag,
    Ids,
    InCollections,
    Models,
    Seed,
    Span,
    Tags,
    Tree,
    Uses,
    Without,
    Words,
)
from mysticanvas.search.sql import Values, build_condition

# The rows of a source are counted up to this limit to find the rarest.
MAX_COUNTED = 2_000
# Each arm of a union adds a small cost per row.
MAX_ARMS = 16
STARS = 5


@dataclass(frozen=True, slots=True)
class Arm:
    """The rows of a table that match `only` (with its `values`), in order of the column `id`."""

    table: str
    id: str
    only: str = "TRUE"
    values: tuple[object, ...] = ()

    def where(self, values: Values) -> str:
        return self.only.format(*map(values.bind, self.values))

    @property
    def is_live(self) -> bool:
        return self.id == "l.id"


@dataclass(frozen=True, slots=True)
class Source:
    """Arms that together contain every image of a condition; if `whole`, they contain no other image."""

    arms: tuple[Arm, ...]
    whole: bool = True


_EVERYTHING = Arm("live_generations AS l", "l.id")
_FAVORITES = Arm("live_generations AS l INDEXED BY live_favorites", "l.id", "l.is_favorite = 1")
# SQLite uses the partial index only if the rating is a literal.
_RATED = [
    Arm("live_generations AS l INDEXED BY live_rated", "l.id", f"l.rating = {n} AND l.rating > 0")
    for n in range(1, STARS + 1)
]
_WORDS = Arm("generations_fts AS s", "s.rowid", "generations_fts MATCH {0}")
_TAG = Arm("image_tags AS s", "s.generation_id", "s.tag_id = {0}")
_COLLECTED = Arm("collection_items AS s", "s.generation_id", "s.collection_id = {0}")
# With few distinct values, statistics would make the planner scan the wide table instead.
_MODEL = Arm("generations AS s INDEXED BY generations_by_model", "s.id", "s.model_id = {0}")
_USE = Arm("generation_models AS s", "s.generation_id", "s.model_id = {0} AND s.role = {1}")
_SEED = Arm("generations AS s INDEXED BY generations_by_seed", "s.id", "s.seed = {0}")
_IMAGE = Arm("live_generations AS l", "l.id", "l.id = {0}")


def read_page_ids(tx: ReadTx, tree: Tree, *, after: int | None, limit: int, oldest_first: bool = False) -> list[int]:
    """The next `limit` IDs after the ID `after`; from the first if None."""
    first, until, parts = _extract_bounds(tree)
    if after is not None and oldest_first:
        first = max(first, after + 1)
    elif after is not None:
        until = min(until, after)
    values = Values()
    bounds = values.bind(first), values.bind(until)
    arms, rest = _choose_driver(tx, parts)
    if not arms or first >= until:
        return []
    selects = " UNION ".join(_build_select(arm, rest, bounds, values) for arm in arms)
    direction = "ASC" if oldest_first else "DESC"
    order = arms[0].id if len(arms) == 1 else "1"
    return tx.column(f"{selects} ORDER BY {order} {direction} LIMIT {values.bind(limit)}", **values.by_name)


def is_direct(tree: Tree) -> bool:
    """Whether a page needs no scan: the query has no condition, or one that a table stores in order."""
    parts = _extract_bounds(tree)[2]
    if not parts:
        return True
    source = _find_source(parts[0])
    return len(parts) == 1 and source is not None and source.whole


def _build_select(arm: Arm, rest: Sequence[Tree], bounds: tuple[str, str], values: Values) -> str:
    conditions = [arm.where(values), f"{arm.id} >= {bounds[0]} AND {arm.id} < {bounds[1]}"]
    if rest:
        conditions.append(build_condition(Both(tuple(rest)), values, probe=True))
    # CROSS JOIN fixes the join order: the arm in the outer loop, the live row looked up by ID.
    table = arm.table if arm.is_live else f"{arm.table} CROSS JOIN live_generations AS l ON l.id = {arm.id}"
    return f"SELECT {arm.id} FROM {table} WHERE {' AND '.join(conditions)}"  # noqa: S608 - a closed set of pieces


def _extract_bounds(tree: Tree) -> tuple[int, int, list[Tree]]:
    """Required time spans become bounds of the IDs. Returns (first, until, other required conditions)."""
    first, until = BEFORE_ALL_IDS, 1 << 62
    parts: list[Tree] = []
    for part in tree.parts if isinstance(tree, Both) else (tree,):
        match part:
            case Span(begin, end):
                first = first if begin is None else max(first, begin)
                until = until if end is None else min(until, end)
            case Everything():
                pass
            case _:
                parts.append(part)
    return first, until, parts


def _choose_driver(tx: ReadTx, parts: list[Tree]) -> tuple[tuple[Arm, ...], list[Tree]]:
    """The arms that drive, and the conditions that remain to filter each row."""
    found: list[tuple[Source, list[Tree]]] = []
    if any(isinstance(part, Words) for part in parts):
        found.append(_combine_words(parts))
    for at, part in enumerate(parts):
        source = None if isinstance(part, Words) else _find_source(part)
        if source is not None:
            found.append((source, parts[:at] + parts[at + 1 :] if source.whole else parts))
    if not found:
        return (_EVERYTHING,), parts
    # Words come first, so they win a tie: they are the most expensive to check per row.
    source, rest = found[0] if len(found) == 1 else min(found, key=lambda one: _count_rows(tx, one[0]))
    return source.arms, rest


def _combine_words(parts: list[Tree]) -> tuple[Source, list[Tree]]:
    """All words as one FTS5 expression, and the other conditions."""
    included = [part.phrase.match for part in parts if isinstance(part, Words)]
    excluded = [part.part.phrase.match for part in parts if isinstance(part, Without) and isinstance(part.part, Words)]
    match = " AND ".join(f"({one})" for one in included) + "".join(f" NOT ({one})" for one in excluded)
    rest: list[Tree] = [
        part
        for part in parts
        if not isinstance(part, Words) and not (isinstance(part, Without) and isinstance(part.part, Words))
    ]
    return Source((replace(_WORDS, values=(match,)),)), rest


def _find_source(part: Tree) -> Source | None:
    """The source of a condition; None if no efficient one contains every image of the condition."""
    match part:
        case Words(phrase):
            arms = [replace(_WORDS, values=(phrase.match,))]
        case Tags(ids):
            arms = [replace(_TAG, values=(tag,)) for tag in ids]
        case InCollections(ids):
            arms = [replace(_COLLECTED, values=(collection,)) for collection in ids]
        case Models(ids):
            arms = [replace(_MODEL, values=(model,)) for model in ids]
        case Uses(role, ids, weight):
            uses = tuple(replace(_USE, values=(model, role)) for model in ids)
            return Source(uses, whole=weight is None) if len(uses) <= MAX_ARMS else None
        case Seed(value):
            arms = [replace(_SEED, values=(value,))]
        case Ids(ids):
            arms = [replace(_IMAGE, values=(image,)) for image in ids]
        case Flag(State.FAVORITE):
            arms = [_FAVORITES]
        case Amount("rating", interval) if interval.low is not None and interval.low >= 1:
            high = STARS if interval.high is None else int(interval.high)
            arms = _RATED[int(interval.low) - 1 + interval.without_low : high]
        case Either(parts):
            return _combine_sources(parts)
        case Both(parts):
            return next((replace(found, whole=False) for one in parts if (found := _find_source(one))), None)
        case _:
            return None
    return Source(tuple(arms)) if len(arms) <= MAX_ARMS else None


def _combine_sources(parts: Sequence[Tree]) -> Source | None:
    sources = [_find_source(part) for part in parts]
    known = [source for source in sources if source is not None]
    arms = tuple(arm for source in known for arm in source.arms)
    if len(known) < len(sources) or len(arms) > MAX_ARMS:
        return None
    return Source(arms, whole=all(source.whole for source in known))


def _count_rows(tx: ReadTx, source: Source) -> int:
    """The number of rows in the source, at most COUNTED."""
    total = 0
    for arm in source.arms:
        values = Values()
        inner = f"SELECT 1 FROM {arm.table} WHERE {arm.where(values)} LIMIT {MAX_COUNTED}"  # noqa: S608 - as above
        total += int(tx.value(f"SELECT count(*) FROM ({inner})", **values.by_name))  # noqa: S608
    return min(total, MAX_COUNTED)
