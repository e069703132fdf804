"""Requests tags from a language model. Off until the user sets an endpoint.

There is one request per distinct prompt, or one per image if the model is sent the image. A run is named after the
model and the version of the request, so that each tag shows both. The settings are stored in the database, but the API
key is stored in a file (`keys.py`), and never in the database, a backup or a log.
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
from mysticanvas.domain.text import clean_text
from mysticanvas.features.autotag.prompting import PROMPT_VERSION
from mysticanvas.features.autotag.types import JOB_KIND, AutotagSettings, Endpoint, LookAt
from mysticanvas.features.hooks import NewImage
from mysticanvas.features.tags import image_tag_queries, model_tags_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority
from mysticanvas.llm import url_policy

SETTINGS_KEY = "autotag"
MAX_MODEL = 200
IMAGES_PER_SLICE = 5_000
JOBS_PER_SLICE = 1_000
READ_LIMIT_MS = 20_000


@dataclass(frozen=True, slots=True)
class AutotagRun:
    """A run sends `images` to the model in `requests`. `already_tagged` images are excluded because this model has
    tagged them before, `without_prompt` ones because there is nothing to send. `run` is the name of the run, null in a
    dry run."""

    run: str | None
    images: int
    requests: int
    already_tagged: int
    without_prompt: int


# -- settings ---------------------------------------------------------------------------------


def get_settings(tx: ReadTx) -> AutotagSettings | None:
    """None while auto-tagging is off."""
    stored: dict[str, Any] | None = settings_store.get(tx, SETTINGS_KEY, None)
    if stored is None:
        return None
    return AutotagSettings(Endpoint(**stored["endpoint"]), LookAt(stored["look_at"]), stored["after_import"])


def set_settings(tx: WriteTx, settings: AutotagSettings | None) -> None:
    """None turns auto-tagging off. Raises `InvalidInputError` when the endpoint is invalid or not allowed."""
    stored = None if settings is None else asdict(replace(settings, endpoint=normalize_endpoint(settings.endpoint)))
    settings_store.put(tx, SETTINGS_KEY, stored)


def normalize_endpoint(endpoint: Endpoint) -> Endpoint:
    """The endpoint as it is stored. Raises `InvalidInputError` when it is invalid or not allowed."""
    model = " ".join(clean_text(endpoint.model).split())
    if not model or len(model) > MAX_MODEL:
        raise InvalidInputError("Specify the name of a model on the server.")
    url_policy.resolve_server(endpoint.base_url, allow_remote=endpoint.allow_remote)
    return replace(endpoint, base_url=endpoint.base_url.strip(), model=model)


def get_source(look_at: LookAt) -> TagSource:
    return TagSource.LLM if look_at is LookAt.PROMPT else TagSource.VISION


def get_run_prefix(endpoint: Endpoint) -> str:
    """The prefix of the names of all runs of a model with the current version of the request."""
    return f"{endpoint.model}/{PROMPT_VERSION}/"


# -- requests ---------------------------------------------------------------------------------


def start(
    database: Database,
    images: Sequence[GenerationId],
    *,
    again: bool = False,
    dry_run: bool = False,
    now_ms: Callable[[], int],
) -> AutotagRun:
    """Queue jobs that request tags for these images; for those already tagged by the model only with `again`.

    Records an event of the run. Raises `InvalidInputError` while auto-tagging is off.
    """
    settings = database.read(get_settings)
    if settings is None:
        raise InvalidInputError("Auto-tagging is off. Set the URL of a model server first.")
    untagged, tagged = _exclude_tagged(database, images, settings, again=again)
    by_prompt = _group_by_prompt(database, untagged)
    run = get_run_prefix(settings.endpoint) + secrets.token_hex(4)
    new = _build_jobs(settings, run, untagged, by_prompt)
    count = sum(len(job.payload["images"]) for job in new)
    if dry_run:
        return AutotagRun(None, count, len(new), tagged, len(untagged) - count)
    data = {"model": settings.endpoint.model, "prompt_version": PROMPT_VERSION, "questions": len(new), "images": count}
    database.write(event_log.append, level="info", kind="autotag.run", subject=run, data=data, now_ms=now_ms())
    for begin in range(0, len(new), JOBS_PER_SLICE):
        database.write_bulk(job_queue.enqueue_all, new[begin : begin + JOBS_PER_SLICE], now_ms=now_ms())
    return AutotagRun(run, count, len(new), tagged, len(untagged) - count)


def _exclude_tagged(
    database: Database, images: Sequence[GenerationId], settings: AutotagSettings, *, again: bool
) -> tuple[list[GenerationId], int]:
    """The images that this model has not tagged yet, and the number of the others."""
    if again:
        return list(images), 0
    tagged: set[int] = set()
    for begin in range(0, len(images), IMAGES_PER_SLICE):
        tagged |= database.read_within(
            READ_LIMIT_MS,
            model_tags_queries.find_tagged_images,
            images[begin : begin + IMAGES_PER_SLICE],
            source=get_source(settings.look_at),
            runs=get_run_prefix(settings.endpoint),
        )
    return [image for image in images if image not in tagged], len(tagged)


def _group_by_prompt(database: Database, images: Sequence[GenerationId]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for begin in range(0, len(images), IMAGES_PER_SLICE):
        some = database.read_within(
            READ_LIMIT_MS, model_tags_queries.group_by_prompt, images[begin : begin + IMAGES_PER_SLICE]
        )
        for prompt, group in some.items():
            found.setdefault(prompt, []).extend(group)
    return found


def _build_jobs(
    settings: AutotagSettings, run: str, images: Sequence[GenerationId], by_prompt: dict[int, list[int]]
) -> list[NewJob]:
    if settings.look_at is LookAt.PROMPT:
        return [_build_job(settings, run, prompt, group, f"{run}:{prompt}") for prompt, group in by_prompt.items()]
    prompt_of = {image: prompt for prompt, group in by_prompt.items() for image in group}
    return [_build_job(settings, run, prompt_of.get(image), [image], f"{run}:image:{image}") for image in images]


def _build_job(settings: AutotagSettings, run: str, prompt: int | None, images: list[int] | None, key: str) -> NewJob:
    """With `images` None, the tags go to all images that have the prompt but no tags from the model yet when it
    responds."""
    payload = {
        "prompt": prompt,
        "images": images,
        "run": run,
        "endpoint": asdict(settings.endpoint),
        "look_at": settings.look_at,
    }
    return NewJob(JOB_KIND, payload, key, JobPriority.BEHIND)


def on_prompts_added(tx: WriteTx, added: Sequence[NewImage], *, now_ms: int) -> None:
    """Queue jobs for new images, in the transaction that imports them, if the user enabled this.

    If the model has already tagged an image with the same prompt, the new image gets a copy of its tags instead.
    """
    images = [one.id for one in added]
    settings = get_settings(tx) if images else None
    if settings is None or not settings.after_import:
        return
    by_prompt = model_tags_queries.group_by_prompt(tx, images)
    run = get_run_prefix(settings.endpoint) + "import"
    if settings.look_at is not LookAt.PROMPT:
        job_queue.enqueue_all(tx, _build_jobs(settings, run, images, by_prompt), now_ms=now_ms)
        return
    new = [
        prompt for prompt, group in by_prompt.items() if not _copy_existing_tags(tx, settings, prompt, group, now_ms)
    ]
    job_queue.enqueue_all(
        tx, [_build_job(settings, run, prompt, None, f"{run}:{prompt}") for prompt in new], now_ms=now_ms
    )


def _copy_existing_tags(tx: WriteTx, settings: AutotagSettings, prompt: int, images: list[int], now_ms: int) -> bool:
    """False when the model has not tagged an image with this prompt yet."""
    source, runs = get_source(settings.look_at), get_run_prefix(settings.endpoint)
    tagged = model_tags_queries.find_tagged_images(
        tx, model_tags_queries.list_images_of_prompt(tx, prompt), source=source, runs=runs
    )
    if not tagged:
        return False
    image_tag_queries.derive_pairs(
        tx, model_tags_queries.copy_assertions(tx, min(tagged), images, source=source, runs=runs, now_ms=now_ms)
    )
    return True


def remove_run(database: Database, run: str) -> int:
    """Remove all tags assigned by a run. Returns the number of images that had any."""
    changed = 0
    while images := database.read_within(
        READ_LIMIT_MS, model_tags_queries.list_images_of_run, run, limit=JOBS_PER_SLICE
    ):
        database.write_bulk(_remove_tags, images, run)
        changed += len(images)
    return changed


def _remove_tags(tx: WriteTx, images: Sequence[GenerationId], run: str) -> None:
    for source in (TagSource.LLM, TagSource.VISION):
        image_tag_queries.derive_pairs(tx, model_tags_queries.delete_assertions(tx, images, source=source, runs=run))
    tx.changes.changed.extend(images)
