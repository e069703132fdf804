"""Every distinct prompt gets its vectors: new ones as they come, old ones when a model is new.

Prompts are numbered as they arrive. A job is a block of such numbers and one model; it does what is
missing in the block when it runs, so a job too many costs nothing and one too few is made up for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.hooks import NewImage
from mysticanvas.features.semantic.types import JOB_KIND
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queries import Chosen
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority
from mysticanvas.ml import embedding_models
from mysticanvas.ml.embedding_models import Space
from mysticanvas.search import prompt_vectors

# The last prompt for which a job of the space was queued.
QUEUED = "embed.queued.{}"
# More blocks than prompts of any library make.
MOST_BLOCKS = 1_000_000
# Prompts looked through at a time for those without a vector.
PROMPTS_A_SLICE = 20_000
# A search among so many takes some hundredths of a second, with other work at the same time.
SLICE_LIMIT_MS = 20_000


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` distinct prompts have their vector."""

    space: str
    done: int
    total: int


def queue_new(tx: WriteTx, *, now_ms: int) -> None:
    """Jobs for the prompts that have arrived since the last call; in the transaction that brought them (J1)."""
    last = prompt_vectors.last_prompt(tx)
    for space in embedding_models.available():
        name = QUEUED.format(space.name)
        queued = int(settings_store.get(tx, name, 0))
        if last > queued:
            blocks = range((queued + 1) // space.batch, last // space.batch + 1)
            job_queue.enqueue_all(tx, [_job(space, block) for block in blocks], now_ms=now_ms)
            settings_store.put(tx, name, last)


def note_added(tx: WriteTx, _: Sequence[NewImage], *, now_ms: int) -> None:
    queue_new(tx, now_ms=now_ms)


def note_anew(tx: WriteTx, _: GenerationId, *, now_ms: int) -> None:
    queue_new(tx, now_ms=now_ms)


def queue_missing(database: Database, *, now_ms: Callable[[], int], goes_on: Callable[[], bool] = lambda: True) -> int:
    """Jobs for every prompt without a vector, whatever was queued before; how many blocks have some.

    For the start, after an upgrade, an installed model or a discarded job. Asked twice, it does no harm. Broken
    off between slices when it is not to go on.
    """
    found = 0
    for space in embedding_models.available():
        last = database.read(prompt_vectors.last_prompt)
        for first in range(0, last + 1, PROMPTS_A_SLICE):
            if not goes_on():
                return found
            until = min(last, first + PROMPTS_A_SLICE - 1)
            blocks = database.read_within(
                SLICE_LIMIT_MS,
                prompt_vectors.blocks_unembedded,
                space=space.name,
                size=space.batch,
                first=first,
                last=until,
            )
            if blocks:
                database.write_bulk(job_queue.enqueue_all, [_job(space, block) for block in blocks], now_ms=now_ms())
            found += len(blocks)
        database.write_bulk(_raise_queued, space, last)
    return found


def rebuild(tx: WriteTx, *, now_ms: int) -> None:
    """Forget every vector of a prompt; they are made again."""
    job_queries.cancel(tx, Chosen(kind=JOB_KIND), limit=MOST_BLOCKS, now_ms=now_ms)
    for space in embedding_models.SPACES:
        prompt_vectors.forget(tx, space=space.name)
        settings_store.put(tx, QUEUED.format(space.name), 0)
    queue_new(tx, now_ms=now_ms)


def progress(tx: ReadTx) -> list[Progress]:
    """Of each space whose model is installed, the quickest first."""
    names = [space.name for space in embedding_models.available()]
    total, done = prompt_vectors.counts(tx, names)
    return [Progress(name, done[name], total) for name in names]


def _raise_queued(tx: WriteTx, space: Space, last: int) -> None:
    name = QUEUED.format(space.name)
    settings_store.put(tx, name, max(last, int(settings_store.get(tx, name, 0))))


def _job(space: Space, block: int) -> NewJob:
    first = block * space.batch
    payload = {"space": space.name, "first": first, "last": first + space.batch - 1}
    # The instant tier makes a library searchable, so it goes before pictures; the accurate one after them.
    priority = JobPriority.SOON if space is embedding_models.INSTANT else JobPriority.BEHIND
    return NewJob(JOB_KIND, payload, f"{space.name}:{block}", priority)
