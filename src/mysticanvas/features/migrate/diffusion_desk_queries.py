"""The database of DiffusionDesk, the MystiCanvas written in C++.

Source: its own schema, versions 1 to 4 (`src/orchestrator/database.cpp` of Danmoreng/diffusion-desk). It
writes 512 × 512, 20 steps, CFG 7 and seed 0 where it was told nothing: those are not taken over.
"""

import json
from datetime import UTC, datetime
from typing import Any

from mysticanvas.db import snapshot_copy
from mysticanvas.db.database import ReadTx
from mysticanvas.domain.text import clean
from mysticanvas.features.migrate.types import ForeignImage, ForeignTag, ForeignTemplate, LeftOut

NAME = "DiffusionDesk"
SOURCE = "diffusion-desk"
_NEEDED = frozenset(("uuid", "file_path", "timestamp", "prompt", "params_json"))
# Its column, the keys of the request that give it a value, and what stands there without any.
_DEFAULTS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("seed", ("seed",), 0),
    ("width", ("width",), 512),
    ("height", ("height",), 512),
    ("steps", ("steps", "sample_steps"), 20),
    ("cfg_scale", ("cfg_scale",), 7.0),
)
_OWN_KEYS = {"prompt", "negative_prompt", "model", "model_hash", "uuid", "file_path", "parent_uuid"}
# Kept whole, so that nothing is lost, until there is a place for them.
KEPT_TABLES = ("models", "model_metadata", "image_presets", "llm_presets")


def is_one(tx: ReadTx) -> bool:
    return "generations" in snapshot_copy.tables(tx) and snapshot_copy.columns(tx, "generations") >= _NEEDED


def count(tx: ReadTx) -> int:
    return int(tx.value("SELECT count(*) FROM generations"))


def images(tx: ReadTx, *, after: int, limit: int) -> tuple[list[ForeignImage], int | None]:
    """Some images in the order they were made in, and where to go on; None at the end."""
    rows = tx.all("SELECT * FROM generations WHERE id > :after ORDER BY id LIMIT :limit", after=after, limit=limit)
    tags = _tags(tx, [row["id"] for row in rows])
    found = [_image(row, tags.get(row["id"], ())) for row in rows]
    return found, rows[-1]["id"] if len(rows) == limit else None


def templates(tx: ReadTx) -> list[ForeignTemplate]:
    there = snapshot_copy.tables(tx)
    # Columns differ from version to version, so all of them are asked for.
    asked = (
        ("styles", "name", "prompt", "SELECT * FROM styles ORDER BY id"),
        ("prompt_templates", "name", "content", "SELECT * FROM prompt_templates ORDER BY id"),
        ("prompt_library", "label", "content", "SELECT * FROM prompt_library ORDER BY id"),
    )
    found = [
        _template(table, row, name, content)
        for table, name, content, query in asked
        if table in there
        for row in tx.all(query)
    ]
    return [template for template in found if template.name and template.content]


def aliases(tx: ReadTx) -> list[tuple[str, str]]:
    """(alias, tag)."""
    if "tag_aliases" not in snapshot_copy.tables(tx):
        return []
    rows = tx.all("SELECT a.alias, t.name FROM tag_aliases AS a JOIN tags AS t ON t.id = a.target_tag_id")
    return [(alias, name) for row in rows if (alias := _text(row["alias"])) and (name := _text(row["name"]))]


def image_folders(tx: ReadTx) -> list[str]:
    """Where it kept its images, if its settings say so."""
    if "app_config" not in snapshot_copy.tables(tx):
        return []
    said = tx.column("SELECT value FROM app_config WHERE key IN ('output_dir', 'outputs_dir')")
    return [text for value in said if (text := _text(value))]


def kept_whole(tx: ReadTx) -> dict[str, list[dict[str, Any]]]:
    """Rows for which there is no place yet, as they are; blobs are left out."""
    there = snapshot_copy.tables(tx)
    return {
        table: [{key: value for key, value in row.items() if not isinstance(value, bytes)} for row in rows]
        for table in KEPT_TABLES
        if table in there and (rows := tx.all(f'SELECT * FROM "{table}" LIMIT 10000'))  # noqa: S608 - of our own list
    }


