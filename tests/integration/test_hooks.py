"""Hooks with a real gallery, real commands and a real server on this machine."""

import json
import os
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.faults.serving import Served
from tests.libraries import FIRST_S, add_image, fill
from tests.pictures import write_pictures
from typer.testing import CliRunner

from mysticanvas.app.cli import app
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import TaskFailedError
from mysticanvas.domain.event import EventKind
from mysticanvas.features.event_hooks import body, deliver, hook_file, job, queries
from mysticanvas.features.event_hooks.recorder import HookRecorder
from mysticanvas.features.event_hooks.types import DeliverHook, Hook
from mysticanvas.jobs import control
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queries import JobSelection

# Appends what it reads to a file, as one line.
RECEIVER = """
import json, os, sys
told = json.load(sys.stdin)
assert os.environ["MYSTICANVAS_EVENT"] == told["event"] and os.environ["MYSTICANVAS_DELIVERY"] == told["delivery"]
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(told) + "\\n")
print("got", len(told["uuids"]))
"""
# Against hanging.
LIMIT_S = 120.0


def wait_for(condition: Callable[[], Any]) -> Any:
    deadline_s = time.monotonic() + LIMIT_S
    while not (found := condition()):
        if time.monotonic() > deadline_s:
            raise TimeoutError
        time.sleep(0.05)
    return found


def run(library: Path, *arguments: str, exit_code: int = 0) -> str:
    done = CliRunner().invoke(app, ["hook", *arguments, "--library", str(library)])
    assert (done.exit_code if done.exception is None or done.exit_code else 1) == exit_code, done.output
    return done.output


def add(library: Path, event: str, *command: str) -> str:
    said = CliRunner().invoke(app, ["hook", "add", event, "--json", "--library", str(library), "--", *command])
    assert said.exit_code == 0, said.output
    return str(json.loads(said.output)["id"])


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def receiver(tmp_path: Path) -> Path:
    script = tmp_path / "receiver.py"
    script.write_text(RECEIVER)
    return script


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "library").mkdir()
    server = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    yield server
    server.stop()


def test_a_command_gets_each_new_image_and_its_output_is_in_the_event_log(
    served: Served, receiver: Path, tmp_path: Path
) -> None:
    got = tmp_path / "got"
    hook = add(served.library, "image.added", sys.executable, str(receiver), str(got))
    write_pictures(tmp_path / "pictures", 7)
    wait_for(lambda: sum(len(one["uuids"]) for one in lines(got)) == 7)
    known = {item["uuid"] for item in served.get("/api/v1/images", q="")["items"]}
    assert {uuid for one in lines(got) for uuid in one["uuids"]} == known
    assert {(one["event"], one["hook"], one["version"]) for one in lines(got)} == {("image.added", hook, 1)}
    logged = wait_for(lambda: served.get("/api/v1/events", kind="hook.done")["events"])
    assert logged[-1]["data"]["output"].startswith("got ")
    assert logged[-1]["data"]["delivery"] == lines(got)[0]["delivery"]


def test_each_kind_of_event_reaches_its_hook(served: Served, receiver: Path, tmp_path: Path) -> None:
    got = {kind.value: tmp_path / kind.value for kind in EventKind}
    for kind, file in got.items():
        add(served.library, kind, sys.executable, str(receiver), str(file))
    write_pictures(tmp_path / "pictures", 2)
    served.wait_until_idle(2)
    [uuid, _] = [item["uuid"] for item in served.get("/api/v1/images", q="")["items"]]
    done = served.post("/api/v1/edits", {"uuids": [uuid], "set": {"rating": 5}})
    served.post("/api/v1/edits", {"uuids": [uuid], "set": {"trash": True}})
    wait_for(lambda: lines(got["image.removed"]))
    assert lines(got["image.removed"])[0]["uuids"] == [uuid]
    edits = wait_for(lambda: [edit for one in lines(got["edit.done"]) for edit in one["edits"]])
    assert edits[0] == {"id": done["operation"], "kind": "rating", "state": "done", "changed": 1, "error": None}
    assert uuid in [name for one in wait_for(lambda: lines(got["image.changed"])) for name in one["uuids"]]
    imports = [one for told in wait_for(lambda: lines(got["import.done"])) for one in told["imports"]]
    assert sum(one["imported"] for one in imports) == 2
    jobs = [one for told in wait_for(lambda: lines(got["job.done"])) for one in told["jobs"]]
    # The end of a delivery would be an event without end.
    assert {one["kind"] for one in jobs} >= {"thumb"}
    assert "hook" not in {one["kind"] for one in jobs}


