"""Queues jobs that compute an embedding of every distinct prompt with every installed model.

Prompts are numbered in the order of their import. A job covers a block of these numbers and one model, and computes
only the vectors that are missing when it runs. Superfluous jobs are harmless, and `queue_missing` makes up for
missing ones.
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
from mysticanvas.jobs.queries import JobSelection
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority
from mysticanvas.ml import embedding_models
from mysticanvas.ml.embedding_models import EmbeddingSpace
from mysticanvas.search import prompt_vectors

# The setting with the number of the last prompt for which a job of the space was queued.
QUEUED_SETTING = "embed.queued.{}"
# More than the blocks of any library.
MAX_BLOCKS = 1_000_000
# The number of prompts that one query checks for missing vectors.
PROMPTS_PER_SLICE = 20_000
# Checking one slice takes some hundredths of a second, even while other work runs.
SLICE_LIMIT_MS = 20_000


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` distinct prompts have a vector in this space."""

    space: str
    done: int
    total: int


def queue_new(tx: WriteTx, *, now_ms: int) -> None:
    """Queue jobs for the prompts imported since the last call, in the transaction that imports them."""
    last = prompt_vectors.get_last_prompt_id(tx)
    for space in embedding_models.list_available():
        name = QUEUED_SETTING.format(space.name)
        queued = int(settings_store.get(tx, name, 0))
        if last > queued:
            blocks = range((queued + 1) // space.batch, last // space.batch + 1)
            job_queue.enqueue_all(tx, [_build_job(space, block) for block in blocks], now_ms=now_ms)
            settings_store.put(tx, name, last)


def on_prompts_added(tx: WriteTx, _: Sequence[NewImage], *, now_ms: int) -> None:
    queue_new(tx, now_ms=now_ms)


def on_image_read_again(tx: WriteTx, _: GenerationId, *, now_ms: int) -> None:
    queue_new(tx, now_ms=now_ms)


def queue_missing(database: Database, *, now_ms: Callable[[], int], goes_on: Callable[[], bool] = lambda: True) -> int:
    """Queue jobs for every prompt without a vector, regardless of earlier jobs. Returns the number of blocks.

    Runs at startup, because a model may have been installed or a job discarded. Calling it twice is harmless. It
    stops between two slices when `goes_on` returns False.
    """
    found = 0
    for space in embedding_models.list_available():
        last = database.read(prompt_vectors.get_last_prompt_id)
        for first in range(0, last + 1, PROMPTS_PER_SLICE):
            if not goes_on():
                return found
            until = min(last, first + PROMPTS_PER_SLICE - 1)
            blocks = database.read_within(
                SLICE_LIMIT_MS,
                prompt_vectors.list_unembedded_blocks,
                space=space.name,
                size=space.batch,
                first=first,
                last=until,
            )
            if blocks:
                database.write_bulk(
                    job_queue.enqueue_all, [_build_job(space, block) for block in blocks], now_ms=now_ms()
                )
            found += len(blocks)
        database.write_bulk(_raise_queued, space, last)
    return found


def rebuild(tx: WriteTx, *, now_ms: int) -> None:
    """Delete all prompt vectors and queue jobs that compute them again."""
    job_queries.cancel(tx, JobSelection(kind=JOB_KIND), limit=MAX_BLOCKS, now_ms=now_ms)
    for space in embedding_models.SPACES:
        prompt_vectors.delete_vectors(tx, space=space.name)
        settings_store.put(tx, QUEUED_SETTING.format(space.name), 0)
    queue_new(tx, now_ms=now_ms)


def list_progress(tx: ReadTx) -> list[Progress]:
    """The progress of each space whose model is installed, the fastest model first."""
    names = [space.name for space in embedding_models.list_available()]
    total, done = prompt_vectors.count_vectors(tx, names)
    return [Progress(name, done[name], total) for name in names]


def _raise_queued(tx: WriteTx, space: EmbeddingSpace, last: int) -> None:
    name = QUEUED_SETTING.format(space.name)
    settings_store.put(tx, name, max(last, int(settings_store.get(tx, name, 0))))


def _build_job(space: EmbeddingSpace, block: int) -> NewJob:
    first = block * space.batch
    payload = {"space": space.name, "first": first, "last": first + space.batch - 1}
    # The instant model makes a library searchable, so it runs before thumbnails; the accurate one after them.
    priority = JobPriority.SOON if space is embedding_models.INSTANT else JobPriority.BEHIND
    return NewJob(JOB_KIND, payload, f"{space.name}:{block}", priority)
