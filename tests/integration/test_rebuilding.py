"""The database is lost, and what the person wrote is not: the journal, and a library made again from it (I4)."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests import edits as test_edits
from tests.pictures import write_pictures
from tests.rows import add_images, name_of

from mysticanvas.cli.client import Client, connect
from mysticanvas.db import connections, settings_store
from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.errors import InvalidInputError, MystiCanvasError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import log as edit_log
from mysticanvas.features.backups import service as backup_service
from mysticanvas.features.duplicates import service as duplicate_service
from mysticanvas.features.journal import checking
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import queries as journal_queries
from mysticanvas.features.journal import service as journal_service
from mysticanvas.features.journal.commands import rebuild
from mysticanvas.features.journal.service import JournalWriter
from mysticanvas.features.semantic import service as semantic_service
from mysticanvas.features.tags import image_tag_queries, prompt_tags
from mysticanvas.features.verify import queries as verify_queries
from mysticanvas.settings import Settings

PICTURES = 60
TAGS = ("fox", "snow", "animal", "vulpes", "red fox", "winter", "夜景", "Straße")


@contextmanager
def opened(library: Path) -> Iterator[Client]:
    with connect(Settings(library=library, workers=1)) as client:
        yield client


def take_in(client: Client, *folders: Path) -> None:
    asked = {"paths": [str(folder) for folder in folders], "dry_run": False, "watch": True}
    started = client.post("/api/v1/imports", asked)["id"]
    while client.get(f"/api/v1/imports/{started}", wait=5)["report"] is None:
        pass


def uuids(client: Client) -> list[str]:
    view = client.post("/api/v1/snapshots", {"q": ""})
    items = client.get(f"/api/v1/snapshots/{view['snapshot']}/items", start=0, count=min(256, view["total"]))
    return list(items["uuid"])


def rebuilt(client: Client) -> dict[str, Any]:
    client.post("/api/v1/library/rebuild")
    while (now := client.get("/api/v1/library/rebuild", wait=5))["report"] is None:
        pass
    return dict(now["report"])


def lose_database(library: Path) -> None:
    for path in library.glob("mysticanvas.db*"):
        path.unlink()


def live_out(client: Client, chance: random.Random, count: int) -> int:
    """So many deeds of a person, each drawn; how many of them made sense."""
    images = uuids(client)
    collections = [client.post("/api/v1/collections", {"name": f"Series {n}"})["uuid"] for n in range(3)]

    def some() -> list[str]:
        return chance.sample(images, chance.randint(1, 6))

    def marks() -> dict[str, Any]:
        return chance.choice(
            [
                {"favorite": chance.random() < 0.7},
                {"rating": chance.randint(0, 5)},
                {"notes": chance.choice(["the one for the wall", "для выставки", ""])},
                {"tags": {"add": chance.sample(TAGS, 2)}},
                {"tags": {"remove": chance.sample(TAGS, 2)}},
                {"tags": {"reject": chance.sample(TAGS, 1)}},
                {"collect": chance.choice(collections)},
                {"uncollect": chance.choice(collections)},
                {"trash": chance.random() < 0.6},
            ]
        )

    def relate() -> None:
        one, other = chance.sample(TAGS, 2)
        action, body = chance.choice([
            ("alias", {"tag": one, "of": other}), ("imply", {"tag": one, "implies": other}),
            ("unalias", {"tag": one}), ("unimply", {"tag": one, "implies": other}),
            ("rename", {"tag": one, "to": other + " too"}), ("merge", {"tag": one, "to": other}),
            ("set-category", {"tags": [one], "category": "style"}), ("delete", {"tag": one}),
            ("set-threshold", {"tag": one, "source": "llm", "value": 0.7}),
            ("set-threshold", {"source": "vision", "value": 0.4}),
        ])  # fmt: skip
        client.post(f"/api/v1/tags:{action}", body)

    def arrange() -> None:
        here, there = chance.sample(collections, 2)
        client.patch(f"/api/v1/collections/{here}", chance.choice([
            {"parent": there}, {"parent": None}, {"name": "Renamed"}, {"notes": "in order"},
            {"cover": chance.choice(images)},
        ]))  # fmt: skip

    def descend() -> None:
        child, parent = chance.sample(images, 2)
        relation = {"parent": chance.choice([parent, None]), "relation": "upscale"}
        client.put(f"/api/v1/images/{child}/parent", relation)

    deeds_drawn = [
        *[lambda: client.post("/api/v1/edits", {"uuids": some(), "set": marks()})] * 12,
        *[relate] * 3,
        arrange,
        descend,
        lambda: client.post("/api/v1/edits:undo"),
        lambda: client.post("/api/v1/edits:redo"),
        lambda: client.post("/api/v1/collections", {"name": "Smart", "query": "rating:>3"}),
        lambda: client.post(
            "/api/v1/templates", {"name": "T", "content": "a {subject}", "preview": chance.choice(images)}
        ),
        lambda: client.put("/api/v1/wildcards", {"name": "colour", "content": "red\nblue"}),
        lambda: client.patch("/api/v1/trash/settings", {"days": chance.randint(1, 90)}),
    ]
    done = 0
    for _ in range(count):
        try:
            chance.choice(deeds_drawn)()
            done += 1
        except MystiCanvasError:
            continue
    return done


def settled_export(client: Client, library: Path) -> str:
    """Once tags from prompts have come to rest: they wait a second for images to stop coming."""
    reader = connections.open_reader(library / "mysticanvas.db")
    deadline_s = time.monotonic() + 300
    while not _at_rest(ReadTx(reader)):
        assert time.monotonic() < deadline_s, "it did not come to rest"
        time.sleep(0.05)
    reader.close()
    return client.text("/api/v1/library/export")


def _at_rest(tx: ReadTx) -> bool:
    """Nothing is left of what follows by itself from what was done."""
    work = prompt_tags.is_waiting(tx), image_tag_queries.get_next_work_kind(tx), edit_log.find_unfinished(tx)
    return work == (False, None, None)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_a_library_whose_database_is_deleted_comes_back_with_all_that_the_person_wrote(
    tmp_path: Path, seed: int
) -> None:
    """I4. Some files were moved and renamed since, so that their content alone tells them."""
    library, folder, other = tmp_path / "library", tmp_path / "outputs", tmp_path / "more"
    pictures = write_pictures(folder, PICTURES)
    write_pictures(other, 10, first_seed=500)
    with opened(library) as client:
        take_in(client, folder, other)
        assert live_out(client, random.Random(seed), 250) > 150
        before = settled_export(client, library)
        names = uuids(client)
    assert before.count("\n") > 40
    lose_database(library)
    for picture in pictures[::7]:
        picture.rename(folder / f"renamed-{picture.name}")
    with opened(library) as client:
        report = rebuilt(client)
        assert (report["absent"], report["unread"]) == (0, 0)
        assert settled_export(client, library) == before
        wrote = [line for line in before.splitlines() if '"image": ' in line and '"trash"' not in line]
        assert {name for name in names if f'"{name}"' in "".join(wrote)} <= set(uuids(client))
        assert client.get("/api/v1/doctor")["ok"]
        assert client.get("/api/v1/library/rebuild")["journals"] == []
        with pytest.raises(InvalidInputError, match="no journal"):
            client.post("/api/v1/library/rebuild")
    # It keeps a journal again, and can be lost again.
    lose_database(library)
    with opened(library) as client:
        rebuilt(client)
        assert settled_export(client, library) == before


def test_what_was_written_of_a_file_that_is_away_waits_for_it(tmp_path: Path) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    pictures = write_pictures(folder, 4)
    with opened(library) as client:
        take_in(client, folder)
        names = uuids(client)
        client.post("/api/v1/edits", {"uuids": names, "set": {"rating": 5}})
        before = settled_export(client, library)
    lose_database(library)
    away = [tmp_path / path.name for path in pictures]
    for path, aside in zip(pictures[:2], away[:2], strict=True):
        path.rename(aside)
    with opened(library) as client:
        assert rebuilt(client)["absent"] == 2
        assert settled_export(client, library) == before
        away[0].rename(pictures[0])
        away[1].rename(folder / "came back under another name.png")
        take_in(client, folder)
        assert sorted(uuids(client)) == sorted(names)
        details = [client.get(f"/api/v1/images/{name}") for name in names]
        assert [detail["rating"] for detail in details] == [5] * 4
        assert all("a red fox in snow" in detail["prompt"] for detail in details)
        assert client.post("/api/v1/snapshots", {"q": "is:missing"})["total"] == 0
        assert client.get("/api/v1/doctor")["ok"]


def test_damaged_lines_of_the_journal_cost_themselves_alone(tmp_path: Path) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    write_pictures(folder, 6)
    with opened(library) as client:
        take_in(client, folder)
        for name in uuids(client):
            client.post("/api/v1/edits", {"uuids": [name], "set": {"rating": 3}})
    lose_database(library)
    [path] = (library / "journal").glob("*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    rated = [n for n, line in enumerate(lines) if b'"rating":3' in line]
    flipped = bytearray(lines[rated[0]])
    flipped[60] ^= 1
    lines[rated[0]] = bytes(flipped)
    # The last one was cut short by a power cut.
    path.write_bytes(b"".join(lines)[:-9])
    with opened(library) as client:
        report = rebuilt(client)
        assert report["unread"] == 2
        assert client.post("/api/v1/snapshots", {"q": "rating:3"})["total"] >= 4


def test_a_damaged_database_is_set_aside_and_made_again_by_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library, folder = tmp_path / "library", tmp_path / "outputs"
    write_pictures(folder, 5)
    with opened(library) as client:
        take_in(client, folder)
        client.post("/api/v1/edits", {"query": "", "set": {"favorite": True}})
        before = settled_export(client, library)
    with pytest.raises(InvalidInputError, match="--set-aside"):
        rebuild(library=library)
    (library / "mysticanvas.db").write_bytes(b"torn" * 5_000)
    rebuild(set_aside=True, library=library)
    assert "5 images" in capsys.readouterr().out
    with opened(library) as client:
        assert settled_export(client, library) == before
    assert any(path.read_bytes() == b"torn" * 5_000 for path in (library / "backups").iterdir())


def test_a_restored_library_begins_another_journal(tmp_path: Path) -> None:
    """What was written after the backup is not to come back by a later rebuild."""
    library, folder = tmp_path / "library", tmp_path / "outputs"
    write_pictures(folder, 3)
    with opened(library) as client:
        take_in(client, folder)
        made = Path(client.post("/api/v1/backups")["path"])
        client.post("/api/v1/edits", {"query": "", "set": {"rating": 5}})
    backup_service.restore(library, made)
    with opened(library) as client:
        assert client.get("/api/v1/library/rebuild")["journals"] == []
        client.post("/api/v1/edits", {"query": "", "set": {"favorite": True}})
        before = settled_export(client, library)
    lose_database(library)
    with opened(library) as client:
        rebuilt(client)
        assert settled_export(client, library) == before
    assert '"rating"' not in before


# -- the journal ----------------------------------------------------------------------------------


def rate(database: Database, image: GenerationId, rating: int) -> None:
    database.write(test_edits.do, "rating", {"value": rating}, [image], now_ms=1)


def ratings(folder: Path) -> dict[str, int]:
    [files] = journal_files.find_journals(folder / "journal").values()
    return {one["uuid"]: one.get("rating", 0) for one in journal_files.read_journal(files).entries("image")}


def test_what_was_written_without_a_journal_is_in_it_at_the_next_start(tmp_path: Path) -> None:
    """As after a kill between the commit and the line, and in a library older than the journal."""
    with Database.open(tmp_path) as database:
        images = add_images(database, 3)
        rate(database, images[0], 4)
        with JournalWriter(database):
            assert journal_service.wait_until_written(database, wait_s=10)
        rate(database, images[1], 2)
        assert ratings(tmp_path) == {name_of(0): 4}
        with JournalWriter(database):
            pass
        assert ratings(tmp_path) == {name_of(0): 4, name_of(1): 2}
        assert database.read(journal_queries.count_due) == 0


@pytest.mark.parametrize(
    "name",
    [
        verify_queries.STATE,
        duplicate_service.CAUGHT_UP,
        semantic_service.QUEUED_SETTING.format("a"),
        journal_queries.LIBRARY_SETTING,
    ],
)
def test_what_the_program_keeps_for_itself_is_not_in_the_journal(tmp_path: Path, name: str) -> None:
    """A library that is made again would believe that work was done which is not."""
    with Database.open(tmp_path) as database:
        database.write(settings_store.put, name, "said")
        database.write(settings_store.put, "trash.days", 7)
        assert database.read(journal_queries.list_due, limit=100)[0] == [("setting", "trash.days")]
        with JournalWriter(database):
            assert journal_service.wait_until_written(database, wait_s=10)


def test_notes_wait_while_the_journal_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_service, "PAUSE_AFTER_ERROR_S", 0.05)
    with Database.open(tmp_path) as database:
        images = add_images(database, 2)
        (tmp_path / "journal").write_text("a file is in the way")
        with JournalWriter(database):
            rate(database, images[0], 5)
            assert not journal_service.wait_until_written(database, wait_s=1)
            assert "cannot be written" in (database.problems.current or "")
            check = checking.check_journal(database)
            assert not check.ok
            assert "cannot be written" in check.detail
            (tmp_path / "journal").unlink()
            assert journal_service.wait_until_written(database, wait_s=10)
        assert database.problems.current is None
        assert ratings(tmp_path) == {name_of(0): 5}
    said = [r.message for r in caplog.records if "cannot be written: " in r.message]
    assert len(said) == 1
    assert str(tmp_path / "journal") in said[0]


def test_a_journal_that_has_grown_is_written_anew_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_files, "GROWN_BYTES", 20_000)
    with Database.open(tmp_path) as database:
        images = add_images(database, 40)
        with JournalWriter(database):
            for number in range(12):
                database.write(test_edits.do, "rating", {"value": number % 5}, images, now_ms=1)
                assert journal_service.wait_until_written(database, wait_s=10)
        [path] = (tmp_path / "journal").glob("*.jsonl")
        assert not path.name.endswith("-000001.jsonl")
        assert path.stat().st_size < 60_000
        assert ratings(tmp_path) == {name_of(n): 1 for n in range(40)}
