"""What the gallery and the command line are told: shapes, statuses, and that nobody waits for nothing."""

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests import loops
from tests.libraries import FIRST_S, RandomLibrary, add_image, add_tag
from tests.property.test_language import PIECES
from typer.testing import CliRunner

from mysticanvas.app.cli import app as command_line
from mysticanvas.app.orchestrator import Orchestrator
from mysticanvas.db.database import ReadTx
from mysticanvas.domain.query import Field
from mysticanvas.fs.instance_file import read_token
from mysticanvas.search import engine as search_engine
from mysticanvas.search import index, paging
from mysticanvas.settings import Settings


class Asking:
    """The application in this process, over 60 random images and one that is known."""

    def __init__(self, orchestrator: Orchestrator, settings: Settings) -> None:
        self.app = orchestrator.app
        self.base = f"http://127.0.0.1:{settings.port}"
        self.headers = {"Authorization": f"Bearer {read_token(settings.library)}"}

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.base, headers=self.headers) as client:
                return await client.request(method, path, **how)

        return loops.run(one())

    def open(self, text: str) -> dict[str, Any]:
        opened: dict[str, Any] = self.ask("POST", "/api/v1/snapshots", json={"q": text}).raise_for_status().json()
        return opened

    def get(self, path: str, **query: Any) -> Any:
        return self.ask("GET", path, params=query).raise_for_status().json()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("search") / "library"


@pytest.fixture(scope="module")
def asking(library: Path) -> Iterator[Asking]:
    settings = Settings(library=library, workers=1)
    with Orchestrator(settings, serving=False) as orchestrator:
        RandomLibrary(orchestrator.database, random.Random(3)).begin(60)
        image = orchestrator.database.write(add_image, FIRST_S + 10**8, prompt="a quixotic (armadillo:1.2)", rating=5)
        orchestrator.database.write(add_tag, "armadillo", image)
        yield Asking(orchestrator, settings)


def test_a_query_is_answered_with_its_chips_and_its_tree(asking: Asking) -> None:
    opened = asking.open("quixotic -boat tag:armadillo (tag:sea OR rating:>=4) sort:oldest")
    assert (opened["total"], opened["sort"]) == (1, "oldest")
    assert opened["q"] == "quixotic -boat tag:armadillo (tag:sea OR rating:>=4) sort:oldest"
    assert [(c["field"], c["value"], c["negated"]) for c in opened["words"]] == [
        ("text", "quixotic", False),
        ("text", "boat", True),
    ]
    assert [(c["text"], c["field"], c["value"]) for c in opened["filters"]] == [
        ("tag:armadillo", "tag", "armadillo"),
        ("(tag:sea OR rating:>=4)", "any", "(tag:sea OR rating:>=4)"),
        ("sort:oldest", "sort", "oldest"),
    ]
    assert opened["query"]["version"] == 1
    assert opened["sections"] == [{"day": opened["sections"][0]["day"], "start": 0, "count": 1}]
    assert opened["unknown"] == []


def test_a_misspelt_name_is_told(asking: Asking) -> None:
    unknown = asking.open("tag:armadilo")["unknown"]
    said = {"field": "tag", "value": "armadilo", "text": "tag:armadilo", "suggestion": "tag:armadillo"}
    assert unknown == [said]


def test_slices_geometry_and_position_belong_together(asking: Asking) -> None:
    opened = asking.open("sort:size")
    token = opened["snapshot"]
    page = asking.get(f"/api/v1/snapshots/{token}/items", start=0, count=100)
    ratios = asking.ask("GET", f"/api/v1/snapshots/{token}/geometry").content
    assert len(page["uuid"]) == opened["total"] == len(ratios) // 2
    assert asking.get(f"/api/v1/snapshots/{token}/position", uuid=page["uuid"][7])["index"] == 7
    assert sum(section["count"] for section in opened["sections"]) == opened["total"]


def test_facets_name_the_term_that_filters(asking: Asking) -> None:
    opened = asking.open("-quixotic")
    for values in asking.get(f"/api/v1/snapshots/{opened['snapshot']}/facets", limit=100)["facets"].values():
        for value in values[:3]:
            assert asking.open(f"-quixotic {value['text']}")["total"] == value["count"], value
    one = asking.get(f"/api/v1/snapshots/{opened['snapshot']}/facets/tag", q="sea")["values"]
    assert [value["value"] for value in one] == ["sea"]


@pytest.mark.parametrize("name", ["generator", "engine"])
def test_facets_of_the_generator_have_its_documented_name(asking: Asking, name: str) -> None:
    opened = asking.open("")
    facets = asking.get(f"/api/v1/snapshots/{opened['snapshot']}/facets", field=name)["facets"]
    assert facets == asking.get("/api/v1/facets", field=name)["facets"]
    assert list(facets) == ["generator"]
    assert all(value["text"].startswith("generator:") for value in facets["generator"])


def test_filters_have_their_documented_names(asking: Asking) -> None:
    opened = asking.open("engine:a1111 explicit:>=.7 is:favourite")
    assert [(one["text"], one["field"], one["value"]) for one in opened["filters"]] == [
        ("generator:a1111", "generator", "a1111"),
        ("nsfw:>=0.7", "nsfw", ">=0.7"),
        ("is:favorite", "is", "favorite"),
    ]
    assert opened["q"] == "generator:a1111 nsfw:>=0.7 is:favorite"


