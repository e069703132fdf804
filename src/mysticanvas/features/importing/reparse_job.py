"""The job that parses stored texts again with the current parsers, for a batch of images."""

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

# Problems of the file itself were found when it was read, or when duplicates were merged (duplicates/edits.py).
# Parsing again cannot find them, so they are kept.
FILE_PROBLEM = re.compile(
    r"The file ends too early|The file holds more text|The file contains too m"
    r"|A text (?:field )?of |The text (?:field )?“|Generation data copied from |[^:]+\.(json|txt|ya?ml|xmp): "
)


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    stored = reparse_queries.load_stored(tx, payload["generations"])
    images = [StoredTexts(one.id, one.raw, posixpath.basename(one.path)) for one in stored]
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
            problems = [problem for problem in one.problems if FILE_PROBLEM.match(problem)]
            record.set_recipe(tx, one.id, recipe, [*problems, *recipe.problems], now_ms=clock.now_ms())
    if rest:
        enqueue(tx, rest)


def store_hidden_text(tx: WriteTx, image: GenerationId, pixels: Pixels, *, now_ms: int) -> None:
    """Store the stealth text of an image with the texts of its file, and queue the image for parsing."""
    if pixels.hidden is not None:
        raw_metadata.store_another(tx, image, TextEntry("stealth", "stealth", pixels.hidden))
        enqueue(tx, [image])


def enqueue(tx: WriteTx, images: Sequence[int]) -> None:
    """Queue a job. A batch that is already queued gets no second job."""
    key = f"{images[0]}-{images[-1]}-{len(images)}"
    job_queue.enqueue(tx, NewJob(REPARSE_JOB, build_payload(images), key), now_ms=clock.now_ms())


def build_payload(images: Sequence[int]) -> dict[str, Any]:
    """`generation` is the first image; it identifies the job in error messages."""
    return {"generations": list(images), "generation": images[0]}


def split(payload: dict[str, Any]) -> list[dict[str, Any]]:
    images = payload["generations"]
    middle = len(images) // 2
    return [build_payload(images[:middle]), build_payload(images[middle:])] if middle else []
