"""Kept texts, read again by the parsers of today: a batch of images a job."""

import posixpath
import re
from collections.abc import Sequence
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import raw_metadata
from mysticanvas.domain import clock
from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.recipe_json import load
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.hooks import Pixels
from mysticanvas.features.importing import record, reparse_queries
from mysticanvas.features.importing.messages import REPARSE_JOB, ReparseTexts, StoredTexts, TextsReparsed
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob

# What is wrong with a file was seen when it was read, and no parser will see it again.
_FILE_PROBLEM = re.compile(
    r"The file ends too early|The file holds more text|A text of |The text “|[^:]+\.(json|txt|ya?ml|xmp): "
)


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    kept = reparse_queries.load_stored(tx, payload["generations"])
    images = [StoredTexts(one.id, one.raw, posixpath.basename(one.path)) for one in kept]
    return ReparseTexts(images) if images else None


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, TextsReparsed)
    read = dict(zip(answer.generations, answer.recipes, strict=True))
    rest = []
    for one in reparse_queries.load_stored(tx, payload["generations"]):
        content = read.get(one.id)
        if content is None:
            rest.append(one.id)
        elif content:
            recipe = load(content)
            problems = [problem for problem in one.problems if _FILE_PROBLEM.match(problem)]
            record.set_recipe(tx, one.id, recipe, [*problems, *recipe.problems], now_ms=clock.now_ms())
    if rest:
        enqueue(tx, rest)


def store_hidden_text(tx: WriteTx, image: GenerationId, pixels: Pixels, *, now_ms: int) -> None:
    """Text that pixels hide is kept beside the texts of the file; what they say together is for a worker to read."""
    if pixels.hidden is not None:
        raw_metadata.keep_also(tx, image, TextEntry("stealth", "stealth", pixels.hidden))
        enqueue(tx, [image])


def enqueue(tx: WriteTx, images: Sequence[int]) -> None:
    """The same images twice are one job while it waits."""
    key = f"{images[0]}-{images[-1]}-{len(images)}"
    job_queue.enqueue(tx, NewJob(REPARSE_JOB, build_payload(images), key), now_ms=clock.now_ms())


def build_payload(images: Sequence[int]) -> dict[str, Any]:
    """The first image names the job where it fails."""
    return {"generations": list(images), "generation": images[0]}


def split(payload: dict[str, Any]) -> list[dict[str, Any]]:
    images = payload["generations"]
    middle = len(images) // 2
    return [build_payload(images[:middle]), build_payload(images[middle:])] if middle else []
