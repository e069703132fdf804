"""Details, embedded texts, original file and thumbnails of an image."""

import os
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import file_rows, generations, outdated, raw_metadata
from mysticanvas.db.images.file_rows import FileRow
from mysticanvas.db.images.generations import Detail
from mysticanvas.domain.errors import NotFoundError, UnreadableFileError
from mysticanvas.domain.file import FileKind, ImageFormat, TextEntry
from mysticanvas.domain.generation import GenerationId, LoraUse, Recipe
from mysticanvas.features.images import schemas
from mysticanvas.features.images.schemas import ImageDetail, ImageRecordPage, RawMetadata
from mysticanvas.formats.generators.infotext import write_infotext
from mysticanvas.fs.safe_open import FileSource, open_beneath
from mysticanvas.fs.thumbnail_cache import ThumbCache
from mysticanvas.http.cancellation import run_while_connected
from mysticanvas.http.etags import make_etag
from mysticanvas.http.problems import respond
from mysticanvas.http.responses import link_next, reply, returns, returns_file, split_page
from mysticanvas.http.schemas import MAX_QUERY, Int64
from mysticanvas.search import language
from mysticanvas.search.image_records import MAX_RECORDS, UserData, read_records
from mysticanvas.search.snapshots import Snapshots

_TYPES = [*(one.media_type for one in ImageFormat), "application/octet-stream"]
_FILE = returns_file(_TYPES, "The file.") | returns_file(_TYPES, "The range in the Range header.", status=206)
_THUMBNAIL = returns_file("image/webp", "The thumbnail.")
BLOCK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
# The keys under which generators store text that can be pasted back into them, in order of preference.
_PARAMETERS_KEYS = ("parameters", "UserComment", "invokeai_metadata", "sd-metadata", "prompt", "workflow", "Dream")


def routes(database: Database, cache: ThumbCache, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(tags=["images"])
    # Fixed paths must be registered before those that begin with a uuid.
    _add_list(router, database, snapshots)
    _add_image(router, database)
    _add_thumbnails(router, database, cache)
    return router


def _add_list(router: APIRouter, database: Database, snapshots: Snapshots) -> None:
    finder = snapshots.finder

    @router.get(
        "/images/details",
        operation_id="images.listDetails",
        responses=returns(ImageRecordPage, schemas.EXAMPLE_PAGE),
    )
    async def list_details(
        request: Request,
        q: Annotated[str, Query(max_length=MAX_QUERY)] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_RECORDS)] = MAX_RECORDS,
        after: Int64 | None = None,
    ) -> Response:
        """Search images with their prompts, settings, tags, models and files, for an export.

        To get the next page, pass `next` from the response as `after`.
        """
        query = language.parse(q)

        def load_page() -> Response:
            found = finder.page(query, after=after, limit=limit + 1)
            ids, next_after = split_page([one.id for one in found], limit, int)
            page = ImageRecordPage(finder.count(query), database.read(read_records, ids), next_after)
            return reply(page, headers=link_next(request, after=next_after))

        return await run_while_connected(request, load_page)


def _add_image(router: APIRouter, database: Database) -> None:
    @router.get("/images/{uuid}", operation_id="images.get", responses=returns(ImageDetail, schemas.EXAMPLE_DETAIL))
    async def detail(uuid: str) -> Response:
        """One image with all details. Its ETag covers what a user can change: rating, favorite, notes and tags."""
        found = database.read(_load_detail, uuid)
        user_data = UserData(found.is_favorite, found.rating, found.notes, found.tags)
        return reply(found, headers={"etag": make_etag(user_data)})

    @router.get(
        "/images/{uuid}/raw",
        operation_id="images.listRawMetadata",
        responses=returns(RawMetadata, schemas.EXAMPLE_RAW),
    )
    async def raw(uuid: str) -> Response:
        """All texts in the file, as the generator wrote them."""
        entries = database.read(lambda tx: raw_metadata.list_entries(tx, generations.get_id(tx, uuid)))
        return reply(RawMetadata(entries))

    @router.get("/images/{uuid}/file", operation_id="images.getFile", responses=_FILE)
    def original(uuid: str, request: Request) -> Response:
        """The file, byte for byte. Supports one range of bytes."""
        source, format_ = _open_any(database.read(lambda tx: _list_locations(tx, uuid)))
        return _send(source, format_, request.headers.get("range"))


def _add_thumbnails(router: APIRouter, database: Database, cache: ThumbCache) -> None:
    # Later rows are never outdated.
    has_outdated = database.read(outdated.has_outdated)

    @router.get("/thumbnails/{name}/{size}", operation_id="thumbnails.get", responses=_THUMBNAIL)
    async def thumb(name: str, size: Int64) -> Response:
        """A thumbnail. `name` is the `thumb` of an image, and `size` the length of the shorter side in pixels."""
        path = cache.path(name, size)
        if not _NAME.fullmatch(name) or size not in cache.short_edges_px or not path.is_file():
            raise NotFoundError("This thumbnail has not been created yet.")
        # Until thumbnails of an older version are checked, they may still be replaced under the same address.
        may_change = has_outdated and database.read(outdated.is_outdated, blake3=bytes.fromhex(name))
        headers = {"cache-control": "no-cache" if may_change else "private, max-age=31536000, immutable"}
        return FileResponse(path, media_type="image/webp", headers=headers)


def _load_detail(tx: ReadTx, uuid: str) -> ImageDetail:
    image = generations.get_id(tx, uuid)
    record, made = read_records(tx, [image])[0], generations.get_detail(tx, image)
    written = _find_parameters_text(raw_metadata.list_entries(tx, image))
    text = written or write_infotext(_build_recipe(made, record.loras))
    return ImageDetail(**{field.name: getattr(record, field.name) for field in fields(record)}, parameters_text=text)


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


def _list_locations(tx: ReadTx, uuid: str) -> list[FileRow]:
    """Lists the files with the content of the image: the original first, then copies."""
    own = (FileKind.FINAL, FileKind.COPY)
    located = file_rows.list_of_image(tx, GenerationId(generations.get_id(tx, uuid)))
    return [file for file in located if file.kind in own and file.root is not None]


def _open_any(locations: list[FileRow]) -> tuple[FileSource, str | None]:
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
            return respond(416, "The file is shorter.", headers={"content-range": f"bytes */{source.size}"})
        status = 206
        headers["content-range"] = f"bytes {first}-{last}/{source.size}"
    headers["content-length"] = str(last - first + 1)
    return StreamingResponse(_read_blocks(source, first, last + 1), status, headers, media_type)


def _read_blocks(source: FileSource, offset: int, end: int) -> Iterator[bytes]:
    with source:
        while offset < end and (block := source.read(offset, min(BLOCK_BYTES, end - offset))):
            offset += len(block)
            yield block
