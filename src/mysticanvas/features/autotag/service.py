"""Tags by a language model: off until the person names an endpoint.

One question a distinct prompt, or an image where the picture is looked at. A run is named after the
model and the version of the question, so that both can be seen with each tag. The wishes live in the
library; the endpoint's key does not (`keys.py`): it is never in the database, a backup or a log.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from mysticanvas.db import event_log, settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagSource
from mysticanvas.domain.text import clean
from mysticanvas.features.autotag.prompting import PROMPT_VERSION
from mysticanvas.features.autotag.types import JOB_KIND, Autotagging, Endpoint, LookAt
from mysticanvas.features.hooks import NewImage
from mysticanvas.features.tags import image_tag_queries, model_tags_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority
from mysticanvas.llm import url_policy

WISHES = "autotag"
MAX_MODEL = 200
IMAGES_A_SLICE = 5_000
JOBS_A_SLICE = 1_000
READ_LIMIT_MS = 20_000


@dataclass(frozen=True, slots=True)
class Run:
    """`images` are asked about, by so many `questions`; `told` need none, because this model has said
    something of them already; `silent` have nothing to be asked about. `run` is None for a trial."""

    run: str | None
    images: int
    questions: int
    told: int
    silent: int


# -- wishes -----------------------------------------------------------------------------------


def wishes(tx: ReadTx) -> Autotagging | None:
    """None while auto-tagging is off."""
    kept: dict[str, Any] | None = settings_store.get(tx, WISHES, None)
    if kept is None:
        return None
    return Autotagging(Endpoint(**kept["endpoint"]), LookAt(kept["look_at"]), kept["after_import"])


def set_wishes(tx: WriteTx, wanted: Autotagging | None) -> None:
    """Raises `InvalidInputError` when the endpoint may not be asked as it is written."""
    kept = None if wanted is None else asdict(replace(wanted, endpoint=checked(wanted.endpoint)))
    settings_store.put(tx, WISHES, kept)


def checked(endpoint: Endpoint) -> Endpoint:
    """As it is kept. Raises `InvalidInputError`."""
    model = " ".join(clean(endpoint.model).split())
    if not model or len(model) > MAX_MODEL:
        raise InvalidInputError("Name the model that the server is to use.")
    url_policy.locate(endpoint.base_url, allow_remote=endpoint.allow_remote)
    return replace(endpoint, base_url=endpoint.base_url.strip(), model=model)


def source_of(look_at: LookAt) -> TagSource:
    return TagSource.LLM if look_at is LookAt.PROMPT else TagSource.VISION


def runs_of(endpoint: Endpoint) -> str:
    """How the names of all runs of a model with today's question begin."""
    return f"{endpoint.model}/{PROMPT_VERSION}/"


# -- asking -----------------------------------------------------------------------------------


def start(
    database: Database,
    images: Sequence[GenerationId],
    *,
    again: bool = False,
    dry_run: bool = False,
    now_ms: Callable[[], int],
) -> Run:
    """Ask about these images; `again`: also about those of which the model has said something. The event
    of the run says what was asked. Raises `InvalidInputError` while auto-tagging is off."""
    wanted = database.read(wishes)
    if wanted is None:
        raise InvalidInputError("Set the address of a model server first.")
    asked, told = _untold(database, images, wanted, again=again)
    by_prompt = _by_prompt(database, asked)
    run = runs_of(wanted.endpoint) + secrets.token_hex(4)
    new = _questions(wanted, run, asked, by_prompt)
    count = sum(len(job.payload["images"]) for job in new)
    if dry_run:
        return Run(None, count, len(new), told, len(asked) - count)
    said = {"model": wanted.endpoint.model, "prompt_version": PROMPT_VERSION, "questions": len(new), "images": count}
    database.write(event_log.append, level="info", kind="autotag.run", subject=run, data=said, now_ms=now_ms())
    for begin in range(0, len(new), JOBS_A_SLICE):
        database.write_bulk(job_queue.enqueue_all, new[begin : begin + JOBS_A_SLICE], now_ms=now_ms())
    return Run(run, count, len(new), told, len(asked) - count)


