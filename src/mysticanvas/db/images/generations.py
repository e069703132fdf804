"""Generations: one row for each image, with its generation data."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.file import MAX_STORED, MIN_STORED
from mysticanvas.domain.generation import SECONDS_OF_2010, GenerationId, Recipe, TimestampSource, is_in_future

# Parser version of an image that no parser has read.
UNREAD = 0


@dataclass(frozen=True, slots=True)
class Detail:
    """An image for display; None for unknown values."""

    id: GenerationId
    uuid: str
    timestamp: int
    timestamp_source: str
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
    model_name: str | None
    model_hash: str | None
    parent_hint: str | None
    parent_relation: str | None
    is_favorite: bool
    rating: int
    is_grid: bool
    engine_name: str | None
    engine_version: str | None
    generation_time_ms: int | None
    params: dict[str, Any]
    problems: list[str]
    imported_at: int
    deleted_at: int | None
    missing_at: int | None


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """An image to add. `params_json` contains all settings without a column."""

    recipe: Recipe
    params_json: str
    timestamp_ms: int
    timestamp_source: TimestampSource
    model_id: int | None
    problems: Sequence[str]


class _Ids:
    """Allocates ids for new rows before they are inserted: 256 for each second, then from a later second."""

    def __init__(self, tx: ReadTx) -> None:
        self._tx = tx
        self._given: dict[int, int] = {}

    def take(self, timestamp_ms: int) -> GenerationId:
        """The files of a copied folder all have the same few timestamps, so the search for a second with free ids
        doubles its step."""
        second = timestamp_ms // 1000 - SECONDS_OF_2010
        found = self._free_in(second)
        full, step = second, 1
        while found is None:
            found = self._free_in(full + step)
            if found is None:
                full, step = full + step, step * 2
        while step > 1:
            step = (step + 1) // 2
            nearer = self._free_in(full + step)
            if nearer is None:
                full += step
            else:
                found = nearer
        self._given[found >> 8] = found
        return GenerationId(found)

    def _free_in(self, second: int) -> int | None:
        first = second << 8
        last = self._given.get(second)
        if last is None:
            last = self._tx.value(
                "SELECT max(id) FROM generations WHERE id BETWEEN :first AND :first + 255", first=first
            )
        if last is None:
            return first or 1
        return last + 1 if last < first + 255 else None


def add_all(
    tx: WriteTx, new: Sequence[NewGeneration], *, parser_version: int, app_version: str, now_ms: int
) -> list[tuple[GenerationId, str]]:
    """Inserts images and returns (id, uuid) of each. The id of an image with a date in the future follows the time
    of its import, so that it does not stay the newest for years. Call `word_index.index` to make the texts
    searchable."""
    ids = _Ids(tx)
    times = [now_ms if is_in_future(one.timestamp_ms, now_ms=now_ms) else one.timestamp_ms for one in new]
    names = [(ids.take(time_ms), str(uuid.uuid4())) for time_ms in times]
    tx.run_many(
        """
        INSERT INTO generations (id, uuid, timestamp, timestamp_source, prompt, negative_prompt, seed, steps,
                                 cfg_scale, guidance, sampler, scheduler, denoise, clip_skip, width, height,
                                 model_id, model_hash, model_name, parent_uuid, parent_relation, engine_name,
                                 engine_version, app_version, generation_time_ms, params_json, problems_json,
                                 parser_version, imported_at, updated_at)
        VALUES (:id, :uuid, :timestamp, :timestamp_source, :prompt, :negative_prompt, :seed, :steps,
                :cfg_scale, :guidance, :sampler, :scheduler, :denoise, :clip_skip, :width, :height,
                :model_id, :model_hash, :model_name, :parent_uuid, :parent_relation, :engine_name,
                :engine_version, :app_version, :generation_time_ms, :params_json, :problems_json,
                :parser_version, :now_ms, :now_ms)
        """,
        (
            {
                "id": image,
                "uuid": public_uuid,
                "timestamp": one.timestamp_ms,
                "timestamp_source": one.timestamp_source.value,
                "app_version": app_version,
                "parser_version": parser_version,
                "now_ms": now_ms,
                **_columns(one.recipe, one.params_json, one.model_id, one.problems),
            }
            for (image, public_uuid), one in zip(names, new, strict=True)
        ),
    )
    tx.changes.added.extend(image for image, _ in names)
    return names


def list_in_future(tx: ReadTx, *, first_s: int | None, until_s: int | None, limit: int) -> list[GenerationId]:
    """Images that had a date in the future when they were imported, and a date from `first_s` until `until_s` (None:
    no limit)."""
    # The first condition is that of the index.
    return tx.column(
        """
        SELECT id
          FROM generations
         WHERE timestamp / 1000 - (id >> 8) > 1262384000 AND timestamp >= :first_ms AND timestamp < :until_ms
         LIMIT :limit
        """,
        first_ms=MIN_STORED if first_s is None else first_s * 1000,
        until_ms=MAX_STORED if until_s is None else until_s * 1000,
        limit=limit,
    )


def set_recipe(
    tx: WriteTx,
    image: GenerationId,
    recipe: Recipe,
    *,
    model_id: int | None,
    problems: Sequence[str],
    parser_version: int,
    now_ms: int,
) -> None:
    """Replaces the generation data of an image. What the user set is kept: rating, favorite, notes."""
    tx.run(
        """
        UPDATE generations
           SET prompt = :prompt, negative_prompt = :negative_prompt, seed = :seed, steps = :steps,
               cfg_scale = :cfg_scale, guidance = :guidance, sampler = :sampler, scheduler = :scheduler,
               denoise = :denoise, clip_skip = :clip_skip, width = :width, height = :height,
               model_id = :model_id, model_hash = :model_hash, model_name = :model_name,
               parent_uuid = :parent_uuid,
               parent_relation = iif(parent_by = 'user', parent_relation, :parent_relation),
               engine_name = :engine_name, engine_version = :engine_version, generation_time_ms = :generation_time_ms,
               params_json = :params_json, problems_json = :problems_json, parser_version = :parser_version,
               updated_at = :now_ms
         WHERE id = :id
        """,
        id=image,
        now_ms=now_ms,
        parser_version=parser_version,
        **_columns(recipe, json.dumps(recipe.params, ensure_ascii=False), model_id, problems),
    )
    tx.changes.changed.append(image)


def _columns(recipe: Recipe, params_json: str, model_id: int | None, problems: Sequence[str]) -> dict[str, Any]:
    return {
        "prompt": recipe.prompt,
        "negative_prompt": recipe.negative_prompt,
        "seed": None if recipe.seed is None else str(recipe.seed),
        "steps": recipe.steps,
        "cfg_scale": recipe.cfg_scale,
        "guidance": recipe.guidance,
        "sampler": recipe.sampler,
        "scheduler": recipe.scheduler,
        "denoise": recipe.denoise,
        "clip_skip": recipe.clip_skip,
        "width": recipe.width,
        "height": recipe.height,
        "model_id": model_id,
        "model_hash": recipe.model_hash,
        "model_name": recipe.model,
        "parent_uuid": recipe.parent,
        "parent_relation": recipe.parent_relation.value if recipe.parent_relation else None,
        "engine_name": recipe.tool,
        "engine_version": recipe.tool_version,
        "generation_time_ms": recipe.generation_time_ms,
        "params_json": params_json,
        "problems_json": json.dumps(list(problems), ensure_ascii=False) if problems else "[]",
    }


def has_same_recipe(
    tx: ReadTx, image: GenerationId, recipe: Recipe, *, model_id: int | None, problems: Sequence[str]
) -> bool:
    """Whether the row already has this recipe; compares no other models and no inputs. Writing an unchanged row
    would index its words again."""
    return bool(
        tx.value(
            """
            SELECT prompt IS :prompt AND negative_prompt IS :negative_prompt AND seed IS :seed AND steps IS :steps
                   AND cfg_scale IS :cfg_scale AND guidance IS :guidance AND sampler IS :sampler
                   AND scheduler IS :scheduler AND denoise IS :denoise AND clip_skip IS :clip_skip
                   AND width IS :width AND height IS :height AND model_id IS :model_id
                   AND model_hash IS :model_hash AND model_name IS :model_name AND parent_uuid IS :parent_uuid
                   AND (parent_relation IS :parent_relation OR parent_by = 'user')
                   AND engine_name IS :engine_name AND engine_version IS :engine_version
                   AND generation_time_ms IS :generation_time_ms AND params_json = :params_json
                   AND problems_json = :problems_json
              FROM generations
             WHERE id = :image
            """,
            image=image,
            **_columns(recipe, json.dumps(recipe.params, ensure_ascii=False), model_id, problems),
        )
    )


def is_unread(tx: ReadTx, image: GenerationId) -> bool:
    """Whether no parser has read its file: it was restored from the journal."""
    version: int | None = tx.value("SELECT parser_version FROM generations WHERE id = :image", image=image)
    return version == UNREAD


def set_parser_version(tx: WriteTx, image: GenerationId, version: int) -> None:
    tx.run("UPDATE generations SET parser_version = :version WHERE id = :image", image=image, version=version)


def get_id(tx: ReadTx, public_uuid: str) -> GenerationId:
    """Raises `NotFoundError`."""
    image = tx.value("SELECT id FROM generations WHERE uuid = :uuid", uuid=public_uuid)
    if image is None:
        raise NotFoundError(f"There is no image {public_uuid} in this library.")
    return GenerationId(image)


def get_uuid(tx: ReadTx, image: GenerationId) -> str:
    return str(tx.value("SELECT uuid FROM generations WHERE id = :image", image=image))


def get_detail(tx: ReadTx, image: GenerationId) -> Detail:
    """Raises `NotFoundError`."""
    found = list_details(tx, [image])
    if not found:
        raise NotFoundError("This image is no longer in the library.")
    return found[0]


def list_details(tx: ReadTx, images: Sequence[GenerationId]) -> list[Detail]:
    """The images that exist, in the given order."""
    rows = tx.all(
        """
        SELECT g.id, g.uuid, g.timestamp, g.timestamp_source, g.prompt, g.negative_prompt, g.notes, g.seed, g.steps,
               g.cfg_scale, g.guidance, g.sampler, g.scheduler, g.denoise, g.clip_skip, g.width, g.height,
               g.model_name, g.model_hash, g.parent_uuid AS parent_hint, g.parent_relation, g.is_favorite, g.rating,
               g.is_grid, g.engine_name, g.engine_version, g.generation_time_ms, g.params_json, g.problems_json,
               g.imported_at, g.deleted_at, g.missing_at
          FROM json_each(:images) AS wanted CROSS JOIN generations AS g ON g.id = wanted.value
         ORDER BY wanted.key
        """,
        images=json.dumps(list(images)),
    )
    return [_build_detail(row) for row in rows]


def _build_detail(row: dict[str, Any]) -> Detail:
    params, problems = json.loads(row.pop("params_json")), json.loads(row.pop("problems_json"))
    flags = {name: bool(row[name]) for name in ("is_favorite", "is_grid")}
    return Detail(**(row | flags | {"params": params, "problems": problems}))


def set_favorite(tx: WriteTx, images: Sequence[GenerationId], favorite: bool, *, now_ms: int) -> int:
    """Returns how many images changed."""
    return tx.run(
        """
        UPDATE generations
           SET is_favorite = :favorite, updated_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:images)) AND is_favorite <> :favorite
        """,
        images=json.dumps(images),
        favorite=int(favorite),
        now_ms=now_ms,
    )


def set_rating(tx: WriteTx, images: Sequence[GenerationId], rating: int, *, now_ms: int) -> int:
    """Returns how many images changed."""
    return tx.run(
        """
        UPDATE generations
           SET rating = :rating, updated_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:images)) AND rating <> :rating
        """,
        images=json.dumps(images),
        rating=rating,
        now_ms=now_ms,
    )


def update_missing(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    """Updates `missing_at` of images: set while no file of the image exists. An earlier time is kept."""
    tx.changes.changed.extend(images)
    tx.run(
        """
        UPDATE generations AS g
           SET missing_at = CASE WHEN EXISTS (SELECT 1 FROM generation_files AS f
                                               WHERE f.generation_id = g.id AND f.kind IN ('final', 'copy')
                                                 AND f.missing_at IS NULL)
                                 THEN NULL ELSE coalesce(g.missing_at, :now_ms) END
         WHERE g.id IN (SELECT value FROM json_each(:images))
        """,
        images=json.dumps(list(images)),
        now_ms=now_ms,
    )


def set_notes(tx: WriteTx, images: Sequence[GenerationId], notes: str | None, *, now_ms: int) -> int:
    """Returns how many images changed."""
    return tx.run(
        """
        UPDATE generations
           SET notes = :notes, updated_at = :now_ms
         WHERE id IN (SELECT value FROM json_each(:images)) AND notes IS NOT :notes
        """,
        images=json.dumps(images),
        notes=notes,
        now_ms=now_ms,
    )


def count_images(tx: ReadTx) -> int:
    """The number of live images."""
    return int(tx.value("SELECT count(*) FROM live_generations"))


def list_uuids(tx: ReadTx, images: Sequence[GenerationId]) -> list[str]:
    """The uuids of the images that exist, in no order."""
    return tx.column(
        "SELECT g.uuid FROM json_each(:images) AS wanted JOIN generations AS g ON g.id = wanted.value",
        images=json.dumps(list(images)),
    )


def filter_favorites(tx: ReadTx, images: Sequence[GenerationId]) -> set[GenerationId]:
    return set(
        tx.column(
            "SELECT g.id FROM json_each(:images) AS w JOIN generations AS g ON g.id = w.value WHERE g.is_favorite = 1",
            images=json.dumps(list(images)),
        )
    )


def list_uuids_in_order(tx: ReadTx, images: Sequence[GenerationId]) -> list[str]:
    """The uuids of the images that exist, in the given order."""
    return tx.column(
        """
        SELECT g.uuid FROM json_each(:images) AS wanted CROSS JOIN generations AS g ON g.id = wanted.value
         ORDER BY wanted.key
        """,
        images=json.dumps(list(images)),
    )


def rebuild_grid(tx: WriteTx) -> None:
    """Rebuilds the table of the grid (docs/adr/0004-a-narrow-table-for-the-grid.md)."""
    tx.run("DELETE FROM live_generations")
    tx.run(
        """
        INSERT INTO live_generations (id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px,
                                      height_px, content_hash)
        SELECT id, uuid, ratio_milli, is_favorite, rating, flags, color_rgb, width_px, height_px, content_hash
          FROM live_generations_meant
        """
    )
