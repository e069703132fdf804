"""Reads the data of the index from the database, in batches or by ID.

SQLite concatenates each column into one text, which NumPy parses. This is five times faster than reading rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.model import ModelKind
from mysticanvas.search import sql
from mysticanvas.search.columns import NONE

BATCH_IMAGES = 50_000
"""The number of images per batch. A batch contains a few megabytes of text."""

# The bits of the column `has`.
HAS = {
    "grid": sql.GRID,
    "prompt": sql.HAS_PROMPT,
    "negative": sql.HAS_NEGATIVE,
    "notes": sql.HAS_NOTES,
    "parent": sql.HAS_PARENT,
    "workflow": sql.HAS_WORKFLOW,
    "seed": "g.seed IS NOT NULL",
}
_HAS = " | ".join(f"(({condition}) << {bit})" for bit, condition in enumerate(HAS.values()))
_COLUMNS = f"""
    l.id, l.ratio_milli, l.is_favorite AS favorite, l.rating, l.flags, coalesce(l.width_px, -1) AS width,
    coalesce(l.height_px, -1) AS height, coalesce(g.model_id, 0) AS model, g.seed,
    coalesce(g.steps, {NONE}) AS steps, iif(g.cfg_scale IS NULL, 'nan', printf('%!.17g', g.cfg_scale)) AS cfg,
    iif(p.explicit IS NULL, 'nan', printf('%!.17g', p.explicit)) AS explicit, g.sampler, g.engine_name AS engine,
    coalesce(f.root_id, 0) AS root, coalesce(f.path, '') AS path, {_HAS} AS has, g.imported_at AS added,
    (SELECT iif(count(*), json_group_array(json_array(f.root_id, f.path)), NULL) || ''
       FROM generation_files AS f
      WHERE f.generation_id = l.id AND f.{sql.SHOWN_COPY}) AS copies
"""  # noqa: S608 - a condition of search/sql.py
_TABLES = """
    live_generations AS l
    JOIN generations AS g ON g.id = l.id
    LEFT JOIN generation_files AS f ON f.generation_id = l.id AND f.kind = 'final'
    LEFT JOIN pictures AS p ON p.content_hash = l.content_hash