def _untold(
    database: Database, images: Sequence[GenerationId], wanted: Autotagging, *, again: bool
) -> tuple[list[GenerationId], int]:
    """The images to ask about, and how many others there are."""
    if again:
        return list(images), 0
    told: set[int] = set()
    for begin in range(0, len(images), IMAGES_A_SLICE):
        told |= database.read_within(
            READ_LIMIT_MS,
            model_tags_queries.told,
            images[begin : begin + IMAGES_A_SLICE],
            source=source_of(wanted.look_at),
            runs=runs_of(wanted.endpoint),
        )
    return [image for image in images if image not in told], len(told)


def _by_prompt(database: Database, images: Sequence[GenerationId]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for begin in range(0, len(images), IMAGES_A_SLICE):
        some = database.read_within(
            READ_LIMIT_MS, model_tags_queries.prompts_of, images[begin : begin + IMAGES_A_SLICE]
        )
        for prompt, of in some.items():
            found.setdefault(prompt, []).extend(of)
    return found


def _questions(
    wanted: Autotagging, run: str, images: Sequence[GenerationId], by_prompt: dict[int, list[int]]
) -> list[NewJob]:
    if wanted.look_at is LookAt.PROMPT:
        return [_question(wanted, run, prompt, of, f"{run}:{prompt}") for prompt, of in by_prompt.items()]
    prompt_of = {image: prompt for prompt, of in by_prompt.items() for image in of}
    return [_question(wanted, run, prompt_of.get(image), [image], f"{run}:image:{image}") for image in images]


def _question(wanted: Autotagging, run: str, prompt: int | None, images: list[int] | None, key: str) -> NewJob:
    """`images` None: all that have the prompt, and of which the model has said nothing, when it answers."""
    payload = {
        "prompt": prompt,
        "images": images,
        "run": run,
        "endpoint": asdict(wanted.endpoint),
        "look_at": wanted.look_at,
    }
    return NewJob(JOB_KIND, payload, key, JobPriority.BEHIND)


def note(tx: WriteTx, added: Sequence[NewImage], *, now_ms: int) -> None:
    """New images, in the transaction that brought them (J1): asked about when the person wants that.
    A prompt that the model has been asked about before is not asked again."""
    images = [one.id for one in added]
    wanted = wishes(tx) if images else None
    if wanted is None or not wanted.after_import:
        return
    by_prompt = model_tags_queries.prompts_of(tx, images)
    run = runs_of(wanted.endpoint) + "import"
    if wanted.look_at is not LookAt.PROMPT:
        job_queue.enqueue_all(tx, _questions(wanted, run, images, by_prompt), now_ms=now_ms)
        return
    new = [prompt for prompt, of in by_prompt.items() if not _answered_before(tx, wanted, prompt, of, now_ms)]
    job_queue.enqueue_all(
        tx, [_question(wanted, run, prompt, None, f"{run}:{prompt}") for prompt in new], now_ms=now_ms
    )


def _answered_before(tx: WriteTx, wanted: Autotagging, prompt: int, images: list[int], now_ms: int) -> bool:
    source, runs = source_of(wanted.look_at), runs_of(wanted.endpoint)
    told = model_tags_queries.told(tx, model_tags_queries.images_of_prompt(tx, prompt), source=source, runs=runs)
    if not told:
        return False
    image_tag_queries.derive_pairs(
        tx, model_tags_queries.copy(tx, min(told), images, source=source, runs=runs, now_ms=now_ms)
    )
    return True


def forget_run(database: Database, run: str) -> int:
    """All that one run said goes, and nothing else. Of how many images."""
    changed = 0
    while images := database.read_within(READ_LIMIT_MS, model_tags_queries.images_of_run, run, limit=JOBS_A_SLICE):
        database.write_bulk(_forget, images, run)
        changed += len(images)
    return changed


def _forget(tx: WriteTx, images: Sequence[GenerationId], run: str) -> None:
    for source in (TagSource.LLM, TagSource.VISION):
        image_tag_queries.derive_pairs(tx, model_tags_queries.forget(tx, images, source=source, runs=run))
    tx.changes.changed.extend(images)
