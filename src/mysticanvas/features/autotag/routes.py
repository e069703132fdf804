"""Auto-tagging over HTTP: the endpoint and how it is asked, trying it, and runs over images."""

import asyncio
import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Executor
from mysticanvas.edits import log as edit_log
from mysticanvas.features.autotag import job, keys, service
from mysticanvas.features.autotag.prompting import PROMPT_VERSION
from mysticanvas.features.autotag.types import AskForTags, Autotagging, Endpoint, LookAt, TagsSuggested
from mysticanvas.http.schemas import MAX_QUERY, reply
from mysticanvas.ml.prompts import spoken
from mysticanvas.search.snapshots import Snapshots

# Less than the limit of a worker's task, so that a slow server is an error and no crash.
TRY_LIMIT_S = 25.0
TRIED_PROMPT = "an old fisherman mending nets at dawn, oil painting, warm light"
MAX_KEY = 1_000


class EndpointIn(BaseModel):
    """`key` absent: the one that is stored for this server, if any; "" forgets it."""

    base_url: str = Field(max_length=1_000)
    model: str = Field(max_length=400)
    allow_remote: bool = False
    look_at: LookAt = LookAt.PROMPT
    key: str | None = Field(None, max_length=MAX_KEY)


class WishesIn(EndpointIn):
    after_import: bool = False


class TryIn(EndpointIn):
    """With an image, that is asked about; else a prompt, or an example."""

    prompt: str | None = Field(None, max_length=4_000)
    uuid: str | None = Field(None, max_length=36)


class RunIn(BaseModel):
    """All that a query finds, or images by uuid. `again`: also those of which the model has said something."""

    query: str | None = Field(None, max_length=MAX_QUERY)
    uuids: list[Annotated[str, Field(max_length=36)]] | None = Field(None, max_length=10_000)
    again: bool = False
    dry_run: bool = False


class ForgetIn(BaseModel):
    run: str = Field(min_length=1, max_length=400)


def routes(database: Database, workers: Executor, snapshots: Snapshots) -> APIRouter:
    router = APIRouter(prefix="/api/autotag", tags=["auto-tagging"])

    @router.get("")
    def current() -> Response:
        return reply(_current(database))

    @router.post("/settings")
    def set_wishes(asked: WishesIn) -> Response:
        wanted = Autotagging(_endpoint(asked), asked.look_at, asked.after_import)
        database.write(service.set_wishes, wanted)
        if asked.key is not None:
            _keep_or_forget_key(database, asked.key.strip(), asked.base_url)
        return reply(_current(database))

    @router.post("/off")
    def switch_off() -> Response:
        database.write(service.set_wishes, None)
        keys.forget_key(database.folder)
        return reply(_current(database))

    @router.post("/try")
    async def try_it(asked: TryIn) -> Response:
        task = await run_in_threadpool(_trial, database, asked)
        began_s = time.monotonic()
        answer = await asyncio.wrap_future(workers.submit(task, urgent=True))
        assert isinstance(answer, TagsSuggested)
        took_ms = int((time.monotonic() - began_s) * 1000)
        return reply({"prompt": task.prompt, "took_ms": took_ms, "tags": [asdict(tag) for tag in answer.tags]})

    @router.post("")
    def run(asked: RunIn) -> Response:
        images = _images(database, snapshots, asked)
        return reply(service.start(database, images, again=asked.again, dry_run=asked.dry_run, now_ms=now_ms))

    @router.post("/forget")
    def forget(asked: ForgetIn) -> Response:
        return reply({"changed": service.forget_run(database, asked.run)})

    return router


def _current(database: Database) -> dict[str, Any]:
    wishes = database.read(service.wishes)
    return {
        "wishes": asdict(wishes) if wishes else None,
        "has_key": bool(wishes and keys.read_key(database.folder, wishes.endpoint.base_url)),
        "prompt_version": PROMPT_VERSION,
    }


def _keep_or_forget_key(database: Database, key: str, base_url: str) -> None:
    if key:
        keys.keep_key(database.folder, key, base_url)
    else:
        keys.forget_key(database.folder)


def _endpoint(asked: EndpointIn) -> Endpoint:
    return service.checked(Endpoint(asked.base_url, asked.model, asked.allow_remote))


def _trial(database: Database, asked: TryIn) -> AskForTags:
    """Nothing of it is kept. Raises `InvalidInputError`, `NotFoundError`."""
    endpoint = _endpoint(asked)
    stored = keys.read_key(database.folder, endpoint.base_url)
    key = stored if asked.key is None else asked.key.strip() or None
    prompt, picture = database.read(_subject, asked)
    names = database.read(job.vocabulary)
    return AskForTags(endpoint, prompt, picture=picture, vocabulary=names, key=key, limit_s=TRY_LIMIT_S)


def _subject(tx: ReadTx, asked: TryIn) -> tuple[str | None, bytes | None]:
    """The prompt and the picture that are sent."""
    if asked.uuid is None:
        if asked.look_at is LookAt.PICTURE:
            raise InvalidInputError("Choose an image whose picture the model is to look at.")
        return spoken(asked.prompt or "") or TRIED_PROMPT, None
    image = generations.id_of(tx, asked.uuid)
    text = spoken(generations.detail(tx, image).prompt or "") or None
    prompt = None if asked.look_at is LookAt.PICTURE else text
    picture = None if asked.look_at is LookAt.PROMPT else job.picture(tx, image)
    if prompt is None and picture is None:
        raise InvalidInputError("This image has no prompt that a model could read.")
    return prompt, picture


def _images(database: Database, snapshots: Snapshots, asked: RunIn) -> list[GenerationId]:
    if asked.uuids is not None and asked.query is None:
        return database.read(edit_log.images_of, asked.uuids)
    if asked.query is not None and asked.uuids is None:
        found = snapshots.open(asked.query)
        return snapshots.picked(found, [(0, found.total)], [])
    raise InvalidInputError("Say which images: a query, or uuids.")
