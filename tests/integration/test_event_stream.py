"""The event stream as scripts use it: each change once, with uuids, and what was missed after a reconnect."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests import loops
from tests.faults.serving import Served
from tests.libraries import FIRST_S, add_image, fill
from tests.pictures import write_pictures

from mysticanvas.app import live_updates
from mysticanvas.db.database import ChangeSet, Database
from mysticanvas.db.images import changed_images
from mysticanvas.domain.event import EventKind, JobDone
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.event_hooks.types import JOB_KIND
from mysticanvas.http import sse
from mysticanvas.http.sse import EventStream
from mysticanvas.jobs import queue
from mysticanvas.jobs.outcomes import Failed, apply_all
from mysticanvas.jobs.progress import JobProgress
from mysticanvas.jobs.queue import NewJob

IMAGES = 5
STREAM = "/api/v1/events/stream"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "library").mkdir()
    server = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    yield server
    server.stop()


class Stream:
    """The events of one connection; `last_id` is the ID of the last one."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()
        self.last_id = ""

    def next(self) -> tuple[str, Any]:
        kind, data = "", None
        for line in self._lines:
            if line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")
            elif line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
            elif not line and kind not in ("", "ping"):
                return kind, data
        raise EOFError

    def until(self, wanted: str) -> Any:
        while True:
            kind, data = self.next()
            if kind == wanted:
                return data


def open_stream(served: Served, **headers: str) -> Any:
    return served.http.stream("GET", STREAM, params={"types": [kind.value for kind in EventKind]}, headers=headers)


def test_an_import_an_edit_and_an_undo_are_reported_with_the_uuids_of_their_images(served: Served) -> None:
    with open_stream(served) as response:
        stream = Stream(response)
        assert stream.next()[0] == "hello"
        write_pictures(served.library.parent / "pictures", IMAGES)
        added: list[str] = []
        while len(added) < IMAGES:
            added += stream.until("image.added")["uuids"]
        assert sorted(added) == sorted(item["uuid"] for item in served.get("/api/v1/images", q="")["items"])
        imported = stream.until("import.done")
        assert (imported["state"], imported["folders"]) == ("done", [str(served.library.parent / "pictures")])
        served.wait_until_idle(IMAGES)
        [uuid] = [item["uuid"] for item in served.get("/api/v1/images", q="", limit=1)["items"]]
        done = served.post("/api/v1/edits", {"uuids": [uuid], "set": {"trash": True}})
        assert stream.until("image.removed")["uuids"] == [uuid]
        edit = stream.until("edit.done")
        assert (edit["id"], edit["state"], edit["changed"]) == (done["operation"], "done", 1)
        served.post(f"/api/v1/edits/{done['operation']}/undo", {})
        back = stream.until("image.added")
        assert (back["uuids"], back["count"], back["total"]) == ([uuid], 1, IMAGES)
        assert stream.until("edit.done")["state"] == "undone"


def test_who_reconnects_gets_what_was_missed_and_an_unknown_id_is_a_reset(served: Served) -> None:
    write_pictures(served.library.parent / "pictures", IMAGES)
    served.wait_until_idle(IMAGES)
    [uuid] = [item["uuid"] for item in served.get("/api/v1/images", q="", limit=1)["items"]]
    with open_stream(served) as response:
        stream = Stream(response)
        stream.next()
        served.post("/api/v1/edits", {"uuids": [uuid], "set": {"rating": 3}})
        stream.until("edit.done")
    served.post("/api/v1/edits", {"uuids": [uuid], "set": {"rating": 4}})
    with open_stream(served, **{"Last-Event-ID": stream.last_id}) as response:
        again = Stream(response)
        assert again.until("image.changed")["uuids"] == [uuid]
        assert int(again.last_id) > int(stream.last_id)
    with open_stream(served, **{"Last-Event-ID": "17"}) as response:
        late = Stream(response)
        assert [late.next()[0], late.next()[0]] == ["hello", "reset"]


def test_the_document_describes_the_events(served: Served) -> None:
    document = served.get("/api/v1/openapi.json")
    operation = document["paths"][STREAM]["get"]
    assert operation["operationId"] == "events.stream"
    body = operation["responses"]["200"]["content"]["text/event-stream"]
    assert body["schema"] == {"type": "string"}
    assert body["x-event-schema"] == {"$ref": "#/components/schemas/StreamEvent"}
    named = {"ImagesEvent", "EditDoneEvent", "JobsDoneEvent", "ImportDoneEvent", "ResetEvent"}
    assert named <= set(document["components"]["schemas"])


def test_an_unknown_type_is_refused(served: Served) -> None:
    assert served.http.get(STREAM, params={"types": "image.painted"}).status_code == 422


# -- without a server -------------------------------------------------------------------------


