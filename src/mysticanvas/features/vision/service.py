"""Pictures that models look at: what each looks like, and how explicit it is (A4). Off until the person wants it.

Each distinct picture is looked at once by each model: new ones as soon as they have a thumbnail, old ones behind
everything else. A job is some images; it does what is missing when it runs, so a job too many costs nothing.
"""

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.hooks import Pixels
from mysticanvas.features.vision.types import JOB_KIND
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queries import Chosen
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority
from mysticanvas.ml.image_model_settings import (
    CLIP_IMAGE,
    CLIP_MERGES,
    CLIP_SPACES,
    CLIP_TEXT,
    CLIP_VOCABULARY,
    Clip,
    Sight,
)
from mysticanvas.search import image_vectors

# Some tenths of a second of work.
BATCH = 16
IMAGES_A_SLICE = 4_000
SLICE_LIMIT_MS = 20_000
RUNTIME = "onnxruntime"


@dataclass(frozen=True, slots=True)
class Progress:
    """`seen` distinct pictures have been looked at by the model."""

    space: str
    seen: int


def is_installed() -> bool:
    return importlib.util.find_spec(RUNTIME) is not None


def progress(tx: ReadTx) -> list[Progress]:
    """Of each model that looks, the quickest first."""
    return [Progress(space, image_vectors.seen(tx, space=space)) for space in image_vectors.sight(tx).spaces]


def switch(database: Database, *, is_on: bool, now_ms: Callable[[], int]) -> Sight:
    """Raises `InvalidInputError` when it cannot be. What was seen stays when it is switched off."""
    if is_on and not is_installed():
        raise InvalidInputError("Looking at pictures needs an extra: pip install 'mysticanvas[vision]'")
    wanted = replace(database.read(image_vectors.sight), is_on=is_on)
    database.write(image_vectors.set_sight, wanted)
    if is_on:
        queue_missing(database, now_ms=now_ms)
    else:
        job_control.cancel(database, Chosen(kind=JOB_KIND), now_ms=now_ms())
    return wanted


def set_least_explicit(database: Database, least: float) -> Sight:
    wanted = replace(database.read(image_vectors.sight), least_explicit=least)
    database.write(image_vectors.set_sight, wanted)
    return wanted


def choose_clip(database: Database, folder: str | None, *, now_ms: Callable[[], int]) -> Sight:
    """No folder: none any more. Raises `InvalidInputError` when there is no model of the CLIP family in the folder; it
    is loaded by a worker later."""
    clip = None if folder is None else _clip_in(parse_entered_path(folder))
    wanted = replace(database.read(image_vectors.sight), clip=clip)
    database.write(image_vectors.set_sight, wanted)
    if wanted.is_on:
        queue_missing(database, now_ms=now_ms)
    return wanted


def _clip_in(place: Path) -> Clip:
    model = place / CLIP_IMAGE
    if not model.is_file():
        raise InvalidInputError(f"There is no {CLIP_IMAGE} in {place}.")
    has_text = (place / CLIP_TEXT).is_file()
    lacking = [name for name in (CLIP_VOCABULARY, CLIP_MERGES) if has_text and not (place / name).is_file()]
    if lacking:
        raise InvalidInputError(f"{CLIP_TEXT} needs {lacking[0]} beside it in {place}.")
    stat = model.stat()
    mark = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:8]
    return Clip(str(place.resolve()), f"{CLIP_SPACES}{mark}", has_text)


def note(tx: WriteTx, image: GenerationId, pixels: Pixels, *, now_ms: int) -> None:
    """A thumbnail has come; in the transaction that keeps it (J1)."""
    if pixels.has_thumbnail and image_vectors.sight(tx).is_on:
        job_queue.enqueue(tx, _job([image], JobPriority.BEHIND), now_ms=now_ms)


def queue_missing(database: Database, *, now_ms: Callable[[], int], goes_on: Callable[[], bool] = lambda: True) -> int:
    """Jobs for every picture that a model has not looked at; how many images they are of. Asked twice, it does no
    harm. Broken off between slices when it is not to go on."""
    wanted, queued = database.read(image_vectors.sight), 0
    if not (wanted.is_on and is_installed()):
        return 0
    for space in wanted.spaces:
        last: int | None = 0
        while last is not None and goes_on():
            unseen, last = database.read_within(
                SLICE_LIMIT_MS, image_vectors.images_unseen, space=space, after=last, limit=IMAGES_A_SLICE
            )
            new = [_job(unseen[at : at + BATCH], JobPriority.IDLE) for at in range(0, len(unseen), BATCH)]
            if new:
                database.write_bulk(job_queue.enqueue_all, new, now_ms=now_ms())
            queued += len(unseen)
    return queued


def _job(images: Sequence[GenerationId], priority: int) -> NewJob:
    key = f"{images[0]}-{images[-1]}-{len(images)}"
    return NewJob(JOB_KIND, {"generations": list(images)}, key, priority)
