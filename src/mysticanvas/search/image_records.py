"""Images with all details, also many at once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images import file_rows, generations, used_models
from mysticanvas.db.images.file_rows import FileRow
from mysticanvas.db.images.generations import Detail
from mysticanvas.db.images.used_models import UsedModel
from mysticanvas.domain.file import FileKind
from mysticanvas.domain.generation import GenerationId, LoraUse
from mysticanvas.search import image_vectors

# The most images of one call.
MAX_RECORDS = 1_000


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file of an image. `kind` is final for the image itself, copy for another file with the same content, and
    input, mask or control for the file of an image from which it was made. `root` is the path of the library folder,
    and `path` the path in it. `blake3` and `sha256` are checksums in hexadecimal; null until they are computed."""

    kind: str
    path: str
    root: str
    bytes: int
    mtime_ms: int
    width_px: int | None
    height_px: int | None
    format: str | None
    blake3: str | None
    sha256: str | None
    missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """An image with its generation data; null for what is not known. `path` is the path of its file, and null if no
    file is known. `timestamp` is the creation time in milliseconds. `timestamp_source` tells where it was found.
    `tool` is the program that made the image. `params` are all settings without a field of their own. `models` are all
    models, also the LoRAs in `loras`. `tags` are the names of the tags that the image shows. `thumb` is the name of the
    thumbnails. `damage` and `too_large` tell why the file cannot be shown. `orientation` is that of EXIF, 1 to 8.
    `explicit` is the NSFW score from 0 to 1, and `rating` 0 for none, or 1 to 5. `deleted`: the image is in the Trash.
    `problems` are what the parser did not understand."""

    id: int
    uuid: str
    path: str | None
    timestamp: int
    timestamp_source: str
    imported_at: int
    prompt: str | None
    negative_prompt: str | None
    notes: str | None
    tags: list[str]
    is_favorite: bool
    rating: int
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
    model: str | None
    model_hash: str | None
    vae: str | None
    loras: list[LoraUse]
    models: list[UsedModel]
    tool: str | None
    tool_version: str | None
    generation_time_ms: int | None
    params: dict[str, Any]
    problems: list[str]
    parent: str | None
    is_grid: bool
    missing: bool
    deleted: bool
    thumb: str | None
    damage: str | None
    too_large: str | None
    orientation: int
    explicit: float | None
    files: list[ImageFile]


@dataclass(frozen=True, slots=True)
class UserData:
    """What a user sets on an image."""

    favorite: bool
    rating: int
    notes: str | None
    tags: list[str]


def read_user_data(tx: ReadTx, image: GenerationId) -> UserData:
    """Raises `NotFoundError`."""
    made = generations.get_detail(tx, image)
    return UserData(made.is_favorite, made.rating, made.notes, list_tag_names(tx, [image]).get(image, []))


def list_tag_names(tx: ReadTx, images: Sequence[GenerationId]) -> dict[GenerationId, list[str]]:
    """The names of the tags that each image shows, sorted. Images without tags are omitted."""
    rows = tx.rows(
        """
        SELECT i.generation_id, t.name
          FROM json_each(:images) AS wanted
               CROSS JOIN image_tags AS i ON i.generation_id = wanted.value
               CROSS JOIN tags AS t ON t.id = i.tag_id
         ORDER BY wanted.key, t.name
        """,
        images=json.dumps(list(images)),
    )
    found: dict[GenerationId, list[str]] = {}
    for image, name in rows:
        found.setdefault(image, []).append(name)
    return found


def read_records(tx: ReadTx, images: Sequence[GenerationId]) -> list[ImageRecord]:
    """The images that exist, in the given order."""
    located = file_rows.list_of_images(tx, images)
    inputs = file_rows.list_input_files(tx, images)
    used = used_models.list_of_images(tx, images)
    tags = list_tag_names(tx, images)
    hashes = [file.blake3.hex() for found in located.values() for file in found if file.blake3]
    scores = image_vectors.get_nsfw_scores(tx, hashes)
    return [
        _build_record(
            made,
            [*located.get(made.id, []), *inputs.get(made.id, [])],
            used.get(made.id, []),
            tags.get(made.id, []),
            scores,
        )
        for made in generations.list_details(tx, images)
    ]


def _build_record(
    made: Detail, located: Sequence[FileRow], used: list[UsedModel], tags: list[str], scores: Mapping[str, float]
) -> ImageRecord:
    final = next((file for file in located if file.kind == FileKind.FINAL), None)
    return ImageRecord(
        id=made.id,
        uuid=made.uuid,
        path=f"{final.root}/{final.path}" if final is not None and final.root is not None else None,
        timestamp=made.timestamp,
        timestamp_source=made.timestamp_source,
        imported_at=made.imported_at,
        prompt=made.prompt,
        negative_prompt=made.negative_prompt,
        notes=made.notes,
        tags=tags,
        is_favorite=made.is_favorite,
        rating=made.rating,
        seed=made.seed,
        steps=made.steps,
        cfg_scale=made.cfg_scale,
        guidance=made.guidance,
        sampler=made.sampler,
        scheduler=made.scheduler,
        denoise=made.denoise,
        clip_skip=made.clip_skip,
        width=made.width,
        height=made.height,
        model=made.model_name,
        model_hash=made.model_hash,
        vae=next((one.name for one in used if one.role == "vae"), None),
        loras=[LoraUse(one.name, one.weight) for one in used if one.role == "lora"],
        models=used,
        tool=made.engine_name,
        tool_version=made.engine_version,
        generation_time_ms=made.generation_time_ms,
        params=made.params,
        problems=made.problems,
        parent=made.parent_hint,
        is_grid=made.is_grid,
        missing=made.missing_at is not None,
        deleted=made.deleted_at is not None,
        thumb=_find_thumb(final, located),
        damage=final.damage if final else None,
        too_large=final.too_large if final else None,
        orientation=final.orientation if final else 1,
        explicit=scores.get(final.blake3.hex()) if final and final.blake3 else None,
        files=[_describe_file(file, file.root) for file in located if file.root is not None],
    )


def _find_thumb(final: FileRow | None, located: Sequence[FileRow]) -> str | None:
    """Returns the name of the thumbnails, or None if the image has none because it is not decoded yet, damaged or too
    large."""
    if final is None or final.blake3 is None:
        return None
    name = final.blake3.hex()
    is_made = any(file.kind == FileKind.THUMB and name in file.path for file in located)
    return name if is_made or not (final.damage or final.too_large) else None


def _describe_file(file: FileRow, root: str) -> ImageFile:
    return ImageFile(
        kind=file.kind,
        path=file.path,
        root=root,
        bytes=file.bytes,
        mtime_ms=file.mtime_ns // 1_000_000,
        width_px=file.width,
        height_px=file.height,
        format=file.format,
        blake3=file.blake3.hex() if file.blake3 else None,
        sha256=file.sha256.hex() if file.sha256 else None,
        missing=file.missing_at is not None,
    )