def left_out(tx: ReadTx) -> list[LeftOut]:
    reasons = (
        ("app_config", "settings", "settings of its own engine and window"),
        ("jobs", "jobs", "work of its own queue"),
        ("generation_files", "further files", "thumbnails are made anew; others are found beside the images"),
    )  # fmt: skip
    there = snapshot_copy.tables(tx)
    found = []
    for table, what, why in reasons:
        rows = tx.value(f'SELECT count(*) FROM "{table}"') if table in there else 0  # noqa: S608 - of our own list
        if rows:
            found.append(LeftOut(what, rows, why))
    return found


def _image(row: dict[str, Any], tags: tuple[ForeignTag, ...]) -> ForeignImage:
    path = (_text(row["file_path"]) or "").replace("\\", "/").removeprefix("/outputs/")
    rating = row.get("rating")
    return ForeignImage(
        id=_text(row["uuid"]) or f"row-{row['id']}",
        path="/".join(part for part in path.split("/") if part not in ("", ".", "..")),
        made_ms=_moment(row["timestamp"]),
        said=_said(row),
        favorite=bool(row.get("is_favorite")),
        rating=max(0, min(5, rating)) if isinstance(rating, int) else 0,
        parent=_text(row.get("parent_uuid")) or None,
        tags=tags,
    )


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """In the keys of a sidecar: the request first, then the columns that are not mere defaults."""
    request = _object(row["params_json"])
    said: dict[str, Any] = {key: value for key, value in request.items() if key not in _OWN_KEYS}
    for column in ("prompt", "negative_prompt"):
        # Empty is what it was told, too.
        if isinstance(row.get(column), str):
            said[column] = clean(row[column])
    if model_hash := _text(row.get("model_hash")):
        said["model_hash"] = model_hash
    if model := _text(row.get("model_id")):
        said["model"] = model
    bare = not request and all(row.get(column) == default for column, _, default in _DEFAULTS)
    for column, keys, _ in _DEFAULTS:
        value = row.get(column)
        told = any(key in request for key in keys) if request else not bare
        if told and isinstance(value, int | float) and not (column == "seed" and value < 0):
            said[column] = value
    if isinstance(row.get("generation_time"), float) and row["generation_time"] > 0:
        said["generation_time"] = row["generation_time"]
    return said


def _tags(tx: ReadTx, ids: list[int]) -> dict[int, tuple[ForeignTag, ...]]:
    there = snapshot_copy.tables(tx)
    if not {"tags", "image_tags"} <= there:
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
        name = _text(row["name"])
        if name:
            category = _text(row["category"])
            confidence = row["confidence"] if isinstance(row["confidence"], float) else None
            tag = ForeignTag(
                name,
                None if category == "general" else category,
                _text(row["source"]) or "user",
                confidence if confidence is not None and 0 <= confidence <= 1 else None,
            )
            found[row["generation_id"]] = (*found.get(row["generation_id"], ()), tag)
    return found


_CATEGORIES = {"styles": "style", "prompt_templates": "template"}


def _template(table: str, row: dict[str, Any], name: str, content: str) -> ForeignTemplate:
    uses = row.get("usage_count")
    params = {key: text for key in ("description", "preview_path") if (text := _text(row.get(key)))}
    return ForeignTemplate(
        key=f"{table}/{row['id']}/{_text(row[name])}",
        name=_text(row[name]) or "",
        content=_text(row[content]) or "",
        negative=_text(row.get("negative_prompt")),
        category=_CATEGORIES.get(table) or _text(row.get("category")),
        uses=uses if isinstance(uses, int) and uses > 0 else 0,
        params=params,
    )


def _text(value: Any) -> str | None:
    """Its columns have no types: anything may stand anywhere."""
    return clean(value) if isinstance(value, str) and value else None


def _object(value: Any) -> dict[str, Any]:
    try:
        said = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _moment(value: Any) -> int | None:
    try:
        return round(datetime.fromisoformat(str(value)).replace(tzinfo=UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