"""
_NUMBERS = (
    "id", "ratio_milli", "favorite", "rating", "flags", "width", "height", "model", "steps", "root", "has", "added"
)  # fmt: skip
_FRACTIONS = ("cfg", "explicit")
_TEXTS = ("seed", "sampler", "engine", "path", "copies")
_strings = msgspec.json.Decoder(list[str | None])


@dataclass(frozen=True, slots=True)
class Images:
    """Parallel columns in ascending order of IDs: integers, fractions (NaN: unknown) and texts. The
    text `copies` is JSON: [folder ID, path] of each copy that exists and is not excluded, None for none."""

    numbers: dict[str, NDArray[np.int64]]
    fractions: dict[str, NDArray[np.float64]]
    texts: dict[str, list[str | None]]

    def __len__(self) -> int:
        return len(self.numbers["id"])


ROLES = tuple(kind.value for kind in ModelKind)
_ROLE = "CASE role " + " ".join(f"WHEN '{role}' THEN {number}" for number, role in enumerate(ROLES)) + " END"


def encode_model(role: str, model: int) -> int:
    """The code of a model in a role: a small integer, because model IDs are row IDs of a small table."""
    return model * len(ROLES) + ROLES.index(role)


@dataclass(frozen=True, slots=True)
class Links:
    """Parallel columns; entries of one image are adjacent. The code of a tag is its ID, the code of a model in a role
    is `encode_model`."""

    images: NDArray[np.int64]
    codes: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None


def count_rows(tx: ReadTx) -> tuple[int, int, int]:
    """The numbers of live images, of their tags and of their models (without checkpoints)."""
    tables = ("live_generations", "image_tags", "generation_models WHERE role <> 'checkpoint'")
    images, tags, uses = (int(tx.value(f"SELECT count(*) FROM {table}")) for table in tables)  # noqa: S608 - of three
    return images, tags, uses


def read_next_images(tx: ReadTx, *, after: int) -> Images:
    """The next batch of live images after the ID `after`."""
    return _read_images(tx, "l.id > :after ORDER BY l.id LIMIT :run", after=after, run=BATCH_IMAGES)


def read_images(tx: ReadTx, ids: Sequence[int]) -> Images:
    """The live images among these IDs."""
    condition = "l.id IN (SELECT value FROM json_each(:ids)) ORDER BY l.id"
    return _read_images(tx, condition, ids=json.dumps(list(ids)))


def _read_images(tx: ReadTx, condition: str, **values: Any) -> Images:
    gathered = ", ".join([f"group_concat({name}) AS {name}" for name in (*_NUMBERS, *_FRACTIONS)])
    gathered += "".join(f", json_group_array({name}) AS {name}" for name in _TEXTS)
    row = tx.all(
        f"SELECT {gathered} FROM (SELECT {_COLUMNS} FROM {_TABLES} WHERE {condition})",  # noqa: S608 - all our own
        **values,
    )[0]
    return Images(
        {name: _parse_numbers(row[name]) for name in _NUMBERS},
        {name: np.fromstring(row[name] or "", np.float64, sep=",") for name in _FRACTIONS},
        {name: _strings.decode(row[name]) for name in _TEXTS},
    )


def _parse_numbers(text: str | None) -> NDArray[np.int64]:
    return np.fromstring(text or "", np.int64, sep=",")


def read_tags_between(tx: ReadTx, first: int, last: int) -> Links:
    """The tags of images with `first` <= ID <= `last`."""
    return _read_tags(tx, "generation_id BETWEEN :first AND :last", first=first, last=last)


def read_tags(tx: ReadTx, ids: Sequence[int]) -> Links:
    return _read_tags(tx, "generation_id IN (SELECT value FROM json_each(:ids))", ids=json.dumps(list(ids)))


def _read_tags(tx: ReadTx, condition: str, **values: Any) -> Links:
    row = tx.all(
        f"""
        SELECT group_concat(generation_id) AS images, group_concat(tag_id) AS tags
          FROM (SELECT generation_id, tag_id
                  FROM image_tags INDEXED BY image_tags_of
                 WHERE {condition}
                 ORDER BY generation_id)
        """,  # noqa: S608 - one of two conditions
        **values,
    )[0]
    return Links(_parse_numbers(row["images"]), _parse_numbers(row["tags"]))


# Checkpoints are excluded: they are a column of their own.
def read_uses_between(tx: ReadTx, first: int, last: int) -> Links:
    return _read_uses(tx, "generation_id BETWEEN :first AND :last", first=first, last=last)


def read_uses(tx: ReadTx, ids: Sequence[int]) -> Links:
    return _read_uses(tx, "generation_id IN (SELECT value FROM json_each(:ids))", ids=json.dumps(list(ids)))


def _read_uses(tx: ReadTx, condition: str, **values: Any) -> Links:
    row = tx.all(
        f"""
        SELECT group_concat(generation_id) AS images, group_concat(model_id * {len(ROLES)} + {_ROLE}) AS codes,
               group_concat(iif(weight IS NULL, 'nan', printf('%!.17g', weight))) AS weights
          FROM (SELECT generation_id, model_id, role, weight
                  FROM generation_models INDEXED BY generation_models_of
                 WHERE {condition} AND role <> 'checkpoint'
                 ORDER BY generation_id)
        """,  # noqa: S608 - one of two conditions
        **values,
    )[0]
    weights = np.fromstring(row["weights"] or "", np.float64, sep=",")
    return Links(_parse_numbers(row["images"]), _parse_numbers(row["codes"]), weights)


def read_collection(tx: ReadTx, collection: int) -> NDArray[np.int64]:
    """The IDs of all images in a manual collection, ascending, including trashed images."""
    return _parse_numbers(
        tx.value(
            """
            SELECT group_concat(generation_id)
              FROM (SELECT generation_id FROM collection_items WHERE collection_id = :collection ORDER BY generation_id)
            """,
            collection=collection,
        )
    )


def list_memberships(tx: ReadTx, ids: Sequence[int]) -> list[tuple[int, int]]:
    """(image, manual collection) for each membership of these images."""
    sql_text = """
        SELECT generation_id, collection_id
          FROM collection_items
         WHERE generation_id IN (SELECT value FROM json_each(:ids))
    """
    return [(image, collection) for image, collection in tx.rows(sql_text, ids=json.dumps(list(ids)))]


def read_manual_order(tx: ReadTx, collections: Sequence[int]) -> NDArray[np.int64]:
    """The IDs of the images in these collections, in the user's order. Images at the same position: newest first."""
    return _parse_numbers(
        tx.value(
            """
            SELECT group_concat(generation_id)
              FROM (SELECT generation_id
                      FROM collection_items
                     WHERE collection_id IN (SELECT value FROM json_each(:collections))
                     GROUP BY generation_id
                     ORDER BY min(position), generation_id DESC)
            """,
            collections=json.dumps(list(collections)),
        )
    )


def find_words(tx: ReadTx, match: str) -> NDArray[np.int64]:
    """The IDs that match an FTS5 expression, ascending."""
    return _parse_numbers(
        tx.value(
            """
            SELECT group_concat(rowid)
              FROM (SELECT rowid FROM generations_fts WHERE generations_fts MATCH :match ORDER BY rowid)
            """,
            match=match,
        )
    )


def read_name_order(tx: ReadTx) -> NDArray[np.int64]:
    """The IDs of all live images by file name. Equal names: newest first."""
    return _parse_numbers(
        tx.value(
            f"""
            SELECT group_concat(id)
              FROM (SELECT l.id
                      FROM live_generations AS l
                           LEFT JOIN generation_files AS f ON f.generation_id = l.id AND f.kind = 'final'
                     ORDER BY coalesce({sql.FILE_NAME}, ''), l.id DESC)
            """  # noqa: S608 - an expression of search/sql.py
        )
    )
