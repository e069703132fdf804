"""Whoever adds a feature adds a folder, and its name to the list of `app/features.py`."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import typer
from tests import loops
from typer.testing import CliRunner

import mysticanvas.features
from mysticanvas.app import features
from mysticanvas.app.orchestrator import Orchestrator
from mysticanvas.cli.client import build_headers
from mysticanvas.edits import kinds as edit_kinds
from mysticanvas.jobs import kinds
from mysticanvas.settings import Settings

NAME = "letters"
PACKAGE = f"mysticanvas.features.{NAME}"
FILES = {
    "__init__.py": "",
    "types.py": """
from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.task import Task


@dataclass(frozen=True, slots=True)
class Counted:
    letters: int
    process: int


@dataclass(frozen=True, slots=True)
class CountLetters(Task):
    answer_type: ClassVar[type] = Counted
    word: str
""",
    "task.py": """
import os

from mysticanvas.features.letters.types import CountLetters, Counted


def run(task: CountLetters) -> Counted:
    return Counted(sum(one.isalpha() for one in task.word), os.getpid())


RUN = {CountLetters: run}
""",
    "job.py": """
from typing import Any

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.features.letters.types import CountLetters, Counted


def prepare(tx: ReadTx, payload: dict[str, Any]) -> CountLetters:
    return CountLetters(payload["word"])


def apply(tx: WriteTx, payload: dict[str, Any], answer: Counted) -> None:
    settings_store.put(tx, "letters", {payload["word"]: answer.letters, "process": answer.process})
""",
    "edits.py": """
from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db import settings_store
from mysticanvas.db.database import WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.kinds import Edit


class ChooseLetter(Edit, frozen=True, kw_only=True):
    kind: ClassVar[str] = "letters.choose"
    letter: str

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        settings_store.put(tx, "letter", self.letter)
        return 1


EDITS = (ChooseLetter,)
""",
    "routes.py": """
from fastapi import APIRouter

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database
from mysticanvas.domain.clock import now_ms
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EditResult
from mysticanvas.features.letters.edits import ChooseLetter
from mysticanvas.jobs import queue
from mysticanvas.jobs.queue import NewJob


def routes(database: Database, edits: EditRunner) -> APIRouter:
    router = APIRouter(prefix="/letters", tags=["library"])

    @router.get("/chosen")
    def chosen() -> dict[str, str | None]:
        return {"letter": database.read(settings_store.get, "letter", None)}

    @router.post("/chosen/{letter}")
    def choose(letter: str) -> EditResult:
        return edits.do(ChooseLetter(letter=letter))

    @router.get("")
    def letters() -> dict[str, int]:
        return database.read(settings_store.get, "letters", {})

    @router.post("/{word}")
    def count(word: str) -> None:
        database.write(queue.enqueue, NewJob("letters", {"word": word}, word), now_ms=now_ms())

    return router
""",
    "commands.py": '''
import typer

from mysticanvas.cli.client import connect
from mysticanvas.cli.options import Library, load_settings
from mysticanvas.cli.output import print_json


def add_commands(app: typer.Typer) -> None:
    app.command()(letters)


def letters(library: Library = None) -> None:
    """How many letters a word has."""
    with connect(load_settings(library)) as client:
        print_json(client.get("/api/v1/letters"))
''',
    "feature.py": """
from mysticanvas.features.base import Feature
from mysticanvas.features.letters import job, routes
from mysticanvas.features.letters.edits import EDITS
from mysticanvas.jobs.kinds import JobKind

FEATURE = Feature(
    edits=EDITS,
    routes=(routes.routes,),
    jobs=(JobKind(name="letters", prepare=job.prepare, apply=job.apply),),
)
""",
}
# A worker is a process of its own: it has to look for features in the folder too.
IN_WORKERS = """
import mysticanvas.features

