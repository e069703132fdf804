"""Meaning, duplicates and auto-tagging as the gallery and the command line ask for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_autotagging import KEY, Stub, running, says, status
from tests.integration.test_likeness import encoded, scene
from tests.integration.test_search_api import Asking
from tests.integration.test_similarity import PROMPTS, wait_for, write
from typer.testing import CliRunner

from mysticanvas.app.cli import app as command_line
from mysticanvas.app.orchestrator import Orchestrator
from mysticanvas.ml import embedding_models
from mysticanvas.ml.embedding_models import INSTANT
from mysticanvas.settings import Settings

SCENES = 2


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("meaning") / "library"


@pytest.fixture(scope="module")
def asking(library: Path) -> Iterator[Asking]:
    """Six prompts, and of two scenes two files each; all work is done."""
    folder = library.parent / "pictures"
    write(folder, PROMPTS)
    for seed in range(SCENES):
        (folder / f"scene-{seed}.png").write_bytes(encoded(scene(seed)))
        (folder / f"scene-{seed}.jpg").write_bytes(encoded(scene(seed), "JPEG", quality=60))
    settings = Settings(library=library, workers=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedding_models, "list_available", lambda: [INSTANT])
        with Orchestrator(settings, serving=False) as orchestrator:
            asking = Asking(orchestrator, settings)
            begun = asking.ask("POST", "/api/v1/imports", json={"paths": [str(folder)], "watch": False}).json()
            asking.get(f"/api/v1/imports/{begun['id']}", wait=20)
            wait_for(lambda: left(asking) == 0)
            yield asking


def left(asking: Asking) -> int:
    return sum(kind["waiting"] + kind["running"] for kind in asking.get("/api/v1/jobs/summary")["kinds"])


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running() as server:
        yield server


def post(asking: Asking, path: str, **body: Any) -> Any:
    return asking.ask("POST", path, json=body).raise_for_status().json()


def put(asking: Asking, path: str, **body: Any) -> Any:
    return asking.ask("PUT", path, json=body).raise_for_status().json()


def test_a_search_by_meaning_has_a_chip_and_its_own_order(asking: Asking) -> None:
    opened = asking.open('~"sad robot" rating:<3')
    assert opened["sort"] == "similarity"
    assert opened["filters"][0] == {"text": '~"sad robot"', "field": "similar", "value": "sad robot", "negated": False}
    assert opened["query"]["similar"] == {"text": "sad robot"}
    page = asking.get(f"/api/v1/snapshots/{opened['snapshot']}/items", start=0, count=3)
    assert page["prompt"][0] == PROMPTS[0]
    offers = [offer["text"] for offer in asking.get("/api/v1/completions", q='~"sad robot" sort:')["offers"]]
    assert "sort:similarity" in offers
    assert "sort:similarity" not in [offer["text"] for offer in asking.get("/api/v1/completions", q="sort:")["offers"]]
    like = asking.open(f"like:{page['uuid'][0]}")
    assert like["filters"][0]["value"] == PROMPTS[0]


def test_an_image_without_a_prompt_is_like_nothing_and_says_so(asking: Asking) -> None:
    bare = asking.get("/api/v1/images", q="-has:prompt", limit=1)["items"][0]["uuid"]
    refused = asking.ask("POST", "/api/v1/snapshots", json={"q": f"like:{bare}"})
    assert refused.status_code == 422
    assert "has not been analyzed yet" in refused.json()["detail"]


def test_groups_are_shown_and_one_is_kept(asking: Asking) -> None:
    found = asking.get("/api/v1/duplicates")
    assert (found["total"], found["images"], len(found["groups"])) == (SCENES, 2 * SCENES, SCENES)
    images = found["groups"][0]["images"]
    assert {image["format"] for image in images} == {"png", "jpeg"}
    assert len(images[0]["places"]) == 1
    done = post(asking, "/api/v1/duplicates:merge", kept=images[0]["uuid"], others=[images[1]["uuid"]])
    assert done["changed"] == 1
    assert asking.get("/api/v1/duplicates")["total"] == SCENES - 1
    assert asking.open("is:duplicate")["total"] == 2
    post(asking, f"/api/v1/edits/{done['operation']}/undo")
    assert asking.get("/api/v1/duplicates")["total"] == SCENES
    assert asking.open("is:duplicate")["total"] == 4


def test_an_endpoint_is_tried_before_it_is_kept_and_its_key_is_never_told(asking: Asking, stub: Stub) -> None:
    assert asking.get("/api/v1/autotag/settings")["settings"] is None
    endpoint = {"base_url": stub.url, "model": "tiny", "key": KEY}
    tried = post(asking, "/api/v1/autotag:try", **endpoint, prompt="an old man with nets")
    assert [tag["name"] for tag in tried["tags"]] == ["old fisherman"]
    assert asking.get("/api/v1/autotag/settings")["settings"] is None
    kept = put(asking, "/api/v1/autotag/settings", **endpoint, after_import=False)
    assert kept["has_key"]
    assert KEY not in str(asking.get("/api/v1/autotag/settings"))
    post(asking, "/api/v1/autotag:try", base_url=stub.url, model="tiny")
    assert stub.keys[-1] == f"Bearer {KEY}"
    assert not post(asking, "/api/v1/autotag:disable")["has_key"]


@pytest.mark.parametrize(
    ("endpoint", "code", "sentence"),
    [
        ({"base_url": "http://8.8.8.8", "model": "m"}, 422, "another machine"),
        ({"base_url": "ftp://localhost", "model": "m"}, 422, "http"),
        ({"base_url": "http://127.0.0.1:9", "model": ""}, 422, "Specify the name of a model"),
        ({"base_url": "http://127.0.0.1:9", "model": "m"}, 502, "could not be reached"),
    ],
)
def test_an_endpoint_that_cannot_be_asked_is_refused_with_the_reason(
    asking: Asking, endpoint: dict[str, str], code: int, sentence: str
) -> None:
    refused = asking.ask("POST", "/api/v1/autotag:try", json=endpoint)
    assert refused.status_code == code
    assert sentence in refused.json()["detail"]


def test_what_the_server_answers_wrongly_is_told(asking: Asking, stub: Stub) -> None:
    for reply, sentence in ((says("I cannot."), "no valid tag"), (status(403), "status 403")):
        stub.reply = reply
        refused = asking.ask("POST", "/api/v1/autotag:try", json={"base_url": stub.url, "model": "tiny"})
        assert refused.status_code == 502
        assert sentence in refused.json()["detail"]


def test_a_run_is_tried_dry_first_and_taken_back_whole(asking: Asking, stub: Stub) -> None:
    put(asking, "/api/v1/autotag/settings", base_url=stub.url, model="tiny")
    dry = post(asking, "/api/v1/autotag/runs", query="has:prompt", dry_run=True)
    assert (dry["images"], dry["requests"], dry["run"]) == (6, 5, None)
    run = post(asking, "/api/v1/autotag/runs", query="has:prompt")
    wait_for(lambda: left(asking) == 0)
    assert post(asking, "/api/v1/autotag/runs:forget", run=run["run"])["changed"] == 6
    assert asking.ask("POST", "/api/v1/autotag/runs", json={}).status_code == 422


def test_the_command_line_asks_for_the_same(library: Path, tmp_path: Path, stub: Stub) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(command_line, [*words, "--library", str(tmp_path / "other")])

    assert run("duplicate", "list").exit_code == 1
    assert "off" in run("autotag", "settings").output
    kept = run("autotag", "settings", "--endpoint", stub.url, "--model", "tiny", "--after-import", "--try")
    assert "tiny at http://127.0.0.1" in kept.output
    assert "old fisherman · subject · 0.90" in kept.output
    assert "after import" in run("autotag", "settings").output
    assert "Would request tags for 0 images" in run("autotag", "cat", "--dry-run").output
    assert "off" in run("autotag", "settings", "--off").output