@pytest.mark.parametrize(
    ("typed", "stands"),
    [
        ("armadillo", True),
        ("tag:arm", False),
        ("tag:", False),
        ("tag:armadillo", True),
        ("-tag:armadillo", True),
        ("rating:>=0", True),
        ("rating:x", False),
        ("date:20", False),
    ],
)
def test_completion_says_whether_what_is_typed_finds_something_as_it_is(
    asking: Asking, typed: str, stands: bool
) -> None:
    assert asking.get("/api/v1/completions", q=typed)["stands"] is stands


def test_without_anything_typed_every_field_is_offered(asking: Asking) -> None:
    offers = asking.get("/api/v1/completions")["offers"]
    assert {f"{field.written}:" for field in Field} <= {offer["text"] for offer in offers}


def test_highlights_completion_and_statistics_answer(asking: Asking) -> None:
    opened = asking.open("armadillo")
    uuid = asking.get(f"/api/v1/snapshots/{opened['snapshot']}/items", start=0, count=1)["uuid"][0]
    assert asking.get(f"/api/v1/snapshots/{opened['snapshot']}/highlights", uuid=uuid)["prompt"] == [[12, 21]]
    offers = asking.get("/api/v1/completions", q="quixotic tag:arm", at=16)["offers"]
    assert offers == [{"text": "tag:armadillo", "label": "armadillo", "count": 1}]
    stats = asking.get("/api/v1/stats", q="quixotic")
    assert (stats["total"], stats["words"][0]) == (1, {"word": "armadillo", "count": 1})


def test_pages_follow_each_other_in_any_order(asking: Asking) -> None:
    for text in ("", "sort:oldest", "sort:rating", "sort:name", "sort:random:5", "sea sort:relevance"):
        walked: list[str] = []
        after = None
        while True:
            how = {"q": text, "limit": 25} | ({"after": after} if after else {})
            page = asking.get("/api/v1/images", **how)
            walked += [item["uuid"] for item in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert len(walked) == len(set(walked)) == asking.open(text)["total"]


def test_an_error_says_where_and_what_instead(asking: Asking) -> None:
    refused = asking.ask("POST", "/api/v1/snapshots", json={"q": "sea modl:x"})
    assert (refused.status_code, refused.json()["position"], refused.json()["suggestion"]) == (400, 4, "model:x")


def test_no_string_is_a_fault_of_the_server(asking: Asking) -> None:
    """G6, over the whole way."""
    chance = random.Random(8)
    for _ in range(300):
        text = "".join(chance.choices([p for p in PIECES if p != "\ud800"], k=chance.randrange(1, 10)))
        statuses = [
            asking.ask("POST", "/api/v1/snapshots", json={"q": text}).status_code,
            asking.ask("GET", "/api/v1/completions", params={"q": text, "at": chance.randrange(30)}).status_code,
            asking.ask("GET", "/api/v1/images", params={"q": text}).status_code,
        ]
        assert set(statuses) <= {200, 400, 422}, (text, statuses)


def test_a_request_that_is_given_up_stops_its_query(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def endless(tx: ReadTx, *_: object, **__: object) -> object:
        begun.set()
        return tx.value("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")

    monkeypatch.setattr(paging, "read_page", endless)
    # Longer than the test waits: it is not the limit of time that ends the query.
    monkeypatch.setattr(search_engine, "SQL_LIMIT_MS", 300_000)
    monkeypatch.setattr(index, "ASK_LIMIT_MS", 300_000)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        while not begun.is_set():
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/api/v1/images", "raw_path": b"/api/v1/images", "query_string": b"", "root_path": "",
        "headers": [(b"host", asking.base.removeprefix("http://").encode())]
        + [(name.lower().encode(), value.encode()) for name, value in asking.headers.items()],
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    loops.run(asking.app(scope, receive, send), limit_s=120)
    assert sent[0]["status"] == 503


@pytest.fixture(scope="module")
def closed(asking: Asking, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the library that nobody holds."""
    copy = tmp_path_factory.mktemp("closed") / "library"
    with Orchestrator(Settings(library=copy, workers=1), serving=False) as orchestrator:
        RandomLibrary(orchestrator.database, random.Random(3)).begin(20)
        orchestrator.database.write(add_image, FIRST_S + 10**8, prompt="a quixotic armadillo")
    return copy


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["quixotic", "--count"], 0, "1\n"),
        (["nothing-has-this", "--count"], 1, "0\n"),
        (["quixotic", "--sort", "oldest", "--json"], 0, '"total":1'),
        (["quixotic", "--facets"], 0, "rating:0"),
        (["quixotic", "--facets", "--json"], 0, '"facets":{"model":'),
        (["quixotic"], 0, "1 image."),
    ],
)
def test_the_command_line_answers_the_same(closed: Path, arguments: list[str], code: int, said: str) -> None:
    result = CliRunner().invoke(command_line, ["search", *arguments, "--library", str(closed)])
    assert (result.exit_code, said in result.stdout) == (code, True), result.output


def test_json_on_the_command_line_is_one_value(closed: Path) -> None:
    result = CliRunner().invoke(command_line, ["search", "", "--limit", "3", "--json", "--library", str(closed)])
    assert len(json.loads(result.stdout)["items"]) == 3
