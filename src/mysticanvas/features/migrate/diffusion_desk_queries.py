"""Reads the database of DiffusionDesk, the C++ predecessor of MystiCanvas.

Source: its own schema, versions 1 to 4 (`src/orchestrator/database.cpp` of Danmoreng/diffusion-desk). It
stores 512 × 512, 20 steps, CFG scale 7 and seed 0 when a request does not set them. These defaults are not migrated.
"""

import json
from datetime import UTC, datetime
from typing import Any

from mysticanvas.db import snapshot_copy
from mysticanvas.db.database import ReadTx
from mysticanvas.domain.text import clean_text
from mysticanvas.features.migrate.types import ForeignImage, ForeignTag, ForeignTemplate, SkippedItems
from mysticanvas.formats.json_text import load_object

NAME = "DiffusionDesk"
SOURCE = "diffusion-desk"
_NEEDED = frozenset(("uuid", "file_path", "timestamp", "prompt", "params_json"))
# Column, the keys of the request that set its value, and its default.
_DEFAULTS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("seed", ("seed",), 0),
    ("width", ("width",), 512),
    ("height", ("height",), 512),
    ("steps", ("steps", "sample_steps"), 20),
    ("cfg_scale", ("cfg_scale",), 7.0),
)
_OWN_KEYS = {"prompt", "negative_prompt", "model", "model_hash", "uuid", "file_path", "parent_uuid"}
# Stored as settings, so that nothing is lost, until they are supported.
UNSUPPORTED_TABLES = ("models", "model_metadata", "image_presets", "llm_presets")


def is_gallery(tx: ReadTx) -> bool:
    return "generations" in snapshot_copy.list_tables(tx) and snapshot_copy.list_columns(tx, "generations") >= _NEEDED


def count_images(tx: ReadTx) -> int:
    return int(tx.value("SELECT count(*) FROM generations"))


def list_images(tx: ReadTx, *, after: int, limit: int) -> tuple[list[ForeignImage], int | None]:
    """The next images, in the order of their ids, and the `after` for the next call; None at the end."""
    rows = tx.all("SELECT * FROM generations WHERE id > :after ORDER BY id LIMIT :limit", after=after, limit=limit)
    tags = _read_tags(tx, [row["id"] for row in rows])
    found = [_parse_image(row, tags.get(row["id"], ())) for row in rows]
    return found, rows[-1]["id"] if len(rows) == limit else None


def list_templates(tx: ReadTx) -> list[ForeignTemplate]:
    existing_tables = snapshot_copy.list_tables(tx)
    # All columns are read, because they differ between versions.
    sources = (
        ("styles", "name", "prompt", "SELECT * FROM styles ORDER BY id"),
        ("prompt_templates", "name", "content", "SELECT * FROM prompt_templates ORDER BY id"),
        ("prompt_library", "label", "content", "SELECT * FROM prompt_library ORDER BY id"),
    )
    found = [
        _parse_template(table, row, name, content)
        for table, name, content, query in sources
        if table in existing_tables
        for row in tx.all(query)
    ]
    return [template for template in found if template.name and template.content]


def list_aliases(tx: ReadTx) -> list[tuple[str, str]]:
    """All aliases, as (alias, tag)."""
    if "tag_aliases" not in snapshot_copy.list_tables(tx):
        return []
    rows = tx.all("SELECT a.alias, t.name FROM tag_aliases AS a JOIN tags AS t ON t.id = a.target_tag_id")
    return [
        (alias, name) for row in rows if (alias := _clean_text(row["alias"])) and (name := _clean_text(row["name"]))
    ]


def find_image_folders(tx: ReadTx) -> list[str]:
    """The configured image folders, if any."""
    if "app_config" not in snapshot_copy.list_tables(tx):
        return []
    values = tx.column("SELECT value FROM app_config WHERE key IN ('output_dir', 'outputs_dir')")
    return [text for value in values if (text := _clean_text(value))]


def read_unsupported_tables(tx: ReadTx) -> dict[str, list[dict[str, Any]]]:
    """Unchanged rows of tables that MystiCanvas does not support yet, by table, without blobs."""
    existing_tables = snapshot_copy.list_tables(tx)
    return {
        table: [{key: value for key, value in row.items() if not isinstance(value, bytes)} for row in rows]
        for table in UNSUPPORTED_TABLES
        if table in existing_tables and (rows := tx.all(f'SELECT * FROM "{table}" LIMIT 10000'))  # noqa: S608 - of our own list
    }


