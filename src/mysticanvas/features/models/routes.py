"""The model registry: listing, details, scanning and merging."""

import os
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError, NotFoundError, UnreadableFileError
from mysticanvas.domain.model import ModelKind
from mysticanvas.domain.task import Executor
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.models import file_queries, list_queries, queries
from mysticanvas.features.models import scan as model_scan
from mysticanvas.features.models.edits import MergeModels
from mysticanvas.features.models.file_queries import ModelFile
from mysticanvas.features.models.list_queries import LIST_LIMIT_MS
from mysticanvas.formats.containers.identify import detect_format
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.http.responses import reply
from mysticanvas.http.schemas import Int64, PathText

# Previews are small; larger files are not sent.
MAX_PREVIEW_BYTES = 16 * 1024 * 1024


class ScanIn(BaseModel):
    """`paths`: model folders. If empty, all known folders are scanned. `anew`: also read unchanged files."""

    paths: list[PathText] = Field(default_factory=list, max_length=100)
    anew: bool = False


class MergeIn(BaseModel):
    keep: Int64
    other: Int64


def routes(database: Database, workers: Executor, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["models"])

    @router.get("/models", operation_id="models.list")
    def list_models(
        kind: Annotated[str | None, Query(max_length=40)] = None,
        name: Annotated[str | None, Query(max_length=500)] = None,
    ) -> Response:
        _check_kind(kind)
        found = database.read_within(LIST_LIMIT_MS, list_queries.list_models, kind=kind)
        if name is not None:
            matching = set(database.read(list_queries.find_by_name, name, kind=kind))
            found = [model for model in found if model.id in matching]
        return reply({"models": found, "folders": database.read(file_queries.list_folders)})

    @router.post("/models:scan", operation_id="models.scan")
    def scan(asked: ScanIn) -> Response:
        return reply(model_scan.scan(database, workers, asked.paths, anew=asked.anew, now_ms=now_ms))

    @router.post("/models:merge", operation_id="models.merge")
    def merge(asked: MergeIn) -> Response:
        return reply(edits.do(MergeModels(keep=asked.keep, other=asked.other)))

    @router.get("/models/{model_id}", operation_id="models.get")
    def detail(model_id: Int64) -> Response:
        found = database.read_within(LIST_LIMIT_MS, list_queries.load_detail, model_id)
        shown: dict[str, Any] = asdict(found) | {"files": [_describe_file(file) for file in found.files]}
        return reply(shown)

    @router.get("/models/{model_id}/images", operation_id="models.listImages")
    def made_with(
        model_id: Int64,
        role: Annotated[str | None, Query(max_length=40)] = None,
        min_weight: Annotated[float | None, Query(ge=-100, le=100)] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
    ) -> Response:
        _check_kind(role)
        return reply(
            database.read_within(LIST_LIMIT_MS, _list_made_with, model_id, role, min_weight=min_weight, limit=limit)
        )

    @router.get("/models/{model_id}/preview", operation_id="models.getPreview")
    def preview(model_id: Int64) -> Response:
        files = database.read(file_queries.list_model_files, model_id)
        file = next((file for file in files if file.preview is not None and not file.missing), None)
        if file is None or file.preview is None:
            raise NotFoundError("This model has no preview image.")
        return _send_preview(file.folder, file.preview)

    return router


def _list_made_with(
    tx: ReadTx, model_id: Int64, role: str | None, *, min_weight: float | None, limit: int
) -> dict[str, Any]:
    shown = list_queries.load_detail(tx, model_id).model
    images = queries.list_made_with(tx, shown.id, role=ModelKind(role or shown.kind), min_weight=min_weight)
    return {"total": len(images), "uuids": generations.list_uuids(tx, images[:limit])}


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in list(ModelKind):
        raise InvalidInputError(f"Unknown model kind “{kind}”. Use one of: {', '.join(ModelKind)}.")


def _describe_file(file: ModelFile) -> dict[str, Any]:
    return {name: getattr(file, name) for name in ("path", "bytes", "problem", "hashed", "missing")}


def _send_preview(folder: str, path_bytes: bytes) -> Response:
    """The preview image. Its media type is detected from its content, not from its name."""
    try:
        with open_beneath(os.fsencode(folder), path_bytes) as source:
            kind = detect_format(source.read(0, 32)) if source.size <= MAX_PREVIEW_BYTES else None
            content = source.read(0, source.size) if kind else b""
    except UnreadableFileError as error:
        raise NotFoundError(str(error)) from error
    if kind is None:
        raise NotFoundError("The preview of this model is not an image.")
    return Response(content, media_type=kind.media_type, headers={"cache-control": "private, max-age=60"})
