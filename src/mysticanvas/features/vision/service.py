"""Image analysis: queues jobs that compute image embeddings and NSFW scores. Off by default.

Each model analyzes each distinct image once: new images as soon as they have a thumbnail, existing ones when there is
no other work. A job covers a few images and computes only what is missing when it runs, so superfluous jobs are
harmless.
"""

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import BEFORE_ALL_IDS, GenerationId
from mysticanvas.features.hooks import Pixels
from mysticanvas.features.vision.types import JOB_KIND
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queries import JobSelection
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority
from mysticanvas.ml.image_model_settings import (
    CLIP_IMAGE,
    CLIP_MERGES,
    CLIP_SPACE_PREFIX,
    CLIP_TEXT,
    CLIP_VOCABULARY,
    ClipModel,
    ImageAnalysisSettings,
)
from mysticanvas.search import image_vectors

# Analyzing one batch takes some tenths of a second.
BATCH = 16
IMAGES_PER_SLICE = 4_000
SLICE_LIMIT_MS = 20_000
RUNTIME = "onnxruntime"


@dataclass(frozen=True, slots=True)
class AnalysisProgress:
    """The model of `space` has analyzed `seen` distinct images."""

    space: str
    seen: int


def is_installed() -> bool:
    return importlib.util.find_spec(RUNTIME) is not None


def list_progress(tx: ReadTx) -> list[AnalysisProgress]:
    """The progress of each active model, the fastest first."""
    return [
        AnalysisProgress(space, image_vectors.count_vectors(tx, space=space))
        for space in image_vectors.get_image_model_settings(tx).spaces
    ]


def set_enabled(database: Database, *, is_on: bool, now_ms: Callable[[], int]) -> ImageAnalysisSettings:
    """Turn image analysis on or off. Existing results are kept.

    Raises `InvalidInputError` when the required packages are not installed.
    """
    if is_on and not is_installed():
        raise InvalidInputError("Image analysis requires additional packages. Run: pip install 'mysticanvas[vision]'")
    settings = replace(database.read(image_vectors.get_image_model_settings), is_on=is_on)
    database.write(image_vectors.set_image_model_settings, settings)
    if is_on:
        queue_missing(database, now_ms=now_ms)
    else:
        job_control.cancel(database, JobSelection(kind=JOB_KIND), now_ms=now_ms())
    return settings


def set_nsfw_threshold(database: Database, least: float) -> ImageAnalysisSettings:
    settings = replace(database.read(image_vectors.get_image_model_settings), least_explicit=least)
    database.write(image_vectors.set_image_model_settings, settings)
    return settings


def set_clip_folder(database: Database, folder: str | None, *, now_ms: Callable[[], int]) -> ImageAnalysisSettings:
    """Use the CLIP model in a folder; None removes the CLIP model. A worker loads it later.

    Raises `InvalidInputError` when the folder does not contain a CLIP model.
    """
    clip = None if folder is None else _read_clip(parse_entered_path(folder))
    settings = replace(database.read(image_vectors.get_image_model_settings), clip=clip)
    database.write(image_vectors.set_image_model_settings, settings)
    if settings.is_on:
        queue_missing(database, now_ms=now_ms)
    return settings


def _read_clip(place: Path) -> ClipModel:
    model = place / CLIP_IMAGE
    if not model.is_file():
        raise InvalidInputError(f"{place} does not contain {CLIP_IMAGE}. Select the folder of a CLIP model.")
    has_text = (place / CLIP_TEXT).is_file()
    missing = [name for name in (CLIP_VOCABULARY, CLIP_MERGES) if has_text and not (place / name).is_file()]
    if missing:
        raise InvalidInputError(f"{place} contains {CLIP_TEXT}, but not {missing[0]}. Add the missing file.")
    stat = model.stat()
    mark = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:8]
    return ClipModel(str(place.resolve()), f"{CLIP_SPACE_PREFIX}{mark}", has_text)


def on_thumbnails_made(tx: WriteTx, image: GenerationId, pixels: Pixels, *, now_ms: int) -> None:
    """Queue the analysis of an image in the transaction that stores its thumbnail."""
    if pixels.has_thumbnail and image_vectors.get_image_model_settings(tx).is_on:
        job_queue.enqueue(tx, _build_job([image], JobPriority.BEHIND), now_ms=now_ms)


def queue_missing(database: Database, *, now_ms: Callable[[], int], goes_on: Callable[[], bool] = lambda: True) -> int:
    """Queue jobs for every image that a model has not analyzed. Returns the number of images.

    Calling it twice is harmless. It stops between two slices when `goes_on` returns False.
    """
    settings, queued = database.read(image_vectors.get_image_model_settings), 0
    if not (settings.is_on and is_installed()):
        return 0
    for space in settings.spaces:
        last: int | None = BEFORE_ALL_IDS
        while last is not None and goes_on():
            missing, last = database.read_within(
                SLICE_LIMIT_MS, image_vectors.list_unanalyzed_images, space=space, after=last, limit=IMAGES_PER_SLICE
            )
            new = [_build_job(missing[at : at + BATCH], JobPriority.IDLE) for at in range(0, len(missing), BATCH)]
            if new:
                database.write_bulk(job_queue.enqueue_all, new, now_ms=now_ms())
            queued += len(missing)
    return queued


def _build_job(images: Sequence[GenerationId], priority: int) -> NewJob:
    key = f"{images[0]}-{images[-1]}-{len(images)}"
    return NewJob(JOB_KIND, {"generations": list(images)}, key, priority)
