"""The key of a model server goes to the server for which it was entered, and to no other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_autotagging import KEY, Stub, idle, running, start
from tests.integration.test_search_api import Asking
from tests.integration.test_similarity import wait_for
from tests.pictures import write_pictures
from typer.testing import CliRunner

from mysticanvas.app.cli import app as command_line
from mysticanvas.app.orchestrator import Orchestrator
from mysticanvas.features.autotag import keys, service
from mysticanvas.features.autotag.types import AutotagSettings, Endpoint
from mysticanvas.settings import Settings


@pytest.fixture
def own() -> Iterator[Stub]:
    with running() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Stub]:
    with running() as server:
        yield server


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


def post(asking: Asking, path: str, **body: Any) -> Any:
    return asking.ask("POST", path, json=body).raise_for_status().json()


def put(asking: Asking, path: str, **body: Any) -> Any:
    return asking.ask("PUT", path, json=body).raise_for_status().json()


def endpoint(stub: Stub) -> dict[str, str]:
    return {"base_url": stub.url, "model": "tiny"}


def test_another_server_never_sees_the_key_whether_it_is_tried_saved_or_asked(
    library: Path, own: Stub, other: Stub
) -> None:
    write_pictures(library.parent / "pictures", 3)
    settings = Settings(library=library, workers=1)
    with Orchestrator(settings, serving=False) as orchestrator:
        asking = Asking(orchestrator, settings)
        paths = [str(library.parent / "pictures")]
        begun = post(asking, "/api/v1/imports", paths=paths, watch=False)
        asking.get(f"/api/v1/imports/{begun['id']}", wait=20)
        assert put(asking, "/api/v1/autotag/settings", **endpoint(own), key=KEY)["has_key"]

        post(asking, "/api/v1/autotag:try", **endpoint(other))
        assert not put(asking, "/api/v1/autotag/settings", **endpoint(other))["has_key"]
        post(asking, "/api/v1/autotag:try", **endpoint(other))
        images = orchestrator.database.read(lambda tx: tx.column("SELECT id FROM generations"))
        assert start(orchestrator.database, images).requests
        wait_for(lambda: idle(orchestrator.database))
        assert len(other.keys) > 2
        assert set(other.keys) == {None}

        post(asking, "/api/v1/autotag:try", **endpoint(own))
        assert own.keys == [f"Bearer {KEY}"]
        # Entered again, it belongs to the other server, and no longer to the first one.
        assert put(asking, "/api/v1/autotag/settings", **endpoint(other), key=KEY)["has_key"]
        post(asking, "/api/v1/autotag:try", **endpoint(own))
        post(asking, "/api/v1/autotag:try", **endpoint(other))
        assert (own.keys[-1], other.keys[-1]) == (None, f"Bearer {KEY}")


def test_the_plain_key_of_an_older_library_belongs_to_the_server_of_its_settings(
    library: Path, own: Stub, other: Stub
) -> None:
    settings = Settings(library=library, workers=1)
    with Orchestrator(settings, serving=False) as orchestrator:
        orchestrator.database.write(service.set_settings, AutotagSettings(Endpoint(own.url, "tiny")))
    (library / keys.KEY_FILE).write_text(f"{KEY}\n")
    with Orchestrator(settings, serving=False) as orchestrator:
        asking = Asking(orchestrator, settings)
        assert asking.get("/api/v1/autotag/settings")["has_key"]
        assert not put(asking, "/api/v1/autotag/settings", **endpoint(other))["has_key"]
        post(asking, "/api/v1/autotag:try", **endpoint(other))
        post(asking, "/api/v1/autotag:try", **endpoint(own))
    assert (own.keys, other.keys) == ([f"Bearer {KEY}"], [None])
    assert (library / keys.KEY_FILE).stat().st_mode & 0o077 == 0


def test_the_command_line_says_that_the_key_must_be_entered_again(library: Path, own: Stub, other: Stub) -> None:
    def run(*words: str, typed: str | None = None) -> str:
        done = CliRunner().invoke(
            command_line,
            ["autotag", "settings", *words, "--library", str(library)],
            input=typed,
            catch_exceptions=False,
        )
        assert done.exit_code == 0, done.output
        return done.output

    assert "API key: set" in run("--endpoint", own.url, "--model", "tiny", "--key", typed=f"{KEY}\n")
    assert "Enter it again" in run("--endpoint", other.url)
    assert "Enter it again" not in run("--model", "small")


@pytest.mark.parametrize(
    ("address", "is_same"),
    [
        ("http://LocalHost:80/v1/", True),
        ("http://localhost/other", True),
        ("https://localhost/v1", False),
        ("http://localhost:8080/v1", False),
        ("http://localhost.example/v1", False),
        ("http://127.0.0.1/v1", False),
    ],
)
def test_a_server_is_its_scheme_host_and_port(tmp_path: Path, address: str, is_same: bool) -> None:
    keys.store_key(tmp_path, KEY, "http://localhost/v1")
    assert keys.read_key(tmp_path, address) == (KEY if is_same else None)
