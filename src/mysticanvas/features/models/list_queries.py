"""Lists models for display: each model once, with the number of images made with it."""

import json
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.features.models import file_queries, group_queries

# Counting the links of a million images takes a quarter of a second.
LIST_LIMIT_MS = 10_000


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model. `images` counts images outside the Trash. `doubtful` of them refer to the model by name only. `path` and
    `bytes` are null for a model that is only known from images. `missing`: its file was not found by the last scan.
    `hashed`: its file has been hashed. `preview`: it has a preview image. `problem` says why its header could not be
    read, and is null otherwise."""

    id: int
    kind: str
    name: str
    family: str | None
    trigger_words: list[str]
    title: str | None
    path: str | None
    bytes: int | None
    missing: bool
    hashed: bool
    preview: bool
    problem: str | None
    images: int
    doubtful: int


@dataclass(frozen=True, slots=True)
class ModelHash:
    """`kind` is the algorithm, such as sha256 or autov2. `source` says where the hash is from."""

    kind: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class MergedModel:
    """An entry merged into this model; `merged_by` is hash, name or user."""

    id: int
    kind: str
    name: str
    merged_by: str


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a model, with its absolute path. `problem` says why its header could not be read; null otherwise."""

    path: str
    bytes: int
    problem: str | None
    hashed: bool
    missing: bool


@dataclass(frozen=True, slots=True)
class ModelDetail:
    """`about` is what the header and the sidecars of the file contain. `entries` are merged into this model."""

    model: ModelSummary
    about: dict[str, Any]
    hashes: list[ModelHash]
    files: list[ListedFile]
    entries: list[MergedModel]


_SELECT_MODELS = """
        WITH linked AS (
                 SELECT model_id, count(*) AS images, sum(sure) AS sure
                   FROM generation_models
                  GROUP BY model_id),
             hidden AS (
                 SELECT id FROM generations INDEXED BY generations_in_trash WHERE deleted_at IS NOT NULL
                  UNION
                 SELECT id FROM generations INDEXED BY generations_excluded WHERE excluded_at IS NOT NULL),
             trashed AS (
                 SELECT u.model_id, count(*) AS images, sum(u.sure) AS sure
                   FROM hidden AS g
                        -- From the few hidden images to their links, never the other way round.
                        CROSS JOIN generation_models AS u ON u.generation_id = g.id
                  GROUP BY u.model_id),
             counted AS (
                 SELECT coalesce(m.merged_into, m.id) AS id, sum(l.images - coalesce(t.images, 0)) AS images,
                        sum(iif(m.merged_by IS 'name', 0, l.sure - coalesce(t.sure, 0))) AS sure
                   FROM linked AS l
                        JOIN models AS m ON m.id = l.model_id
                        LEFT JOIN trashed AS t ON t.model_id = l.model_id
                  GROUP BY coalesce(m.merged_into, m.id)),
             present AS (
                 SELECT coalesce(m.merged_into, m.id) AS id, min(f.missing_at IS NOT NULL) AS missing,
                        max(f.hashed_at IS NOT NULL) AS hashed, max(f.preview IS NOT NULL) AS preview,
                        max(f.problem) AS problem, max(f.bytes) AS bytes, min(m.file_path) AS path
                   FROM model_files AS f
                        JOIN models AS m ON m.id = f.model_id
                  GROUP BY coalesce(m.merged_into, m.id))
        SELECT m.id, m.kind, m.name, m.base_family AS family, m.metadata_json, p.path, p.bytes,
               coalesce(p.missing, 0) AS missing, coalesce(p.hashed, 0) AS hashed,
               coalesce(p.preview, 0) AS preview, p.problem, coalesce(c.images, 0) AS images,
               coalesce(c.images - c.sure, 0) AS doubtful
          FROM models AS m
               LEFT JOIN counted AS c ON c.id = m.id
               LEFT JOIN present AS p ON p.id = m.id
         WHERE m.merged_into IS NULL AND (p.id IS NOT NULL OR c.images > 0)
"""


def list_models(tx: ReadTx, *, kind: str | None) -> list[ModelSummary]:
    """The models of a kind (None: all kinds), most used first. Models without files and images are excluded."""
    rows = tx.all(
        _SELECT_MODELS + " AND (:kind IS NULL OR m.kind = :kind) ORDER BY m.kind, images DESC, lower(m.name), m.id",
        kind=kind,
    )
    return [_build_summary(row) for row in rows]


def load_detail(tx: ReadTx, model_id: int) -> ModelDetail:
    """The model that this entry belongs to. Raises `NotFoundError`."""
    shown = group_queries.find_main_entry(tx, model_id)
    row = tx.one(_SELECT_MODELS + " AND m.id = :shown", shown=shown)
    if row is None:
        raise NotFoundError(f"There is no model {model_id} in this library.")
    about = json.loads(row["metadata_json"])
    members = tx.all(
        "SELECT id, kind, name, merged_by FROM models WHERE merged_into = :shown ORDER BY id",
        shown=shown,
    )
    entries = [MergedModel(**member) for member in members]
    hashes = group_queries.list_hashes(tx, [shown, *(entry.id for entry in entries)])
    return ModelDetail(
        model=_build_summary(row),
        about={key: value for key, value in about.items() if key != "trigger_words"},
        hashes=[ModelHash(*one) for one in hashes],
        files=[
            ListedFile(f.path, f.bytes, f.problem, f.hashed, f.missing)
            for f in file_queries.list_model_files(tx, shown)
        ],
        entries=entries,
    )


def find_by_name(tx: ReadTx, name: str, *, kind: str | None) -> list[int]:
    """The models with this name, ignoring case."""
    return tx.column(
        """
        SELECT DISTINCT coalesce(merged_into, id)
          FROM models
         WHERE lower(name) = lower(:name) AND (:kind IS NULL OR kind = :kind)
         ORDER BY 1
        """,
        name=name,
        kind=kind,
    )


def _build_summary(row: dict[str, Any]) -> ModelSummary:
    about = json.loads(row.pop("metadata_json"))
    flags = {name: bool(row[name]) for name in ("missing", "hashed", "preview")}
    return ModelSummary(
        **(row | flags | {"trigger_words": about.get("trigger_words", []), "title": about.get("title")})
    )
