"""Tags images with a WD tagger. Off until the user selects the folder of a model.

Its tags have the source `vision` and a run named after the model. The tags of a later run replace them, but never the
tags of the user. Names that are not tags yet become suggested tags.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mysticanvas.db import event_log, settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import MachineTag, TagSource
from mysticanvas.features.hooks import NewImage
from mysticanvas.features.tags import model_tags, model_tags_queries
from mysticanvas.features.wd_tagger.types import JOB_KIND
from mysticanvas.fs.paths import resolve_folder
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queries import JobSelection
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority
from mysticanvas.ml import labels as ml_labels

SETTINGS_KEY = "vision"
# Prefix of the names of runs, to distinguish WD taggers from other models with the source `vision`.
RUN_PREFIX = "wd/"
JOBS_PER_SLICE = 1_000


@dataclass(frozen=True, slots=True)
class TaggerSettings:
    """`folder` contains the model, and `run` identifies its version when the user selected it. Labels below the least
    confidence of their category are not assigned. With `after_import`, new images are tagged after import."""

    folder: str
    run: str
    least_general: float = 0.35
    least_character: float = 0.85
    after_import: bool = True


def get_settings(tx: ReadTx) -> TaggerSettings | None:
    """None while no tagger is selected."""
    stored = settings_store.get(tx, SETTINGS_KEY, None)
    return None if stored is None else TaggerSettings(**stored)


def select_model(
    database: Database, folder: str, *, least_general: float, least_character: float, after_import: bool
) -> TaggerSettings:
    """Use the tagger in a folder. A worker loads it later.

    Raises `InvalidInputError` when the folder does not contain a tagger.
    """
    place = resolve_folder(folder)
    model = place / ml_labels.MODEL
    if not model.is_file():
        raise InvalidInputError(f"{place} does not contain {ml_labels.MODEL}. Select the folder of a WD tagger.")
    labels = ml_labels.read_labels(place / ml_labels.LABELS)
    if not labels:
        raise InvalidInputError(f"{place / ml_labels.LABELS} contains no tags. Select the folder of a WD tagger.")
    stat = model.stat()
    mark = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns} {len(labels)}".encode()).hexdigest()[:8]
    settings = TaggerSettings(
        str(place), f"{RUN_PREFIX}{place.name}/{mark}", least_general, least_character, after_import
    )
    database.write(settings_store.put, SETTINGS_KEY, asdict(settings))
    return settings


def remove_model(database: Database, *, now_ms: int) -> None:
    """Stop using a tagger. Its tags are kept."""
    database.write(settings_store.put, SETTINGS_KEY, None)
    job_control.cancel(database, JobSelection(kind=JOB_KIND), now_ms=now_ms)


def start(database: Database, images: Sequence[GenerationId], *, again: bool, now_ms: int) -> int:
    """Queue jobs that tag these images; those already tagged by the model only with `again`. Returns how many.

    Raises `InvalidInputError` while no tagger is selected.
    """
    settings = database.read(get_settings)
    if settings is None:
        raise InvalidInputError("No tagger is selected. Select one with: mysticanvas tagger enable FOLDER")
    queued = 0
    for first in range(0, len(images), JOBS_PER_SLICE):
        queued += database.write_bulk(_enqueue, images[first : first + JOBS_PER_SLICE], settings, again, now_ms=now_ms)
    database.write(
        event_log.append, level="info", kind="vision", subject=settings.run, data={"images": queued}, now_ms=now_ms
    )
    return queued


def on_images_added(tx: WriteTx, images: Sequence[NewImage], *, now_ms: int) -> None:
    """Queue jobs for new images, in the transaction that imports them, if the user enabled this."""
    settings = get_settings(tx)
    if settings is not None and settings.after_import:
        job_queue.enqueue_all(tx, [_build_job(one.id, one.uuid, settings) for one in images], now_ms=now_ms)


def _enqueue(tx: WriteTx, images: Sequence[GenerationId], settings: TaggerSettings, again: bool, *, now_ms: int) -> int:
    tagged = (
        set()
        if again
        else model_tags_queries.find_tagged_images(tx, images, source=TagSource.VISION, runs=settings.run)
    )
    new = [_build_job(image, generations.get_uuid(tx, image), settings) for image in images if image not in tagged]
    job_queue.enqueue_all(tx, new, now_ms=now_ms)
    return len(new)


def _build_job(image: GenerationId, public_uuid: str, settings: TaggerSettings) -> NewJob:
    return NewJob(JOB_KIND, {"generation": image, "run": settings.run}, public_uuid, JobPriority.IDLE)


def assign_tags(tx: WriteTx, image: GenerationId, suggested: Sequence[MachineTag], run: str, *, now_ms: int) -> None:
    """Replace all tags that any WD tagger assigned to the image before."""
    model_tags.assign_tags(
        tx, [image], suggested, source=TagSource.VISION, run=run, instead_of=RUN_PREFIX, now_ms=now_ms
    )
