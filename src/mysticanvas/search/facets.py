"""Facets: the values of a field among the matches of a query, with exact counts, from the index or from SQL."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.query import Field, Interval, MadeBetween, NamedValue, Node, Number, Order, Query, Size, Sort
from mysticanvas.domain.text import make_name_key
from mysticanvas.search import index_loader, language, paging, timeline
from mysticanvas.search.matches import Found
from mysticanvas.search.resolve import Both, dump_ids, lower_ascii, resolve
from mysticanvas.search.sql import SHOWN_COPY, Values, build_condition

FIELDS = (
    Field.MODEL,
    Field.LORA,
    Field.TAG,
    Field.ENGINE,
    Field.SAMPLER,
    Field.SIZE,
    Field.RATING,
    Field.PATH,
    Field.DATE,
    Field.VAE,
    Field.REFINER,
    Field.EMBEDDING,
    Field.CONTROLNET,
    Field.UPSCALER,
)
_USED = (Field.LORA, Field.VAE, Field.REFINER, Field.EMBEDDING, Field.CONTROLNET, Field.UPSCALER)


@dataclass(frozen=True, slots=True)
class FacetValue:
    """`text` is the query term that filters by this value."""

    value: str
    count: int
    text: str


def find_field(name: str) -> Field:
    """The field with this name. Raises `InvalidInputError` for a field without facets."""
    field = language.find_field(name)
    if field not in FIELDS:
        names = ", ".join(one.written for one in FIELDS)
        raise InvalidInputError(f"The field “{name}” has no facets. Use one of: {names}.")
    return field


def count_in_index(tx: ReadTx, found: Found, field: Field, *, containing: str = "", limit: int) -> list[FacetValue]:
    """The values that contain the text, most used first (months newest first, folders by path)."""
    if field is Field.TAG:
        return _select_values(field, _count_tags(tx, found, None if containing else limit), containing, limit)
    return _select_values(field, _INDEX_COUNTERS[field](tx, found), containing, limit)


def count_in_sql(tx: ReadTx, query: Query, field: Field, *, containing: str = "", limit: int) -> list[FacetValue]:
    """Like `count_in_index`, but slower."""
    return _select_values(field, _SQL_COUNTERS[field](tx, query), containing, limit)


def _select_values(field: Field, counts: dict[str, int], containing: str, limit: int) -> list[FacetValue]:
    key = make_name_key(containing)
    items = [(value, count) for value, count in counts.items() if count and (not key or key in make_name_key(value))]
    if field is Field.DATE:
        items.sort(reverse=True)
    elif field is Field.PATH:
        items.sort()
    else:
        items.sort(key=lambda item: (-item[1], item[0]))
    return [FacetValue(value, count, language.format_node(build_term(field, value))) for value, count in items[:limit]]


def build_term(field: Field, value: str) -> Node:
    match field:
        case Field.RATING:
            return Number(field, Interval(float(value), float(value)))
        case Field.SIZE:
            width, _, height = value.partition("x")
            return Size("=", int(width), int(height))
        case Field.DATE:
            return MadeBetween(value, value)
        case _:
            return NamedValue(field, value)


# -- from the index ---------------------------------------------------------------------------

_TAG_NAMES = "SELECT t.id, t.name FROM json_each(:ids) AS wanted JOIN tags AS t ON t.id = wanted.value"


def _group_models(tx: ReadTx, kind: str) -> dict[str, list[int]]:
    """The IDs of the models of a kind by name. Entries that a query treats as one model (equal `name_key`, merged
    entries) are grouped."""
    found: dict[str, tuple[str, list[int]]] = {}
    rows = tx.all(
        """
        SELECT m.id, coalesce(k.name, m.name) AS name
          FROM models AS m
               LEFT JOIN models AS k ON k.id = m.merged_into
         WHERE m.kind = :kind
         ORDER BY coalesce(k.name, m.name), m.id
        """,
        kind=kind,
    )
    for row in rows:
        found.setdefault(make_name_key(row["name"]), (row["name"], []))[1].append(row["id"])
    return dict(found.values())


def _count_models(tx: ReadTx, found: Found) -> dict[str, int]:
    counts = np.bincount(found.state.columns["model"][found.positions])
    return {
        name: int(sum(counts[model] for model in ids if model < len(counts)))
        for name, ids in _group_models(tx, "checkpoint").items()
    }


def _build_model_counter(role: str) -> Callable[[ReadTx, Found], dict[str, int]]:
    def counted(tx: ReadTx, found: Found) -> dict[str, int]:
        state = found.state
        counts = state.model_lists.counts(found.mask, found.positions, state.alive_count)
        values = {}
        for name, ids in _group_models(tx, role).items():
            codes = [code for model in ids if (code := index_loader.encode_model(role, model)) < len(counts)]
            # An image may use several entries of the same model.
            several = len(codes) > 1
            values[name] = _count_with_any(found, codes) if several else sum(int(counts[code]) for code in codes)
        return values

    return counted


def _count_with_any(found: Found, codes: Sequence[int]) -> int:
    positions = np.unique(np.concatenate([found.state.model_lists.find_with(code)[0] for code in codes]))
    return int(np.count_nonzero(found.mask[positions]))


def _count_tags(tx: ReadTx, found: Found, most: int | None) -> dict[str, int]:
    """The counts by tag name. `most`: at least this number of the most used tags, without counting all; None: all."""
    state = found.state
    if most is not None and (few := state.most_used_tags(found.mask, found.positions, most)) is not None:
        return _count_by_name(tx, _TAG_NAMES, few)
    counts = state.tag_lists.counts(found.mask, found.positions, state.alive_count)
    least = 1
    if most is not None and 0 < most < len(counts):
        least = max(1, int(np.partition(counts, len(counts) - most)[len(counts) - most]))
    return _count_by_name(tx, _TAG_NAMES, {tag: int(counts[tag]) for tag in np.flatnonzero(counts >= least).tolist()})


def _count_by_name(tx: ReadTx, names: str, counts: dict[int, int]) -> dict[str, int]:
    """The counts by name instead of by ID. Counts of equal names are added."""
    total: Counter[str] = Counter()
    for row in tx.rows(names, ids=dump_ids(counts)):
        total[row[1]] += counts[row[0]]
    return total


def _build_code_counter(
    column: str, names: Callable[[Found], Sequence[str | None]]
) -> Callable[[ReadTx, Found], dict[str, int]]:
    def counted(_: ReadTx, found: Found) -> dict[str, int]:
        counts = np.bincount(found.state.columns[column][found.positions])
        values = names(found)
        used = np.flatnonzero(counts).tolist()
        return _merge_cases(
            (value, int(counts[code])) for code, value in ((c, values[c]) for c in used) if value is not None
        )

    return counted


def _merge_cases(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add the counts of values that differ only in case, which a query treats as equal."""
    shown: dict[str, str] = {}
    total: Counter[str] = Counter()
    for value, count in counts:
        key = lower_ascii(value)
        shown[key] = min(shown.get(key, value), value)
        total[key] += count
    return {shown[key]: count for key, count in total.items()}


