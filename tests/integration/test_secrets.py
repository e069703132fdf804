"""What must stay secret is in its own file and nowhere else, and what the library writes is its owner's alone."""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.faults.serving import Served
from tests.pictures import write_pictures
from typer.testing import CliRunner

from mysticanvas.app.cli import app
from mysticanvas.http.passwords import save_password

IMAGES = 4
KEY = "sk-canary-8f1b6c52d07e4a39"
PASSWORD = "canary password 5521"
OWN_FILES = {"endpoint.key", "token", "session", "password"}


class Parrot(BaseHTTPRequestHandler):
    """A model server that says everything back that it was told, as some do in their errors."""

    def do_POST(self) -> None:
        body = f"wrong key: {self.headers['Authorization']}".encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Kept:
    served: Served
    secrets: dict[str, str]

    @property
    def library(self) -> Path:
        return self.served.library


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    home = tmp_path_factory.mktemp("secrets")
    write_pictures(home / "pictures", IMAGES)
    save_password(home / "library", PASSWORD)
    parrot = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    threading.Thread(target=parrot.serve_forever, daemon=True).start()
    served = Served(home / "library", [home / "pictures"]).wait_until_up()
    served.wait_until_idle(IMAGES)
    endpoint = {"base_url": f"http://127.0.0.1:{parrot.server_port}", "model": "parrot"}
    assert served.http.post("/api/autotag/try", json=endpoint | {"key": KEY}).status_code == 502
    served.post("/api/autotag/settings", endpoint | {"key": KEY})
    served.post("/api/autotag", {"query": ""})
    deadline = time.monotonic() + 120
    # It waits to be asked again, and says why.
    while not served.get("/api/jobs/list", kind="autotag")["jobs"][0]["error"]:
        assert time.monotonic() < deadline, "the question did not fail"
        time.sleep(0.1)
    served.http.post("/api/session", json={"code": PASSWORD}).raise_for_status()
    served.post("/api/backups", {})
    secrets = {name: (home / "library" / name).read_text("ascii").strip() for name in OWN_FILES}
    # Its file names the server too.
    secrets["endpoint.key"] = json.loads(secrets["endpoint.key"])["key"]
    yield Kept(served, secrets | {"the password itself": PASSWORD})
    served.stop()
    parrot.shutdown()


def found_in(secrets: dict[str, str], content: bytes, place: str) -> list[str]:
    return [f"{name} in {place}" for name, secret in secrets.items() if secret.encode() in content]


def test_no_file_but_its_own_holds_a_secret(kept: Kept) -> None:
    paths = [path for path in kept.library.rglob("*") if path.is_file() and path.name not in OWN_FILES]
    names = {path.name for path in paths}
    assert {"mysticanvas.db", "mysticanvas.db-wal"} <= names
    assert any(path.parent.name == "backups" for path in paths)
    assert any(path.parent.name == "journal" for path in paths)
    paths.append(kept.library.with_name("library.log"))
    found = [one for path in paths for one in found_in(kept.secrets, path.read_bytes(), path.name)]
    assert found == []
    # It would be seen: the endpoint itself is in the database or in what waits to be written to it.
    assert any(b"parrot" in path.read_bytes() for path in paths if path.name.startswith("mysticanvas.db"))


def test_no_reply_and_no_document_holds_a_secret(kept: Kept) -> None:
    described = kept.served.get("/api/openapi.json")["paths"]
    plain = [path for path, methods in described.items() if "get" in methods and "{" not in path]
    plain.remove("/api/events")
    job = kept.served.get("/api/jobs/list", kind="autotag")["jobs"][0]
    asked = [*plain, "/api/openapi.json", "/", f"/api/jobs/{job['id']}"]
    replies = {path: kept.served.http.get(path) for path in asked}
    assert replies["/api/autotag"].json()["has_key"] is True
    assert len([path for path, reply in replies.items() if reply.status_code == 200]) > 20
    assert [one for path, reply in replies.items() for one in found_in(kept.secrets, reply.content, path)] == []


def test_no_command_prints_a_secret(kept: Kept) -> None:
    for command in (
        ["doctor"],
        ["event", "list"],
        ["job", "status"],
        ["library", "export", "--jsonl"],
        ["autotag", "settings"],
    ):
        done = CliRunner().invoke(app, [*command, "--json", "--library", str(kept.library)])
        assert done.exit_code in (0, 1), done.output
        assert done.output
        assert found_in(kept.secrets, done.output.encode(), command[0]) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_files_and_folders_are_their_owners_alone(kept: Kept) -> None:
    open_to_others = [str(path) for path in kept.library.rglob("*") if path.stat().st_mode & 0o077]
    assert open_to_others == []
    assert kept.library.stat().st_mode & 0o077 == 0
