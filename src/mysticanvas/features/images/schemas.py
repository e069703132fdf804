"""The responses of the routes for images."""

from dataclasses import asdict, dataclass

from mysticanvas.db.images.used_models import UsedModel
from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.generation import LoraUse
from mysticanvas.search.image_records import ImageFile, ImageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDetail(ImageRecord):
    """An image with all details. `parameters_text` is the generation data as text to paste into a generator: as the
    generator wrote it, or else in the format of A1111."""

    parameters_text: str


@dataclass(frozen=True, slots=True)
class ImageRecordPage:
    """Images in the order of the search. `total` counts all matches. `next` is the `after` of the next page; null on
    the last page."""

    total: int
    items: list[ImageRecord]
    next: int | None


@dataclass(frozen=True, slots=True)
class RawMetadata:
    """All texts in the file of an image. `carrier` is where a text was found, and `key` its name there."""

    entries: list[TextEntry]


_NAME = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_RECORD = ImageRecord(
    id=134_414_080_000,
    uuid="0b7c2d4e-5f60-4a1b-9c3d-2e4f6a8b0c1d",
    path="/home/you/images/lighthouse.png",
    timestamp=1_787_400_000_000,
    timestamp_source="metadata",
    imported_at=1_787_400_060_000,
    prompt="a lighthouse in a violet storm",
    negative_prompt="lowres, blurry",
    notes=None,
    tags=["lighthouse", "storm"],
    collections=["Best"],
    is_favorite=True,
    rating=5,
    seed="3428989595",
    steps=31,
    cfg_scale=4.5,
    guidance=None,
    sampler="DPM++ 2M",
    scheduler="Karras",
    denoise=None,
    clip_skip=2,
    width=832,
    height=1216,
    model="dreamer_v1",
    model_hash="0123456789",
    vae=None,
    loras=[LoraUse("film_grain", 0.6)],
    models=[
        UsedModel(4, "checkpoint", "dreamer_v1", None, sure=True),
        UsedModel(9, "lora", "film_grain", 0.6, sure=False),
    ],
    tool="AUTOMATIC1111",
    tool_version="v1.10.1",
    generation_time_ms=None,
    params={"Hires upscale": "2"},
    problems=[],
    parent=None,
    is_grid=False,
    missing=False,
    deleted=False,
    thumb=_NAME,
    damage=None,
    too_large=None,
    orientation=1,
    explicit=None,
    files=[
        ImageFile(
            kind="final",
            path="lighthouse.png",
            root="/home/you/images",
            bytes=1_482_201,
            mtime_ms=1_787_400_000_000,
            width_px=832,
            height_px=1216,
            format="png",
            blake3=_NAME,
            sha256=None,
            missing=False,
        )
    ],
)
EXAMPLE_PAGE = ImageRecordPage(812, [_RECORD], next=134_414_080_000)
EXAMPLE_DETAIL = ImageDetail(
    **{name: getattr(_RECORD, name) for name in asdict(_RECORD)},
    parameters_text="a lighthouse in a violet storm\nNegative prompt: lowres, blurry\nSteps: 31, Sampler: DPM++ 2M",
)
EXAMPLE_RAW = RawMetadata([TextEntry("tEXt", "parameters", "a lighthouse in a violet storm\nSteps: 31")])