def _format_sizes(found: Found) -> list[str | None]:
    return [f"{width}x{height}" if width >= 0 <= height else None for width, height in found.state.columns.sizes.values]


def _count_folders(tx: ReadTx, found: Found) -> dict[str, int]:
    counts = np.bincount(found.state.columns["folder"][found.positions])
    folders = found.state.columns.folders.values
    return _count_subtrees(tx, ((folders[code], int(counts[code])) for code in np.flatnonzero(counts).tolist()))


def _count_months(_: ReadTx, found: Found) -> dict[str, int]:
    return dict(timeline.count_months(found.ascending[0]))


_INDEX_COUNTERS: dict[Field, Callable[[ReadTx, Found], dict[str, int]]] = {
    Field.MODEL: _count_models,
    **{field: _build_model_counter(field.value) for field in _USED},
    Field.ENGINE: _build_code_counter("engine", lambda found: found.state.columns.engines.values),
    Field.SAMPLER: _build_code_counter("sampler", lambda found: found.state.columns.samplers.values),
    Field.SIZE: _build_code_counter("size", _format_sizes),
    Field.RATING: _build_code_counter("rating", lambda _: [str(stars) for stars in range(6)]),
    Field.PATH: _count_folders,
    Field.DATE: _count_months,
}


def _count_subtrees(tx: ReadTx, sets: Iterable[tuple[Sequence[tuple[int, str]], int]]) -> dict[str, int]:
    """The counts by folder path, including subfolders. `sets` are ((ID of an added folder, path within it) of each file
    of an image, number of such images)."""
    root_paths = {row["id"]: row["path"].rstrip("/") for row in tx.all("SELECT id, path FROM roots")}
    counts: Counter[str] = Counter()
    for folders, count in sets:
        for path in {path for root, folder in folders for path in _list_subtrees(root_paths.get(root), folder)}:
            counts[path] += count
    return counts


def _list_subtrees(root_path: str | None, folder: str) -> Iterable[str]:
    """The path of a folder and of each folder above it."""
    parts = ([] if root_path is None else [root_path]) + (folder.split("/") if folder else [])
    return filter(None, ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1)))