def hear(stream: EventStream, since: int, count: int) -> list[str]:
    async def listen() -> list[str]:
        following = stream.follow(since)
        found = [await anext(following) for _ in range(count)]
        await following.aclose()  # type: ignore[attr-defined]
        return found

    return loops.run(listen())


def test_the_memory_of_the_stream_is_bounded_by_characters_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEPT_CHARACTERS", 100)
    stream = EventStream()
    for _ in range(10):
        stream.publish("image.added", "x" * 40)
    newest = int(hear(stream, 0, 2)[1].partition("\n")[0].removeprefix("id: "))
    assert "event: reset" in hear(stream, newest - 3, 2)[1]
    assert "event: image.added" in hear(stream, newest - 2, 2)[1]


def test_many_images_are_several_messages_and_too_many_are_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_updates, "MAX_PER_MESSAGE", 2)
    monkeypatch.setattr(live_updates, "MAX_LISTED", 4)
    database.write(fill)
    images = [GenerationId(database.write(add_image, FIRST_S + number)) for number in range(5)]
    stream = EventStream()
    updates = live_updates.LiveUpdates(database, JobProgress(), stream)
    published: list[tuple[str, Any]] = []
    monkeypatch.setattr(stream, "publish", lambda kind, data: published.append((kind, data)))
    updates._publish_images(ChangeSet(added=images[:3]))
    updates._publish_images(ChangeSet(changed=images))
    assert [(kind, data["uuids"] and len(data["uuids"]), data["count"]) for kind, data in published] == [
        ("image.added", 2, 2),
        ("image.added", 1, 1),
        ("image.changed", None, 5),
    ]


def test_an_image_is_reported_once_and_by_its_last_state(database: Database) -> None:
    database.write(fill)
    kept, trashed, merged, moved = (GenerationId(database.write(add_image, FIRST_S + number)) for number in range(4))
    uuids = database.read(lambda tx: dict(tx.rows("SELECT id, uuid FROM generations")))
    database.write(lambda tx: tx.run("UPDATE generations SET deleted_at = 1, purge_after = 2 WHERE id = :i", i=trashed))
    database.write(lambda tx: tx.run("DELETE FROM generations WHERE id = :i", i=merged))
    later = GenerationId(moved + 256 * 1000)
    database.write(lambda tx: tx.run("UPDATE generations SET id = :later WHERE id = :i", later=later, i=moved))
    changes = ChangeSet(
        added=[kept, trashed, later],
        changed=[kept, trashed],
        removed=[trashed, merged, moved],
        gone={merged: uuids[merged], moved: uuids[moved]},
    )
    assert database.read(changed_images.list_changed, changes) == {
        EventKind.IMAGE_ADDED: [uuids[kept]],
        EventKind.IMAGE_CHANGED: [uuids[moved]],
        EventKind.IMAGE_REMOVED: [uuids[trashed], uuids[merged]],
    }


@pytest.mark.parametrize(("attempts", "ended"), [(1, []), (8, ["error"])])
def test_a_job_that_failed_is_reported_once_it_is_not_tried_again(
    database: Database, attempts: int, ended: list[str]
) -> None:
    database.write(queue.enqueue, NewJob(JOB_KIND, {}, "x"), now_ms=1)
    [job] = database.write(queue.claim, owner_id="one", limit=1, now_ms=2)
    reported: list[ChangeSet] = []
    database.after_commit(reported.append)
    database.write(apply_all, [Failed(replace(job, attempts=attempts), "no", crashed=False)], now_ms=3)
    assert [one.state for changes in reported for one in changes.ended if isinstance(one, JobDone)] == ended


# -- before a commit --------------------------------------------------------------------------


def test_what_is_written_before_a_commit_is_committed_with_it(database: Database) -> None:
    database.write(fill)
    database.before_commit(
        lambda tx, changes: (
            tx.run("INSERT INTO settings (name, value_json) VALUES ('seen', :n)", n=str(len(changes.added)))
            if changes.added
            else None
        )
    )
    database.write(add_image, FIRST_S)
    assert database.read(lambda tx: tx.value("SELECT value_json FROM settings WHERE name = 'seen'")) == "1"


def test_a_listener_that_fails_does_not_prevent_the_commit(database: Database) -> None:
    def fail(tx: Any, changes: ChangeSet) -> None:
        tx.run("INSERT INTO settings (name, value_json) VALUES ('half', '1')")
        raise RuntimeError("a bug")

    database.write(fill)
    database.before_commit(fail)
    database.write(add_image, FIRST_S)
    counts = database.read(
        lambda tx: (
            tx.value("SELECT count(*) FROM generations"),
            tx.value("SELECT count(*) FROM settings WHERE name = 'half'"),
        )
    )
    assert counts == (1, 0)
