"""Details, embedded texts, original file and thumbnails of an image."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import files, generations, outdated, raw_metadata, used_models
from mysticanvas.db.images.files import FileRow
from mysticanvas.db.images.generations import Detail
from mysticanvas.domain.errors import NotFoundError, UnreadableFileError
from mysticanvas.domain.file import FileKind, ImageFormat, TextEntry
from mysticanvas.domain.generation import GenerationId, LoraUse, Recipe
from mysticanvas.formats.generators.infotext import write_infotext
from mysticanvas.fs.safe_open import FileSource, open_beneath
from mysticanvas.fs.thumbnail_cache import ThumbCache
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import Int64
from mysticanvas.search import image_vectors

BLOCK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
# The keys under which generators store text that can be pasted back into them, in order of preference.
_PARAMETERS_KEYS = ("parameters", "UserComment", "invokeai_metadata", "sd-metadata", "prompt", "workflow", "Dream")


def routes(database: Database, cache: ThumbCache) -> APIRouter:
    router = APIRouter(tags=["images"])
    # Later rows are never outdated.
    has_outdated = database.read(outdated.has_outdated)

    @router.get("/images/{uuid}", operation_id="images.get")
    async def detail(uuid: str) -> Response:
        return reply(database.read(_load_detail, uuid))

    @router.get("/images/{uuid}/raw", operation_id="images.listRawMetadata")
    async def raw(uuid: str) -> Response:
        entries = database.read(lambda tx: raw_metadata.list_entries(tx, generations.get_id(tx, uuid)))
        return reply({"entries": entries})

    @router.get("/images/{uuid}/file", operation_id="images.getFile")
    def original(uuid: str, request: Request) -> Response:
        source, format_ = _open_any(database.read(lambda tx: _list_locations(tx, uuid)))
        return _send(source, format_, request.headers.get("range"))

    @router.get("/thumbnails/{name}/{size}", operation_id="thumbnails.get")
    async def thumb(name: str, size: Int64) -> Response:
        path = cache.path(name, size)
        if not _NAME.fullmatch(name) or size not in cache.short_edges_px or not path.is_file():
            raise NotFoundError("This thumbnail has not been created yet.")
        # Until thumbnails of an older version are checked, they may still be replaced under the same address.
        may_change = has_outdated and database.read(outdated.is_outdated, blake3=bytes.fromhex(name))
        headers = {"cache-control": "no-cache" if may_change else "private, max-age=31536000, immutable"}
        return FileResponse(path, media_type="image/webp", headers=headers)

    return router


def _load_detail(tx: ReadTx, uuid: str) -> dict[str, Any]:
    image = generations.get_id(tx, uuid)
    made = generations.get_detail(tx, image)
    used = used_models.list_used_models(tx, image)
    located = files.list_of_image(tx, image)
    final = next((file for file in located if file.kind == FileKind.FINAL), None)
    recipe = _build_recipe(made, [LoraUse(u.name, u.weight) for u in used if u.role == "lora"])
    return {
        **{name: getattr(made, name) for name in _DETAIL_FIELDS},
        "id": made.id,
        "tool": made.engine_name,
        "tool_version": made.engine_version,
        "model": made.model_name,
        "vae": next((u.name for u in used if u.role == "vae"), None),
        "loras": [{"name": lora.name, "weight": lora.weight, "hash": lora.hash} for lora in recipe.loras],
        "parent": made.parent_hint,
        "missing": made.missing_at is not None,
        "deleted": made.deleted_at is not None,
        "thumb": _find_thumb(final, located),
        "damage": final.damage if final else None,
        "too_large": final.too_large if final else None,
        "orientation": final.orientation if final else 1,
        "explicit": image_vectors.get_nsfw_score(tx, image),
        "files": [
            _describe_file(file) for file in [*located, *files.list_input_files(tx, image)] if file.root is not None
        ],
        "parameters_text": _find_parameters_text(raw_metadata.list_entries(tx, image)) or write_infotext(recipe),
    }


def _find_thumb(final: FileRow | None, located: Sequence[FileRow]) -> str | None:
    """Returns the name of the thumbnails, or None if the image has none because it is not decoded yet, damaged or too
    large."""
    if final is None or final.blake3 is None:
        return None
    name = final.blake3.hex()
    is_made = any(file.kind == FileKind.THUMB and name in file.path for file in located)
    return name if is_made or not (final.damage or final.too_large) else None


_DETAIL_FIELDS = (
    "uuid",
    "timestamp",
    "timestamp_source",
    "prompt",
    "negative_prompt",
    "notes",
    "seed",
    "steps",
    "cfg_scale",
    "guidance",
    "sampler",
    "scheduler",
    "denoise",
    "clip_skip",
    "width",
    "height",
    "model_hash",
    "generation_time_ms",
    "params",
    "problems",
    "is_favorite",
    "rating",
    "is_grid",
    "imported_at",
)


def _build_recipe(made: Detail, loras: list[LoraUse]) -> Recipe:
    return Recipe(
        tool=made.engine_name,
        tool_version=made.engine_version,
        prompt=made.prompt,
        negative_prompt=made.negative_prompt,
        seed=int(made.seed) if made.seed else None,
        steps=made.steps,
        cfg_scale=made.cfg_scale,
        sampler=made.sampler,
        scheduler=made.scheduler,
        denoise=made.denoise,
        clip_skip=made.clip_skip,
        width=made.width,
        height=made.height,
        model=made.model_name,
        model_hash=made.model_hash,
        loras=tuple(loras),
    )


def _find_parameters_text(entries: list[TextEntry]) -> str | None:
    """The generation data as the generator wrote it."""
    texts = {entry.key: entry.text for entry in entries}
    return next((texts[key] for key in _PARAMETERS_KEYS if key in texts), None)


def _describe_file(file: files.FileRow) -> dict[str, Any]:
    return {
        "kind": file.kind,
        "path": file.path,
        "root": file.root,
        "bytes": file.bytes,
        "mtime_ms": file.mtime_ns // 1_000_000,
        "width_px": file.width,
        "height_px": file.height,
        "format": file.format,
        "blake3": file.blake3.hex() if file.blake3 else None,
        "sha256": file.sha256.hex() if file.sha256 else None,
        "missing": file.missing_at is not None,
    }


def _list_locations(tx: ReadTx, uuid: str) -> list[files.FileRow]:
    """Lists the files with the content of the image: the original first, then copies."""
    own = (FileKind.FINAL, FileKind.COPY)
    located = files.list_of_image(tx, GenerationId(generations.get_id(tx, uuid)))
    return [file for file in located if file.kind in own and file.root is not None]


def _open_any(locations: list[files.FileRow]) -> tuple[FileSource, str | None]:
    """Returns the first file that can be opened. The drives of other files may be offline. Raises `NotFoundError`."""
    reason = "This image has no file."
    for file in locations:
        try:
            return open_beneath(os.fsencode(file.root or ""), file.path_bytes), file.format
        except UnreadableFileError as error:
            reason = str(error)
    raise NotFoundError(reason)


def _send(source: FileSource, kind: str | None, asked: str | None) -> Response:
    """Returns the file or the requested range. The media type matches the detected image format."""
    media_type = ImageFormat(kind).media_type if kind else "application/octet-stream"
    first, last = 0, source.size - 1
    headers = {"accept-ranges": "bytes", "cache-control": "private, no-cache"}
    status = 200
    match = _RANGE.fullmatch(asked or "")
    if match and (match[1] or match[2]) and source.size:
        first = int(match[1]) if match[1] else max(0, source.size - int(match[2]))
        last = min(int(match[2]), last) if match[1] and match[2] else last
        if first > last:
            source.__exit__()
            return Response(status_code=416, headers={"content-range": f"bytes */{source.size}"})
        status = 206
        headers["content-range"] = f"bytes {first}-{last}/{source.size}"
    headers["content-length"] = str(last - first + 1)
    return StreamingResponse(_read_blocks(source, first, last + 1), status, headers, media_type)


def _read_blocks(source: FileSource, offset: int, end: int) -> Iterator[bytes]:
    with source:
        while offset < end and (block := source.read(offset, min(BLOCK_BYTES, end - offset))):
            offset += len(block)
            yield block