def list_skipped(tx: ReadTx) -> list[SkippedItems]:
    reasons = (
        ("app_config", "settings", "only apply to DiffusionDesk"),
        ("jobs", "jobs", "only apply to DiffusionDesk"),
        ("generation_files", "other files", "thumbnails are recreated; sidecar files are read from the image folders"),
    )  # fmt: skip
    existing_tables = snapshot_copy.list_tables(tx)
    found = []
    for table, what, why in reasons:
        rows = tx.value(f'SELECT count(*) FROM "{table}"') if table in existing_tables else 0  # noqa: S608 - of our own list
        if rows:
            found.append(SkippedItems(what, rows, why))
    return found


def _parse_image(row: dict[str, Any], tags: tuple[ForeignTag, ...]) -> ForeignImage:
    path = (_clean_text(row["file_path"]) or "").replace("\\", "/").removeprefix("/outputs/")
    rating = row.get("rating")
    return ForeignImage(
        id=_clean_text(row["uuid"]) or f"row-{row['id']}",
        path="/".join(part for part in path.split("/") if part not in ("", ".", "..")),
        made_ms=_parse_time_ms(row["timestamp"]),
        generation_data=_build_generation_data(row),
        favorite=bool(row.get("is_favorite")),
        rating=max(0, min(5, rating)) if isinstance(rating, int) else 0,
        parent=_clean_text(row.get("parent_uuid")) or None,
        tags=tags,
    )


def _build_generation_data(row: dict[str, Any]) -> dict[str, Any]:
    """Generation data with the keys of a sidecar: from the request, then from the columns that are not defaults."""
    request = _parse_object(row["params_json"])
    generation_data: dict[str, Any] = {key: value for key, value in request.items() if key not in _OWN_KEYS}
    for column in ("prompt", "negative_prompt"):
        # An empty prompt is a value, too.
        if isinstance(row.get(column), str):
            generation_data[column] = clean_text(row[column])
    if model_hash := _clean_text(row.get("model_hash")):
        generation_data["model_hash"] = model_hash
    if model := _clean_text(row.get("model_id")):
        generation_data["model"] = model
    has_only_defaults = not request and all(row.get(column) == default for column, _, default in _DEFAULTS)
    for column, keys, _ in _DEFAULTS:
        value = row.get(column)
        is_explicit = any(key in request for key in keys) if request else not has_only_defaults
        if is_explicit and isinstance(value, int | float) and not (column == "seed" and value < 0):
            generation_data[column] = value
    if isinstance(row.get("generation_time"), float) and row["generation_time"] > 0:
        generation_data["generation_time"] = row["generation_time"]
    return generation_data


def _read_tags(tx: ReadTx, ids: list[int]) -> dict[int, tuple[ForeignTag, ...]]:
    existing_tables = snapshot_copy.list_tables(tx)
    if not {"tags", "image_tags"} <= existing_tables:
        return {}
    rows = tx.all(
        """
        SELECT i.generation_id, t.name, t.category, i.source, i.confidence
          FROM json_each(:ids) AS wanted
               JOIN image_tags AS i ON i.generation_id = wanted.value
               JOIN tags AS t ON t.id = i.tag_id
         ORDER BY i.generation_id, t.id
        """,
        ids=json.dumps(ids),
    )
    found: dict[int, tuple[ForeignTag, ...]] = {}
    for row in rows:
        name = _clean_text(row["name"])
        if name:
            category = _clean_text(row["category"])
            confidence = row["confidence"] if isinstance(row["confidence"], float) else None
            tag = ForeignTag(
                name,
                None if category == "general" else category,
                _clean_text(row["source"]) or "user",
                confidence if confidence is not None and 0 <= confidence <= 1 else None,
            )
            found[row["generation_id"]] = (*found.get(row["generation_id"], ()), tag)
    return found


_CATEGORIES = {"styles": "style", "prompt_templates": "template"}


def _parse_template(table: str, row: dict[str, Any], name: str, content: str) -> ForeignTemplate:
    uses = row.get("usage_count")
    params = {key: text for key in ("description", "preview_path") if (text := _clean_text(row.get(key)))}
    return ForeignTemplate(
        key=f"{table}/{row['id']}/{_clean_text(row[name])}",
        name=_clean_text(row[name]) or "",
        content=_clean_text(row[content]) or "",
        negative=_clean_text(row.get("negative_prompt")),
        category=_CATEGORIES.get(table) or _clean_text(row.get("category")),
        uses=uses if isinstance(uses, int) and uses > 0 else 0,
        params=params,
    )


def _clean_text(value: Any) -> str | None:
    """None for an empty value or another type, because the columns have no types."""
    return clean_text(value) if isinstance(value, str) and value else None


def _parse_object(value: Any) -> dict[str, Any]:
    return (load_object(value) if isinstance(value, str) else None) or {}


def _parse_time_ms(value: Any) -> int | None:
    try:
        return round(datetime.fromisoformat(str(value)).replace(tzinfo=UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
