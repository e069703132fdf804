"""Tags by a tagger that looks at the pictures: off until the person names a folder with one (A3).

What it says is source `vision`, in a run that is named after the model; another model, or the same one again,
speaks instead of it and never instead of the person. Words that are no tag yet become proposals.
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
from mysticanvas.fs.paths import folder_named
from mysticanvas.jobs import control as job_control
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queries import Chosen
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority
from mysticanvas.ml import labels as ml_labels

WISHES = "vision"
# How the names of runs begin, which tell taggers from other models that look at pictures.
RUNS = "wd/"
JOBS_A_SLICE = 1_000


@dataclass(frozen=True, slots=True)
class Wishes:
    """`folder` holds the model; below these confidences a label is not said. With `after_import`, new images
    are looked at as they come. `run` names the model as it was when it was chosen."""

    folder: str
    run: str
    least_general: float = 0.35
    least_character: float = 0.85
    after_import: bool = True


def wishes(tx: ReadTx) -> Wishes | None:
    """None while no tagger is chosen."""
    kept = settings_store.get(tx, WISHES, None)
    return None if kept is None else Wishes(**kept)


def choose(
    database: Database, folder: str, *, least_general: float, least_character: float, after_import: bool
) -> Wishes:
    """Raises `InvalidInputError` when there is no tagger in the folder; it is loaded by a worker later."""
    place = folder_named(folder)
    model = place / ml_labels.MODEL
    if not model.is_file():
        raise InvalidInputError(f"There is no {ml_labels.MODEL} in {place}.")
    known = ml_labels.read_labels(place / ml_labels.LABELS)
    if not known:
        raise InvalidInputError(f"{place / ml_labels.LABELS} names no tags.")
    stat = model.stat()
    mark = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns} {len(known)}".encode()).hexdigest()[:8]
    chosen = Wishes(str(place), f"{RUNS}{place.name}/{mark}", least_general, least_character, after_import)
    database.write(settings_store.put, WISHES, asdict(chosen))
    return chosen


def forget(database: Database, *, now_ms: int) -> None:
    """No tagger any more; what it said stays."""
    database.write(settings_store.put, WISHES, None)
    job_control.cancel(database, Chosen(kind=JOB_KIND), now_ms=now_ms)


def start(database: Database, images: Sequence[GenerationId], *, again: bool, now_ms: int) -> int:
    """Look at these images; those that the model has looked at only with `again`. How many jobs were queued.
    Raises `InvalidInputError` while no tagger is chosen."""
    wanted = database.read(wishes)
    if wanted is None:
        raise InvalidInputError("Choose a tagger first: mysticanvas vision --model FOLDER.")
    queued = 0
    for first in range(0, len(images), JOBS_A_SLICE):
        queued += database.write_bulk(_enqueue, images[first : first + JOBS_A_SLICE], wanted, again, now_ms=now_ms)
    database.write(
        event_log.append, level="info", kind="vision", subject=wanted.run, data={"images": queued}, now_ms=now_ms
    )
    return queued


def note(tx: WriteTx, images: Sequence[NewImage], *, now_ms: int) -> None:
    """New images, in the transaction that brought them."""
    wanted = wishes(tx)
    if wanted is not None and wanted.after_import:
        job_queue.enqueue_all(tx, [_job(one.id, one.uuid, wanted) for one in images], now_ms=now_ms)


def _enqueue(tx: WriteTx, images: Sequence[GenerationId], wanted: Wishes, again: bool, *, now_ms: int) -> int:
    seen = set() if again else model_tags_queries.told(tx, images, source=TagSource.VISION, runs=wanted.run)
    new = [_job(image, generations.uuid_of(tx, image), wanted) for image in images if image not in seen]
    job_queue.enqueue_all(tx, new, now_ms=now_ms)
    return len(new)


def _job(image: GenerationId, public_uuid: str, wanted: Wishes) -> NewJob:
    return NewJob(JOB_KIND, {"generation": image, "run": wanted.run}, public_uuid, JobPriority.IDLE)


def say(tx: WriteTx, image: GenerationId, said: Sequence[MachineTag], run: str, *, now_ms: int) -> None:
    """In place of all that any tagger said of the image before."""
    model_tags.say(tx, [image], said, source=TagSource.VISION, run=run, instead_of=RUNS, now_ms=now_ms)