class Receiver(ThreadingHTTPServer):
    """Answers each request with the next of these statuses, and 200 after them."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.got: list[tuple[str, dict[str, str], Any]] = []
        super().__init__(("127.0.0.1", 0), _Answer)
        threading.Thread(target=self.serve_forever).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?key=1"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.got.append((self.path, dict(self.headers), sent))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(b"thank you")

    def log_message(self, *_: object) -> None:
        pass


def test_a_url_that_fails_gets_the_same_delivery_again(served: Served, tmp_path: Path) -> None:
    with Receiver(500) as receiver:
        run(served.library, "add", "image.added", "--url", receiver.url)
        write_pictures(tmp_path / "pictures", 1)
        wait_for(lambda: len(receiver.got) >= 2)
        [(path, headers, first), (_, _, second)] = receiver.got[:2]
        assert (path, headers["MystiCanvas-Event"]) == ("/hook?key=1", "image.added")
        assert headers["MystiCanvas-Delivery"] == first["delivery"]
        assert first == second
        assert len(first["uuids"]) == 1
        assert (
            wait_for(lambda: served.get("/api/v1/events", kind="hook.done")["events"])[0]["data"]["output"]
            == "thank you"
        )


@pytest.mark.parametrize("status", [301, 307, 404, 500])
def test_only_success_counts_and_a_redirect_is_not_followed(tmp_path: Path, status: int) -> None:
    with Receiver(status) as receiver:
        hook = Hook("1", EventKind.IMAGE_ADDED, 0, url=receiver.url)
        with pytest.raises(TaskFailedError, match=str(status)):
            deliver.deliver(_task(hook), tmp_path, limit_s=60)
        assert len(receiver.got) == 1


def test_a_proxy_of_the_environment_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with Receiver() as receiver:
        hook = Hook("1", EventKind.IMAGE_ADDED, 0, url=receiver.url)
        assert deliver.deliver(_task(hook), tmp_path, limit_s=60).output == "thank you"


# -- commands ---------------------------------------------------------------------------------


def _task(hook: Hook) -> DeliverHook:
    return DeliverHook(hook, body.build(hook, {"delivery": "d", "at": 0, "entries": ["u"]}))


def _python(code: str, tmp_path: Path, *arguments: str) -> DeliverHook:
    command = [sys.executable, "-c", code, *arguments]
    return _task(Hook("1", EventKind.IMAGE_ADDED, 0, command=command, folder=str(tmp_path)))


def test_arguments_reach_the_program_as_they_are(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.argv[1:], os.getcwd())"
    answer = deliver.deliver(_python(code, tmp_path, "$(touch x)", "; ls", "a b"), tmp_path, limit_s=60)
    assert answer.output == f"['$(touch x)', '; ls', 'a b'] {os.path.realpath(tmp_path)}"


def test_a_failure_gives_the_exit_code_and_the_end_of_the_output(tmp_path: Path) -> None:
    code = "import sys; print('x' * 100_000); print('the end', file=sys.stderr); sys.exit(3)"
    with pytest.raises(TaskFailedError) as failed:
        deliver.deliver(_python(code, tmp_path), tmp_path, limit_s=60)
    reason, _, output = str(failed.value).partition("\n")
    assert reason == "The command failed with exit code 3."
    assert "the end" in output
    assert len(output) <= deliver.MAX_OUTPUT_BYTES


def test_a_command_need_not_read_its_input(tmp_path: Path) -> None:
    task = _python("import sys; sys.stdin.close(); print('done')", tmp_path)
    task.body["uuids"] = ["x" * 36] * 100_000
    assert deliver.deliver(task, tmp_path, limit_s=60).output == "done"


def test_a_command_that_is_stopped_ends_with_the_programs_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1] + '.part', 'w').write(f'{os.getpid()} {child.pid}')\n"
        "os.replace(sys.argv[1] + '.part', sys.argv[1])\n"
        "time.sleep(600)\n"
    )
    task = _python(code, tmp_path, str(pids))
    with pytest.raises(TaskFailedError, match="was stopped"):
        deliver.deliver(task, tmp_path, limit_s=600, is_stopped=pids.exists)
    for pid in map(int, pids.read_text().split()):
        wait_for(lambda pid=pid: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_a_command_has_a_time_limit(tmp_path: Path) -> None:
    with pytest.raises(TaskFailedError, match=r"longer than 0\.5 s"):
        deliver.deliver(_python("import time; time.sleep(600)", tmp_path), tmp_path, limit_s=0.5)


def test_a_program_left_running_does_not_hold_up_the_delivery(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "import os; os._exit(0)\n"
    )
    answer = deliver.deliver(_python(code, tmp_path), tmp_path, limit_s=600)
    assert answer.output.isdecimal()


def test_a_program_that_does_not_exist_is_a_failure(tmp_path: Path) -> None:
    hook = Hook("1", EventKind.IMAGE_ADDED, 0, command=[str(tmp_path / "none")], folder=str(tmp_path))
    with pytest.raises(TaskFailedError, match="could not be started"):
        deliver.deliver(_task(hook), tmp_path, limit_s=60)


# -- the queue --------------------------------------------------------------------------------


def _deliveries(database: Database) -> list[dict[str, Any]]:
    rows = database.read(lambda tx: tx.column("SELECT payload_json FROM jobs WHERE kind = 'hook' ORDER BY id"))
    return [json.loads(row) for row in rows]


def _add_images(database: Database, first: int, count: int) -> None:
    database.write(lambda tx: [add_image(tx, FIRST_S + first + number) for number in range(count)])


@pytest.fixture
def recorded(database: Database) -> Database:
    hooks = [Hook("1", EventKind.IMAGE_ADDED, 0, url="http://127.0.0.1:1")]
    hook_file.write_hooks(database.folder, hooks)
    database.write(fill)
    database.before_commit(HookRecorder(hook_file.HookFile(database.folder), lambda: 5).record)
    return database


def test_images_of_several_commits_are_one_delivery_until_it_starts(recorded: Database) -> None:
    _add_images(recorded, 0, 3)
    _add_images(recorded, 3, 2)
    [waiting] = _deliveries(recorded)
    assert len(waiting["entries"]) == 5
    [claimed] = recorded.write(job_queue.claim, owner_id="first", limit=1, now_ms=9)
    _add_images(recorded, 5, 1)
    # A crash gives the claim back: the delivery may have been made, so it stays as it was.
    recorded.write(job_queue.requeue_orphaned, owner_id="second", now_ms=10)
    _add_images(recorded, 6, 1)
    first, second = _deliveries(recorded)
    assert first == waiting == claimed.payload
    assert len(second["entries"]) == 2
    assert first["delivery"] != second["delivery"]


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_a_delivery_that_is_queued_again_keeps_its_content(recorded: Database, how: str) -> None:
    _add_images(recorded, 0, 1)
    [first] = _deliveries(recorded)
    [claimed] = recorded.write(job_queue.claim, owner_id="first", limit=1, now_ms=9)
    if how == "failed":
        recorded.write(job_queue.fail, claimed, error="no", crashed=False, now_ms=10, most_attempts=1)
    else:
        control.cancel(recorded, JobSelection(), now_ms=10)
    assert control.retry(recorded, JobSelection(ids=[claimed.id]), now_ms=11) == 1
    _add_images(recorded, 1, 1)
    again, second = _deliveries(recorded)
    assert again == first
    assert len(second["entries"]) == 1


def test_a_delivery_has_at_most_a_thousand_images(recorded: Database) -> None:
    _add_images(recorded, 0, 900)
    _add_images(recorded, 900, 1_200)
    sizes = [len(one["entries"]) for one in _deliveries(recorded)]
    assert sizes == [1_000, 1_000, 100]
    assert len({uuid for one in _deliveries(recorded) for uuid in one["entries"]}) == 2_100


def test_nothing_is_recorded_for_a_hook_that_is_off_and_what_waits_is_dropped(recorded: Database) -> None:
    _add_images(recorded, 0, 1)
    recorded.write(queries.set_enabled, "1", False)
    _add_images(recorded, 1, 1)
    [waiting] = _deliveries(recorded)
    assert recorded.read(job.prepare, waiting) is None
    recorded.write(queries.set_enabled, "1", True)
    assert recorded.read(job.prepare, waiting) is not None


def test_a_command_comes_from_the_file_and_never_from_a_job(recorded: Database) -> None:
    _add_images(recorded, 0, 1)
    [waiting] = _deliveries(recorded)
    forged = waiting | {"command": ["/bin/sh"], "url": "http://127.0.0.1:2", "hook": "1"}
    prepared = recorded.read(job.prepare, forged)
    assert prepared is not None
    assert prepared.hook == hook_file.read_hooks(recorded.folder)[0]
    assert recorded.read(job.prepare, waiting | {"hook": "2"}) is None
    assert recorded.read(job.prepare, waiting | {"event": "image.removed"}) is None


def test_a_commit_that_fails_records_no_delivery(recorded: Database) -> None:
    def refuse(tx: Any) -> None:
        add_image(tx, FIRST_S)
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        recorded.write(refuse)
    assert _deliveries(recorded) == []


# -- the command line and the API -------------------------------------------------------------


def test_hooks_are_listed_turned_off_and_on_and_removed(served: Served, tmp_path: Path) -> None:
    hook = add(served.library, "edit.done", sys.executable, "-c", "print('tested')")
    listed = served.get("/api/v1/hooks")
    assert [(one["id"], one["enabled"], one["command"][1:]) for one in listed["hooks"]] == [
        (hook, True, ["-c", "print('tested')"])
    ]
    assert "tested" in run(served.library, "test", hook)
    assert json.loads(run(served.library, "disable", hook, "--json"))["enabled"] is False
    assert "off" in run(served.library, "list")
    assert served.http.patch(f"/api/v1/hooks/{hook}", json={"enabled": True}).json()["enabled"] is True
    assert served.http.patch("/api/v1/hooks/unknown", json={"enabled": True}).status_code == 404
    run(served.library, "remove", hook)
    assert json.loads(run(served.library, "list", "--json"))["hooks"] == []
    assert served.http.patch(f"/api/v1/hooks/{hook}", json={"enabled": True}).status_code == 404


def test_no_request_can_add_or_change_a_command(served: Served) -> None:
    hook = add(served.library, "edit.done", sys.executable, "-c", "pass")
    before = (served.library / "hooks.json").read_bytes()
    body = {"enabled": True, "command": ["/bin/sh"], "url": "http://127.0.0.1:1", "event": "image.added"}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/api/v1/hooks", f"/api/v1/hooks/{hook}", "/api/v1/hooks/new"):
            served.http.request(method, path, json=body)
    assert (served.library / "hooks.json").read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_file_that_others_can_access_is_reported_and_nothing_runs(
    served: Served, receiver: Path, tmp_path: Path
) -> None:
    got = tmp_path / "got"
    add(served.library, "image.added", sys.executable, str(receiver), str(got))
    (served.library / "hooks.json").chmod(0o644)
    assert "chmod 600" in served.get("/api/v1/hooks")["problem"]
    write_pictures(tmp_path / "pictures", 1)
    served.wait_until_idle(1)
    assert not got.exists()
    run(served.library, "list", exit_code=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "image.added"),
        ("add", "image.added", "--url", "http://example.invalid/"),
        ("add", "image.added", "--url", "http://10.1.2.3/"),
        ("add", "image.painted", "--url", "http://127.0.0.1/"),
        ("add", "image.added", "no-such-program-of-ours"),
        ("remove", "unknown"),
        ("test", "unknown"),
    ],
)
def test_what_cannot_be_a_hook_is_refused(database: Database, arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, ["hook", *arguments, "--library", str(database.folder)])
    assert done.exit_code != 0
    assert hook_file.read_hooks(database.folder) == []


def test_an_archive_brings_no_hooks(tmp_path: Path) -> None:
    there, here, archive = tmp_path / "there", tmp_path / "here", tmp_path / "archive.zip"
    for folder in (there, here):
        Database.open(folder).close()
    add(there, "image.added", sys.executable, "-c", "pass")
    done = CliRunner().invoke(app, ["library", "export", str(archive), "--library", str(there)])
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(archive, "a") as opened:
        names = opened.namelist()
        for name in ("hooks.json", "../hooks.json", "../here/hooks.json"):
            opened.write(there / "hooks.json", name)
    assert "hooks.json" not in names
    CliRunner().invoke(app, ["library", "import", str(archive), "--library", str(here)])
    assert sorted(path.name for path in tmp_path.rglob("hooks.json")) == ["hooks.json"]
    assert hook_file.read_hooks(here) == []
