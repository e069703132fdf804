"""`doctor --fix` makes again what follows from sound rows, and says so; a dry look changes nothing (I7)."""

import os
from pathlib import Path

import pytest
from tests import edits as test_edits
from tests.rows import add_images

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.features.doctor import repair as doctor_repair
from mysticanvas.fs.thumbnail_cache import ThumbCache

DAMAGE = {
    "word index": "INSERT INTO generations_fts (generations_fts, rowid, prompt, negative_prompt, notes) "
    "SELECT 'delete', rowid, prompt, negative_prompt, notes FROM generations_text LIMIT 1",
    "gallery index": "DELETE FROM live_generations",
    "displayed tags": "DELETE FROM image_tags",
    "image counts of tags": "UPDATE tag_counts SET images = 9",
    "missing thumbnails": "UPDATE generation_files SET blake3 = NULL",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_follows_from_sound_rows_is_made_again(database: Database, tmp_path: Path, name: str) -> None:
    cache = ThumbCache(tmp_path / "thumbs", (256, 512))
    images = add_images(database, 4, prompt=lambda number: f"a red fox {number}")
    database.write(test_edits.do, "tag", {"add": ["fox"]}, images, now_ms=1)
    assert doctor_repair.find_repairs(database, cache) == []

    database.write(lambda tx: _damage(tx, DAMAGE[name]))
    assert name in [check.name for check in doctor_checks.run_all(database) if not check.ok]
    assert name in [one.what for one in doctor_repair.find_repairs(database, cache)]
    assert name in [check.name for check in doctor_checks.run_all(database) if not check.ok]

    assert name in [one.what for one in doctor_repair.run_repairs(database, cache, now_ms=2)]
    assert [check for check in doctor_checks.run_all(database) if not check.ok] == []
    assert doctor_repair.find_repairs(database, cache) == []


def _damage(tx: WriteTx, sql: str) -> None:
    tx.run(sql)


def test_thumbnails_of_no_image_are_removed_and_new_ones_are_not(database: Database, tmp_path: Path) -> None:
    cache = ThumbCache(tmp_path / "thumbs", (256, 512))
    add_images(database, 1, first=3)
    ours, old, new = (number.to_bytes(32, "big").hex() for number in (3, 7, 8))
    for name in (ours, old, new):
        path = cache.path(name, 256)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"webp")
        if name != new:
            os.utime(path, (1, 1))
    assert [one.what for one in doctor_repair.run_repairs(database, cache, now_ms=1)] == ["orphaned thumbnails"]
    assert {name.partition("-")[0] for name, _ in cache.list_files()} == {ours, new}


def test_a_sound_library_stays_sound_in_the_eyes_of_doctor_however_often_its_notes_change(database: Database) -> None:
    """The word index, asked to check itself, believes what a connection remembers of an earlier state of it."""
    [image] = add_images(database, 1, prompt=lambda _: "a red fox")
    for number in range(17):
        text = ("a lighthouse", "later", "")[number % 3]
        database.write(test_edits.do, "notes", {"value": text}, [image], now_ms=number)
        assert [check for check in doctor_checks.run_all(database) if not check.ok] == []