# -- from SQL ---------------------------------------------------------------------------------
# CROSS JOIN fixes the join order: matching images in the outer loop, counted values in the inner loop.

_GROUPS = {
    Field.TAG: "SELECT j.name, count(*) FROM live_generations AS l "
    "CROSS JOIN image_tags AS i ON i.generation_id = l.id "
    "CROSS JOIN tags AS j ON j.id = i.tag_id WHERE {0} GROUP BY j.name",
    Field.ENGINE: "SELECT j.engine_name, count(*) FROM live_generations AS l "
    "CROSS JOIN generations AS j ON j.id = l.id "
    "WHERE j.engine_name IS NOT NULL AND {0} GROUP BY j.engine_name",
    Field.SAMPLER: "SELECT j.sampler, count(*) FROM live_generations AS l "
    "CROSS JOIN generations AS j ON j.id = l.id "
    "WHERE j.sampler IS NOT NULL AND {0} GROUP BY j.sampler",
    Field.SIZE: "SELECT l.width_px || 'x' || l.height_px, count(*) FROM live_generations AS l "
    "WHERE l.width_px >= 0 AND l.height_px >= 0 AND {0} GROUP BY 1",
    Field.RATING: "SELECT CAST(l.rating AS TEXT), count(*) FROM live_generations AS l WHERE {0} GROUP BY 1",
}
_NAMED = "WITH named (id, name) AS MATERIALIZED (SELECT CAST(key AS INTEGER), value FROM json_each(:names)) "
_MODELS = f"""{_NAMED}
    SELECT n.name, count(*)
      FROM live_generations AS l
           CROSS JOIN generations AS j ON j.id = l.id
           CROSS JOIN named AS n ON n.id = j.model_id
     WHERE {{0}}
     GROUP BY n.name
"""  # noqa: S608 - a condition of search/sql.py goes into it
_USES = f"""{_NAMED}
    SELECT n.name, count(DISTINCT l.id)
      FROM live_generations AS l
           CROSS JOIN generation_models AS j ON j.generation_id = l.id AND j.role = :role
           CROSS JOIN named AS n ON n.id = j.model_id
     WHERE {{0}}
     GROUP BY n.name
"""  # noqa: S608 - a condition of search/sql.py goes into it
_FOLDERS = f"""
    SELECT folders, count(*)
      FROM (SELECT json_group_array(
                       json_array(coalesce(f.root_id, 0), rtrim(rtrim(f.path, replace(f.path, '/', '')), '/'))
                   ) AS folders
              FROM live_generations AS l
                   CROSS JOIN generation_files AS f ON f.generation_id = l.id AND (f.kind = 'final' OR f.{SHOWN_COPY})
             WHERE {{0}}
             GROUP BY l.id)
     GROUP BY folders
"""  # noqa: S608 - a condition of search/sql.py goes into it


def _build_sql_counter(text: str) -> Callable[[ReadTx, Query], dict[str, int]]:
    return lambda tx, query: _merge_cases((str(value), count) for value, count in _run_query(tx, text, query))


def _build_sql_model_counter(text: str, role: str) -> Callable[[ReadTx, Query], dict[str, int]]:
    def counted(tx: ReadTx, query: Query) -> dict[str, int]:
        names = {model: name for name, ids in _group_models(tx, role).items() for model in ids}
        return dict(_run_query(tx, text, query, names=json.dumps(names), role=role))

    return counted


def _run_query(tx: ReadTx, text: str, query: Query, **given: str) -> Iterable[tuple[Any, ...]]:
    values = Values(dict(given))
    where = build_condition(Both((resolve(tx, query),)), values, probe=False)
    return tx.rows(text.format(where), **values.by_name)


def _count_folders_in_sql(tx: ReadTx, query: Query) -> dict[str, int]:
    return _count_subtrees(tx, ((json.loads(folders), count) for folders, count in _run_query(tx, _FOLDERS, query)))


def _count_months_in_sql(tx: ReadTx, query: Query) -> dict[str, int]:
    return dict(timeline.count_months(paging.find_ids(tx, replace(query, sort=Sort(Order.NEWEST)))[::-1]))


_SQL_COUNTERS: dict[Field, Callable[[ReadTx, Query], dict[str, int]]] = {
    **{field: _build_sql_counter(text) for field, text in _GROUPS.items()},
    Field.MODEL: _build_sql_model_counter(_MODELS, "checkpoint"),
    **{field: _build_sql_model_counter(_USES, field.value) for field in _USED},
    Field.PATH: _count_folders_in_sql,
    Field.DATE: _count_months_in_sql,
}
