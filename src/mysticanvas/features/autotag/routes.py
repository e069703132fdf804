"""Settings of auto-tagging, a test request, and runs over images."""

import asyncio
import time

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Executor
from mysticanvas.edits import log as edit_log
from mysticanvas.features.autotag import job, keys, schemas, service
from mysticanvas.features.autotag.prompting import PROMPT_VERSION
from mysticanvas.features.autotag.schemas import (
    AutotagForgetRequest,
    AutotagRunRequest,
    AutotagSettingsRequest,
    AutotagState,
    AutotagTrial,
    AutotagTrialRequest,
    EndpointRequest,
    RunForgotten,
)
from mysticanvas.features.autotag.service import AutotagRun
from mysticanvas.features.autotag.types import AskForTags, AutotagSettings, Endpoint, LookAt, TagsSuggested
from mysticanvas.http.responses import link_location, reply, returns
from mysticanvas.ml.prompts import extract_words
from mysticanvas.search.snapshots import Snapshots

# Less than the time limit of a task, so that a slow server causes an error and not a worker crash.
TRY_LIMIT_S = 25.0
EXAMPLE_PROMPT = "an old fisherman mending nets at dawn, oil painting, warm light"


def routes(database: Database, workers: Executor, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(tags=["auto-tagging"])

    @router.get(
        "/autotag/settings", operation_id="autotag.getSettings", responses=returns(AutotagState, schemas.EXAMPLE_STATE)
    )
    def get_settings() -> Response:
        """The settings of auto-tagging; null while it is off."""
        return reply(_read_settings(database))

    @router.put(
        "/autotag/settings", operation_id="autotag.setSettings", responses=returns(AutotagState, schemas.EXAMPLE_STATE)
    )
    def set_settings(asked: AutotagSettingsRequest) -> Response:
        """Turn auto-tagging on, or change its settings. Returns the new settings."""
        settings = AutotagSettings(_read_endpoint(asked), asked.look_at, asked.after_import)
        database.write(service.set_settings, settings)
        if asked.key is not None:
            _store_or_delete_key(database, asked.key.strip(), asked.base_url)
        return reply(_read_settings(database))

    @router.post(
        "/autotag:disable", operation_id="autotag.disable", responses=returns(AutotagState, schemas.EXAMPLE_OFF)
    )
    def switch_off() -> Response:
        """Turn auto-tagging off and delete the endpoint and its API key. Existing tags are kept."""
        database.write(service.set_settings, None)
        keys.delete_key(database.folder)
        return reply(_read_settings(database))

    @router.post("/autotag:try", operation_id="autotag.try", responses=returns(AutotagTrial, schemas.EXAMPLE_TRIAL))
    async def try_it(asked: AutotagTrialRequest) -> Response:
        """Request tags with these settings. Neither the settings nor the tags are stored."""
        task = await run_in_threadpool(_build_task, database, asked)
        began_s = time.monotonic()
        answer = await asyncio.wrap_future(workers.submit(task, urgent=True))
        assert isinstance(answer, TagsSuggested)
        took_ms = int((time.monotonic() - began_s) * 1000)
        return reply(AutotagTrial(task.prompt, took_ms, answer.tags))

    @router.post(
        "/autotag/runs",
        operation_id="autotag.startRun",
        responses=returns(AutotagRun, schemas.EXAMPLE_RUN, status=202)
        | returns(AutotagRun, schemas.EXAMPLE_DRY_RUN, description="A dry run: nothing was started."),
    )
    def start_run(asked: AutotagRunRequest) -> Response:
        """Queue jobs that request tags for images. The tags can be removed with the name of the run."""
        images = _list_images(database, snapshots, asked)
        run = service.start(database, images, again=asked.again, dry_run=asked.dry_run, now_ms=now_ms)
        return reply(run) if asked.dry_run else reply(run, 202, link_location("/jobs?kind=autotag"))

    @router.post(
        "/autotag/runs:forget", operation_id="autotag.forgetRun", responses=returns(RunForgotten, RunForgotten(310))
    )
    def forget_run(asked: AutotagForgetRequest) -> Response:
        """Remove all tags assigned by a run. Returns the number of images that had any."""
        return reply(RunForgotten(service.remove_run(database, asked.run)))

    return router


def _read_settings(database: Database) -> AutotagState:
    settings = database.read(service.get_settings)
    has_key = bool(settings and keys.read_key(database.folder, settings.endpoint.base_url))
    return AutotagState(settings, has_key, PROMPT_VERSION)


def _store_or_delete_key(database: Database, key: str, base_url: str) -> None:
    if key:
        keys.store_key(database.folder, key, base_url)
    else:
        keys.delete_key(database.folder)


def _read_endpoint(asked: EndpointRequest) -> Endpoint:
    return service.normalize_endpoint(Endpoint(asked.base_url, asked.model, asked.allow_remote))


def _build_task(database: Database, asked: AutotagTrialRequest) -> AskForTags:
    """The task of a test request. Raises `InvalidInputError` and `NotFoundError`."""
    endpoint = _read_endpoint(asked)
    stored = keys.read_key(database.folder, endpoint.base_url)
    key = stored if asked.key is None else asked.key.strip() or None
    prompt, picture = database.read(_read_subject, asked)
    names = database.read(job.list_vocabulary)
    return AskForTags(endpoint, prompt, picture=picture, vocabulary=names, key=key, limit_s=TRY_LIMIT_S)


def _read_subject(tx: ReadTx, asked: AutotagTrialRequest) -> tuple[str | None, bytes | None]:
    """The prompt and the thumbnail that are sent; at least one of them is not None."""
    if asked.uuid is None:
        if asked.look_at is LookAt.PICTURE:
            raise InvalidInputError("Select an image to send to the model.")
        return extract_words(asked.prompt or "") or EXAMPLE_PROMPT, None
    image = generations.get_id(tx, asked.uuid)
    text = extract_words(generations.get_detail(tx, image).prompt or "") or None
    prompt = None if asked.look_at is LookAt.PICTURE else text
    picture = None if asked.look_at is LookAt.PROMPT else job.read_picture(tx, image)
    if prompt is None and picture is None:
        raise InvalidInputError("This image has no prompt. Select another image, or send the image itself.")
    return prompt, picture


def _list_images(database: Database, snapshots: Snapshots, asked: AutotagRunRequest) -> list[GenerationId]:
    if asked.uuids is not None and asked.query is None:
        return database.read(edit_log.find_images, asked.uuids)
    if asked.query is not None and asked.uuids is None:
        found = snapshots.open(asked.query)
        return snapshots.select_images(found, [(0, found.total)], [])
    raise InvalidInputError("Specify either query or uuids.")
