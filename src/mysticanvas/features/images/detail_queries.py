"""All details of many images: one query for each table, not for each image."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class Lora:
    """`weight` is None if the image does not state it."""

    name: str
    weight: float | None


@dataclass(frozen=True, slots=True)
class ImageFile:
    """`kind` is “final” for the original and “copy” for an identical file. `path` is relative to the folder `root`.
    `missing`: the file was not found by the last scan."""

    kind: str
    root: str
    path: str
    bytes: int | None
    width_px: int | None
    height_px: int | None
    format: str | None
    missing: bool


@dataclass(frozen=True, slots=True)
class ImageDetails:
    """An image. Times are Unix milliseconds. Unknown values are None. `path` is the path of its original file."""

    uuid: str
    path: str | None
    timestamp: int
    imported_at: int
    prompt: str | None
    negative_prompt: str | None
    notes: str | None
    seed: str | None
    steps: int | None
    cfg_scale: float | None
    guidance: float | None
    sampler: str | None
    scheduler: str | None
    denoise: float | None
    clip_skip: int | None
    width: int | None
    height: int | None
    tool: str | None
    tool_version: str | None
    model: str | None
    vae: str | None
    is_favorite: bool
    rating: int
    deleted: bool
    missing: bool
    params: dict[str, Any]
    problems: list[str]
    loras: list[Lora]
    tags: list[str]
    collections: list[str]
    files: list[ImageFile]


def list_details(tx: ReadTx, images: Sequence[GenerationId]) -> list[ImageDetails]:
    """The images in the given order, without those that do not exist."""
    ids = json.dumps(list(images))
    models, files = _list_models(tx, ids), _list_files(tx, ids)
    tags, collections = _list_tags(tx, ids), _list_collections(tx, ids)
    rows = {row.pop("id"): row for row in _list_rows(tx, ids)}
    return [
        _build(rows[image], models[image], files[image], tags[image], collections[image])
        for image in images
        if image in rows
    ]


def _build(
    row: dict[str, Any],
    models: list[tuple[str, str, float | None]],
    files: list[ImageFile],
    tags: list[str],
    collections: list[str],
) -> ImageDetails:
    row["params"], row["problems"] = json.loads(row.pop("params_json")), json.loads(row.pop("problems_json"))
    final = next((file for file in files if file.kind == "final"), None)
    return ImageDetails(
        **row | {name: bool(row[name]) for name in ("is_favorite", "deleted", "missing")},
        path=None if final is None else f"{final.root}/{final.path}",
        vae=next((name for role, name, _ in models if role == "vae"), None),
        loras=[Lora(name, weight) for role, name, weight in models if role == "lora"],
        tags=tags,
        collections=collections,
        files=files,
    )


def _list_rows(tx: ReadTx, ids: str) -> list[dict[str, Any]]:
    return tx.all(
        """
        SELECT g.id, g.uuid, g.timestamp, g.imported_at, g.prompt, g.negative_prompt, g.notes, g.seed, g.steps,
               g.cfg_scale, g.guidance, g.sampler, g.scheduler, g.denoise, g.clip_skip, g.width, g.height,
               g.engine_name AS tool, g.engine_version AS tool_version, g.model_name AS model, g.is_favorite, g.rating,
               g.deleted_at IS NOT NULL AS deleted, g.missing_at IS NOT NULL AS missing, g.params_json, g.problems_json
          FROM json_each(:ids) AS n
               CROSS JOIN generations AS g ON g.id = n.value
        """,
        ids=ids,
    )


def _list_models(tx: ReadTx, ids: str) -> dict[int, list[tuple[str, str, float | None]]]:
    rows = tx.rows(
        """
        SELECT u.generation_id, u.role, m.name, u.weight
          FROM json_each(:ids) AS n
               CROSS JOIN generation_models AS u ON u.generation_id = n.value
               JOIN models AS m ON m.id = u.model_id
         ORDER BY u.role, m.name
        """,
        ids=ids,
    )
    return _group((image, (role, name, weight)) for image, role, name, weight in rows)


def _list_files(tx: ReadTx, ids: str) -> dict[int, list[ImageFile]]:
    rows = tx.rows(
        """
        SELECT f.generation_id, f.kind, r.path, f.path, f.bytes, f.width, f.height, f.format, f.missing_at IS NOT NULL
          FROM json_each(:ids) AS n
               CROSS JOIN generation_files AS f ON f.generation_id = n.value
               JOIN roots AS r ON r.id = f.root_id
         ORDER BY f.kind <> 'final', f.id
        """,
        ids=ids,
    )
    return _group(
        (image, ImageFile(kind, root, path, size, width, height, format_, bool(missing)))
        for image, kind, root, path, size, width, height, format_, missing in rows
    )


def _list_tags(tx: ReadTx, ids: str) -> dict[int, list[str]]:
    rows = tx.rows(
        """
        SELECT i.generation_id, t.name
          FROM json_each(:ids) AS n
               CROSS JOIN image_tags AS i ON i.generation_id = n.value
               JOIN tags AS t ON t.id = i.tag_id
         ORDER BY t.name
        """,
        ids=ids,
    )
    return _group(rows)


def _list_collections(tx: ReadTx, ids: str) -> dict[int, list[str]]:
    rows = tx.rows(
        """
        SELECT i.generation_id, c.name
          FROM json_each(:ids) AS n
               CROSS JOIN collection_items AS i ON i.generation_id = n.value
               JOIN collections AS c ON c.id = i.collection_id
         ORDER BY c.name
        """,
        ids=ids,
    )
    return _group(rows)


def _group(rows: Any) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = defaultdict(list)
    for image, value in rows:
        grouped[image].append(value)
    return grouped