mysticanvas.features.__path__.append({folder!r})
"""


@pytest.fixture
def with_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the folder lay beside those of the other features."""
    folder = tmp_path / "features"
    (folder / NAME).mkdir(parents=True)
    for name, text in FILES.items():
        (folder / NAME / name).write_text(text)
    monkeypatch.setattr(mysticanvas.features, "__path__", [*mysticanvas.features.__path__, str(folder)])
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(IN_WORKERS.format(folder=str(folder)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "start"))
    monkeypatch.setattr(features, "FEATURES", (*features.FEATURES, NAME))
    features.load.cache_clear()
    yield
    features.load.cache_clear()
    kinds.KINDS.pop(NAME, None)
    edit_kinds.EDITS.pop("letters.choose", None)
    for module in [one for one in sys.modules if f"{one}.".startswith(f"{PACKAGE}.")]:
        del sys.modules[module]
    vars(mysticanvas.features).pop(NAME, None)


def ask(orchestrator: Orchestrator, settings: Settings, method: str, path: str) -> httpx.Response:
    async def one() -> httpx.Response:
        transport = httpx.ASGITransport(app=orchestrator.app, raise_app_exceptions=False)
        base = f"http://127.0.0.1:{settings.port}"
        async with httpx.AsyncClient(transport=transport, base_url=base, headers=build_headers(settings)) as client:
            return await client.request(method, path, json={} if method == "POST" else None)

    return loops.run(one())


def command_line() -> typer.Typer:
    app = typer.Typer()
    features.add_commands(app)
    return app


@pytest.mark.usefixtures("with_letters")
def test_a_folder_and_one_name_bring_a_route_a_job_that_runs_in_a_worker_and_a_command(tmp_path: Path) -> None:
    settings = Settings(library=tmp_path / "library", workers=1)
    committed = threading.Event()
    with Orchestrator(settings, serving=False) as orchestrator:
        orchestrator.database.after_commit(lambda _: committed.set())
        assert ask(orchestrator, settings, "POST", "/api/v1/letters/a-fish").status_code == 200
        while not (counted := ask(orchestrator, settings, "GET", "/api/v1/letters").json()):
            assert committed.wait(60), "the job was not done"
            committed.clear()
        assert counted["a-fish"] == 5
        assert counted["process"] != os.getpid()
        assert "/api/v1/letters" in ask(orchestrator, settings, "GET", "/api/v1/openapi.json").json()["paths"]
    run = CliRunner().invoke(command_line(), ["letters", "--library", str(settings.library)])
    assert (run.exit_code, json.loads(run.output)["a-fish"]) == (0, 5)


@pytest.mark.usefixtures("with_letters")
def test_a_folder_and_one_name_bring_an_edit_that_is_undone_and_redone(tmp_path: Path) -> None:
    settings = Settings(library=tmp_path / "library", workers=1)
    with Orchestrator(settings, serving=False) as orchestrator:
        for path, letter in (
            ("/api/v1/letters/chosen/f", "f"),
            ("/api/v1/letters/chosen/i", "i"),
            ("/api/v1/edits:undo", "f"),
            ("/api/v1/edits:undo", None),
            ("/api/v1/edits:redo", "f"),
        ):
            assert ask(orchestrator, settings, "POST", path).status_code == 200
            assert ask(orchestrator, settings, "GET", "/api/v1/letters/chosen").json() == {"letter": letter}
        [last, first] = ask(orchestrator, settings, "GET", "/api/v1/edits").json()["operations"]
    assert (first["state"], first["steps"]) == ("done", [["letters.choose", {"letter": "f"}]])
    assert (last["state"], last["kind"]) == ("undone", "letters.choose")


@pytest.mark.usefixtures("with_letters")
def test_the_command_is_listed() -> None:
    listed = CliRunner().invoke(command_line(), ["--help"]).output
    assert "How many letters a word has." in listed


def test_without_its_name_in_the_list_there_is_no_such_feature(tmp_path: Path) -> None:
    settings = Settings(library=tmp_path / "library", workers=1)
    with Orchestrator(settings, serving=False) as orchestrator:
        assert ask(orchestrator, settings, "POST", "/api/v1/letters/a-fish").status_code in (404, 405)
    assert "letters" not in CliRunner().invoke(command_line(), ["--help"]).output
    assert NAME not in kinds.KINDS
