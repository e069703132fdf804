"""The model registry: listing, details, scanning and merging."""

import os
from typing import Annotated

from fastapi import APIRouter, Query, Response

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError, NotFoundError, UnreadableFileError
from mysticanvas.domain.file import ImageFormat
from mysticanvas.domain.model import ModelKind
from mysticanvas.domain.task import Executor
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EditResult
from mysticanvas.features.models import file_queries, list_queries, queries, schemas
from mysticanvas.features.models import scan as model_scan
from mysticanvas.features.models.edits import MergeModels
from mysticanvas.features.models.list_queries import LIST_LIMIT_MS, ModelDetail
from mysticanvas.features.models.scan import ModelScanReport
from mysticanvas.features.models.schemas import ModelImages, ModelList, ModelMergeRequest, ModelScanRequest
from mysticanvas.formats.containers.identify import detect_format
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.http.responses import reply, returns, returns_file
from mysticanvas.http.schemas import Int64

# Previews are small; larger files are not sent.
MAX_PREVIEW_BYTES = 16 * 1024 * 1024
_PREVIEW = returns_file([kind.media_type for kind in ImageFormat], "The image.")


def routes(database: Database, workers: Executor, edits: EditRunner) -> APIRouter:
    router = APIRouter(tags=["models"])

    @router.get("/models", operation_id="models.list", responses=returns(ModelList, schemas.EXAMPLE_LIST))
    def list_models(
        kind: Annotated[str | None, Query(max_length=40)] = None,
        name: Annotated[str | None, Query(max_length=500)] = None,
    ) -> Response:
        """List all models, or those of a kind or with a name. Upper and lower case are equal."""
        _check_kind(kind)
        found = database.read_within(LIST_LIMIT_MS, list_queries.list_models, kind=kind)
        if name is not None:
            matching = set(database.read(list_queries.find_by_name, name, kind=kind))
            found = [model for model in found if model.id in matching]
        return reply(ModelList(found, database.read(file_queries.list_folders)))

    @router.post("/models:scan", operation_id="models.scan", responses=returns(ModelScanReport, schemas.EXAMPLE_SCAN))
    def scan(asked: ModelScanRequest) -> Response:
        """Scan model folders. Responds when the scan is done; jobs compute the hashes of new files afterwards."""
        return reply(model_scan.scan(database, workers, asked.paths, reread=asked.reread, now_ms=now_ms))

    @router.post("/models:merge", operation_id="models.merge", responses=returns(EditResult, schemas.EXAMPLE_MERGE))
    def merge(asked: ModelMergeRequest) -> Response:
        """Merge two models that are the same. This can be undone."""
        return reply(edits.do(MergeModels(keep=asked.keep, other=asked.other)))

    @router.get("/models/{model_id}", operation_id="models.get", responses=returns(ModelDetail, schemas.EXAMPLE_DETAIL))
    def show(model_id: Int64) -> Response:
        """One model with its hashes and files."""
        return reply(database.read_within(LIST_LIMIT_MS, list_queries.load_detail, model_id))

    @router.get(
        "/models/{model_id}/images",
        operation_id="models.listImages",
        responses=returns(ModelImages, schemas.EXAMPLE_IMAGES),
    )
    def list_images(
        model_id: Int64,
        role: Annotated[str | None, Query(max_length=40)] = None,
        min_weight: Annotated[float | None, Query(ge=-100, le=100)] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
    ) -> Response:
        """List the images made with a model, newest first. `role`: the kind that the image used it as. `min_weight`:
        the minimum weight of a LoRA. To page through them, search for the model instead."""
        _check_kind(role)
        return reply(
            database.read_within(LIST_LIMIT_MS, _list_made_with, model_id, role, min_weight=min_weight, limit=limit)
        )

    @router.get("/models/{model_id}/preview", operation_id="models.getPreview", responses=_PREVIEW)
    def get_preview(model_id: Int64) -> Response:
        """The preview image next to the file of a model."""
        files = database.read(file_queries.list_model_files, model_id)
        file = next((file for file in files if file.preview is not None and not file.missing), None)
        if file is None or file.preview is None:
            raise NotFoundError("This model has no preview image.")
        return _send_preview(file.folder, file.preview)

    return router


def _list_made_with(
    tx: ReadTx, model_id: Int64, role: str | None, *, min_weight: float | None, limit: int
) -> ModelImages:
    shown = list_queries.load_detail(tx, model_id).model
    images = queries.list_made_with(tx, shown.id, role=ModelKind(role or shown.kind), min_weight=min_weight)
    return ModelImages(len(images), generations.list_uuids(tx, images[:limit]))


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in list(ModelKind):
        raise InvalidInputError(f"Unknown model kind “{kind}”. Use one of: {', '.join(ModelKind)}.")


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
