"""The requests and responses of the routes for models."""

from dataclasses import dataclass

from pydantic import BaseModel, Field

from mysticanvas.edits.types import EditResult
from mysticanvas.features.models.file_queries import ModelFolder
from mysticanvas.features.models.list_queries import ListedFile, ModelDetail, ModelHash, ModelSummary
from mysticanvas.features.models.scan import ModelScanReport
from mysticanvas.http.schemas import Int64, PathText


class ModelScanRequest(BaseModel):
    """`paths`: model folders. If empty, all known folders are scanned. `reread`: also read unchanged files."""

    paths: list[PathText] = Field(default_factory=list, max_length=100)
    reread: bool = False


class ModelMergeRequest(BaseModel):
    """The IDs of two models that are the same. `other` is merged into `keep`."""

    keep: Int64
    other: Int64


@dataclass(frozen=True, slots=True)
class ModelList:
    """Models by kind, most used first, and the folders that are scanned for models."""

    models: list[ModelSummary]
    folders: list[ModelFolder]


@dataclass(frozen=True, slots=True)
class ModelImages:
    """The newest `uuids` of `total` images made with the model."""

    total: int
    uuids: list[str]


_MODEL = ModelSummary(
    id=4,
    kind="lora",
    name="film_grain",
    family="SDXL",
    trigger_words=["analog film"],
    title="Film grain",
    path="/home/you/ComfyUI/models/loras/film_grain.safetensors",
    bytes=228_456_528,
    missing=False,
    hashed=True,
    preview=True,
    problem=None,
    images=310,
    doubtful=2,
)
EXAMPLE_LIST = ModelList([_MODEL], [ModelFolder(1, "/home/you/ComfyUI/models", 1_787_400_000_000, files=42)])
EXAMPLE_DETAIL = ModelDetail(
    model=_MODEL,
    about={"title": "Film grain", "author": "you"},
    hashes=[ModelHash("autov2", "abcdef0123", "file")],
    files=[ListedFile("/home/you/ComfyUI/models/loras/film_grain.safetensors", 228_456_528, None, True, False)],
    entries=[],
)
EXAMPLE_IMAGES = ModelImages(310, ["0b7e7c1c-6f9f-4f1e-8a43-6b1a2e5c9d01"])
EXAMPLE_SCAN = ModelScanReport(["/home/you/ComfyUI/models"], found=42, added=2, unchanged=40)
EXAMPLE_MERGE = EditResult(operation=12, changed=2, total=2)
