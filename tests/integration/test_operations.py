"""What a person looks after: events by pages, a restore from the gallery, starting and stopping (I1, I6)."""

import json
import logging
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.faults.serving import Served
from tests.pictures import png, write_pictures
from typer.testing import CliRunner

from mysticanvas.app.cli import app
from mysticanvas.cli.client import connect
from mysticanvas.db import event_log
from mysticanvas.db.database import Database
from mysticanvas.fs import log_file
from mysticanvas.settings import Settings

LEVELS = ("info", "warning", "error")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all, which the last of the tests that use it stops."""
    home = tmp_path_factory.mktemp("operations")
    (home / "library").mkdir()
    write_pictures(home / "pictures", 2)
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(2)
    yield server
    server.stop()


def write_events(library: Path, count: int) -> None:
    with Database.open(library) as database:
        for number in range(count):
            database.write_bulk(
                event_log.append, level=LEVELS[number % 3], kind=f"kind-{number % 4}", subject=None,
                data={"number": number}, now_ms=number * 1_000,
            )  # fmt: skip


def run(library: Path, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--library", str(library)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_who_ended_without_a_word_is_told_of_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    Served(tmp_path / "library", []).wait_until_up().kill()
    served = Served(tmp_path / "library", []).wait_until_up()
    told = [one["kind"] for one in served.get("/api/v1/events")["events"]]
    assert served.stop() == 0
    served = Served(tmp_path / "library", []).wait_until_up()
    assert [one["kind"] for one in served.get("/api/v1/events")["events"]] == told == ["crash.gallery"]
    served.stop()


def test_events_are_filtered_by_level_kind_and_time_and_exported_as_lines(tmp_path: Path) -> None:
    write_events(tmp_path, 60)
    with Database.open(tmp_path) as database:
        wanted = event_log.EntryFilter(["warning", "error"], ["kind-1", "kind-2"], since_ms=10_000, until_ms=50_000)
        found: list[Any] = []
        before = None
        while page := database.read(event_log.list_newest, before=before, wanted=wanted, limit=3):
            before = page[-1].id
            found += page
        expected = [n for n in range(49, 9, -1) if n % 3 and n % 4 in (1, 2)]
        assert [one.data["number"] for one in found] == expected
        assert database.read(event_log.count_by_kind) == {f"kind-{number}": 15 for number in range(4)}
    target = tmp_path / "events.jsonl"
    run(tmp_path, "event", "list", "--kind", "kind-3", "--level", "info", "--export", str(target))
    lines = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    assert [line["data"]["number"] for line in lines] == [n for n in range(59, -1, -1) if not n % 3 and n % 4 == 3]
    listed = json.loads(run(tmp_path, "event", "list", "--json", "--limit", "2", "--since", "1970-01-01"))
    assert [one["data"]["number"] for one in listed["events"]] == [59, 58]


def test_the_export_of_the_gallery_has_every_event(served: Served) -> None:
    lines = served.http.get("/api/v1/events/export").raise_for_status().text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [one["id"] for one in served.get("/api/v1/events")["events"]]


def follow(served: Served, path: str, name: str) -> list[int]:
    """The IDs in the list `name` of all pages, each by the Link header of the one before."""
    found: list[int] = []
    reply = served.http.get(path).raise_for_status()
    while True:
        found += [one["id"] for one in reply.json()[name]]
        assert (reply.json()["next"] is None) == (not reply.links)
        if not reply.links:
            return found
        reply = served.http.get(reply.links["next"]["url"]).raise_for_status()


def test_events_are_paged_by_link_headers_that_keep_the_filter(served: Served) -> None:
    for _ in range(3):
        served.post("/api/v1/backups", {})
    everything = served.get("/api/v1/events", kind="backup", limit=1_000)["events"]
    assert len(everything) == 3
    for limit in (1, 2, 3, 4):
        found = follow(served, f"/api/v1/events?kind=backup&limit={limit}", "events")
        assert found == [one["id"] for one in everything], limit
    # The list ends where its last page does.
    assert served.get("/api/v1/events", kind="backup", limit=3)["next"] is None


def test_missing_files_and_findings_are_paged_by_link_headers(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    paths = write_pictures(tmp_path / "pictures", 7)
    server = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    server.wait_until_idle(7)
    [folder] = server.get("/api/v1/folders")["folders"]
    for path in paths[:5]:
        path.unlink()
    server.post("/api/v1/verify:start", {})
    while server.get("/api/v1/verify")["state"]["on"]:
        time.sleep(0.05)
    # The watcher may have come first.
    findings = [one["id"] for one in server.get("/api/v1/verify/findings")["findings"]]
    assert follow(server, "/api/v1/verify/findings?limit=2", "findings") == findings
    scan = server.post(f"/api/v1/folders/{folder['id']}:scan", {"accept": True})["id"]
    server.get(f"/api/v1/imports/{scan}", wait=25)
    missing = follow(server, f"/api/v1/folders/{folder['id']}/missing?limit=2", "files")
    assert len(missing) == 5
    assert missing == sorted(missing)
    assert server.stop() == 0


STARTS: dict[str, tuple[str, dict[str, Any], int]] = {
    "an import": ("imports", {"paths": ["PICTURES"], "dry_run": True}, 202),
    "a folder in a folder": ("folders", {"path": "PICTURES/day-000"}, 200),
    "a folder": ("folders", {"path": "MORE", "watch": False}, 201),
    "a scan": ("folders/1:scan", {}, 202),
    "parsing": ("images:reparse", {}, 202),
    "a verification": ("verify:start", {}, 202),
    "a backup": ("backups", {}, 201),
}


@pytest.mark.parametrize("what", STARTS)
def test_what_is_created_or_started_says_where_it_is(served: Served, what: str) -> None:
    path, body, status = STARTS[what]
    home = served.library.parent
    write_pictures(home / "more", 1, first_seed=50)
    places = {"PICTURES": str(home / "pictures"), "MORE": str(home / "more")}
    text = json.dumps(body)
    for name, place in places.items():
        text = text.replace(name, json.dumps(place)[1:-1])
    reply = served.http.post(f"/api/v1/{path}", content=text, headers={"content-type": "application/json"})
    assert reply.status_code == status, reply.text
    assert served.http.get(reply.headers["location"]).status_code == 200


def test_a_restore_test_of_an_older_version_is_still_shown(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    with Database.open(tmp_path / "library") as database:
        data = {"name": "old.db", "images": 0, "trouble": "The backup is damaged."}
        database.write(event_log.append, level="error", kind="backup.drill", subject="old.db", data=data, now_ms=1)
    with connect(Settings(library=tmp_path / "library")) as client:
        drill = client.get("/api/v1/backups")["drill"]
    assert drill == {"name": "old.db", "images": 0, "error": "The backup is damaged.", "at": 1}


def test_a_restore_from_the_gallery_brings_everything_back_at_the_same_address(served: Served) -> None:
    images = served.get("/api/v1/status")["total"]
    served.post("/api/v1/edits", {"query": "", "set": {"rating": 5}})
    made = served.post("/api/v1/backups", {})
    served.post("/api/v1/edits", {"query": "", "set": {"rating": 1}})
    cookies = served.http.post("/api/v1/session", json={"code": served.post("/api/v1/session/links", {})["url"][-32:]})
    assert served.http.post("/api/v1/backups/x.db:restore", json={}).status_code == 404

    served.post(f"/api/v1/backups/{made['name']}:restore", {})

    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if served.get("/api/v1/events", kind="restore")["events"]:
                break
        except OSError:
            pass
        except Exception as error:
            assert "onnect" in str(error) or "isconnect" in str(error), error
        time.sleep(0.05)
    assert served.get("/api/v1/images", q="rating:5")["total"] == images
    [told] = served.get("/api/v1/events", kind="restore")["events"]
    whys = {one["name"]: one["why"] for one in served.get("/api/v1/backups")["backups"]}
    assert whys[told["data"]["kept"]] == "before-restore"
    assert served.process.poll() is None
    cookie = dict(cookies.cookies.items())
    bare = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookie.items()), "Authorization": ""}
    assert served.http.get("/api/v1/status", headers=bare).status_code == 200


def test_a_restore_wants_somebody_who_serves(tmp_path: Path) -> None:
    run(tmp_path, "backup", "create")
    [one] = json.loads(run(tmp_path, "backup", "list", "--json"))["backups"]
    assert (one["why"], one["verified"]) == ("asked", True)


def test_an_interrupted_gallery_ends_although_somebody_listens_and_leaves_nothing_behind(served: Served) -> None:
    """A stream of events has no end of its own: a gallery that waited for it would not end either."""
    # A restored gallery is a new launch, to which old keys mean nothing.
    headers = {"Authorization": served.wait_until_up().http.headers["Authorization"]}
    with (
        httpx.Client(base_url=served.http.base_url, headers=headers, timeout=60) as listener,
        listener.stream("GET", "/api/v1/events/stream") as events,
    ):
        assert "hello" in next(line for line in events.iter_lines() if line.startswith("event:"))
        assert served.stop() == 0
    assert not (served.library / "address.json").exists()
    assert not (served.library / "session").exists()


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "mysticanvas.app.cli", "serve", "--no-open", "--port", port]
            + ["--library", str(tmp_path)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert f"Port {port} is used by another program" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_a_bundle_for_others_has_no_private_text(tmp_path: Path) -> None:
    words = ("prompt", "tag", "key", "folder", "host", "trouble")
    canaries = [str(Path.home()), *(f"canary{word}" for word in words)]
    pictures = tmp_path / "canaryfolder"
    pictures.mkdir()
    (pictures / "a.png").write_bytes(png(texts={"parameters": "canaryprompt\nSteps: 1, Seed: 1"}))
    (tmp_path / "library").mkdir()
    server = Served(tmp_path / "library", [pictures]).wait_until_up()
    server.wait_until_idle(1)
    server.post("/api/v1/edits", {"query": "", "set": {"tags": {"add": ["canarytag"]}}})
    endpoint = {"base_url": "http://127.0.0.1:9/canaryhost", "model": "m", "key": "canarykey"}
    server.put("/api/v1/autotag/settings", endpoint)
    server.stop()
    with Database.open(tmp_path / "library") as database:
        data = {"why": "canarytrouble", "files": 3}
        database.write(event_log.append, level="error", kind="x", subject=str(pictures), data=data, now_ms=1)
    with (tmp_path / "library" / "logs" / "mysticanvas.log").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"level": "error", "message": "constant", "values": {"path": "canarytrouble"}}) + "\n")
        log.write("canaryprompt, not of ours\n")

    run(tmp_path / "library", "doctor", "--bundle", str(tmp_path / "bundle.zip"))

    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    everything = "".join(texts.values())
    assert [canary for canary in canaries if canary in everything] == []
    assert json.loads(texts["about.json"])["counts"]["images"] == 1
    assert '"files": 3' in texts["events.jsonl"]
    assert "constant" in texts["log.jsonl"]
    done = CliRunner().invoke(app, ["doctor", "--bundle", str(tmp_path / "bundle.zip"), "--library", str(tmp_path)])
    assert "already exists" in str(done.exception)


def test_the_log_is_in_the_library_and_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 2_000)
    log = logging.getLogger("mysticanvas.some.module")
    with log_file.log_to_file(tmp_path):
        for number in range(100):
            log.info("something was done", extra={"number": number})
        try:
            raise ValueError("canary")
        except ValueError:
            log.exception("work is lost")
    log.warning("after the end")
    files = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert files == ["mysticanvas.log", *(f"mysticanvas.log.{number}" for number in (1, 2, 3))]
    last = (tmp_path / "logs" / "mysticanvas.log").read_text("utf-8").splitlines()[-1]
    assert json.loads(last)["error"] == "ValueError"
    shown = log_file.read_tail_without_values(tmp_path)
    assert "canary" in last
    assert "canary" not in "".join(shown)
    assert "test_operations.py" in shown[-1]
