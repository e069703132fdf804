"""The OpenAPI document: what it promises, and that the server keeps it.

`web/openapi.json` is the promise of version 1. A difference is a decision: what is there now stays, and only what
programs that know the old document can ignore may be added. After a change that is meant, write it anew, read the
difference, and commit it:

    MYSTICANVAS_WIRE=rewrite python3 dev.py test tests/wire/test_document.py
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mysticanvas.cli.client import connect
from mysticanvas.settings import Settings
from tests.faults.serving import Served
from tests.pictures import write_pictures
from tests.wire import requests_of_images, requests_of_the_library
from tests.wire.documented import GOLDEN, PROBLEM, Document
from tests.wire.world import World

REWRITING = os.environ.get("MYSTICANVAS_WIRE") == "rewrite"
REQUESTS = {**requests_of_images.REQUESTS, **requests_of_the_library.REQUESTS}
IMAGES = 8


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with connect(Settings(library=tmp_path_factory.mktemp("document") / "library")) as client:
        written: dict[str, Any] = client.get("/api/v1/openapi.json")
    written["info"]["version"] = "any"
    if REWRITING:
        GOLDEN.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return written


@pytest.fixture(scope="module")
def replies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, httpx.Response]]:
    """The replies to all requests, sent in this order to one server."""
    home = tmp_path_factory.mktemp("documented")
    (home / "library").mkdir()
    write_pictures(home / "pictures", IMAGES)
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    world = World(server, [one["uuid"] for one in server.get("/api/v1/images")["items"]])
    yield {name: ask(world) for name, ask in REQUESTS.items()}
    server.stop()


def test_the_document_is_the_one_that_was_promised(document: dict[str, Any]) -> None:
    assert document == json.loads(GOLDEN.read_text("utf-8")), (
        f"The API differs from {GOLDEN.name}. That is a decision: see the top of {Path(__file__).name}."
    )


def test_every_name_in_the_document_is_a_word_and_every_tag_is_described(document: dict[str, Any]) -> None:
    names = list(document["components"]["schemas"])
    assert [name for name in names if not name.isalnum() or name.endswith(("In", "Out"))] == []
    operations = Document(document).operations
    assert len(operations) == sum(len(methods) for methods in document["paths"].values())
    described = {tag["name"] for tag in document["tags"]}
    assert described == {tag for operation in operations.values() for tag in operation.described["tags"]}


def test_every_operation_has_a_typed_response_with_an_example(document: dict[str, Any]) -> None:
    operations = Document(document).operations.values()
    assert {operation.name: operation.untyped for operation in operations if operation.untyped} == {}


def test_every_example_is_a_reply_of_its_kind(document: dict[str, Any]) -> None:
    assert list(Document(document).list_wrong_examples()) == []


def test_every_operation_is_asked(document: dict[str, Any]) -> None:
    assert set(REQUESTS) == set(Document(document).operations)


@pytest.mark.parametrize("name", REQUESTS)
def test_the_server_replies_as_documented(
    document: dict[str, Any], replies: dict[str, httpx.Response], name: str
) -> None:
    assert replies[name].is_success, replies[name].text
    assert Document(document).check(name, replies[name]) == []


def test_an_error_is_a_problem(document: dict[str, Any], replies: dict[str, httpx.Response]) -> None:
    assert replies
    schema = document["components"]["schemas"]["Problem"]
    assert set(schema["required"]) == set(schema["properties"])
    for operation in Document(document).operations.values():
        assert operation.described["responses"]["default"]["content"].keys() == {PROBLEM}


@pytest.mark.parametrize(
    ("status", "body", "found"),
    [
        (200, {"count": 3}, False),
        (200, {"count": "3"}, True),
        (200, {}, True),
        (200, {"count": 3, "more": 1}, True),
        (201, {"count": 3}, True),
    ],
)
def test_a_reply_that_is_not_as_documented_is_found(
    document: dict[str, Any], status: int, body: dict[str, Any], found: bool
) -> None:
    request = httpx.Request("GET", "http://gallery/api/v1/snapshots/x/newer")
    reply = httpx.Response(status, json=body, request=request)
    assert bool(Document(document).check("snapshots.countNewer", reply)) == found
