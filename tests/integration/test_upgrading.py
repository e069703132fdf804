"""A library of the first version becomes one of today, with everything in it and a backup before (D7)."""

from importlib import resources
from pathlib import Path

import apsw

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database
from mysticanvas.db.migrate import APPLICATION_ID, load_migrations
from mysticanvas.domain.model import ModelKind
from mysticanvas.domain.text import make_searchable
from mysticanvas.features.lineage import queries as lineage_queries
from mysticanvas.features.models import list_queries
from mysticanvas.features.models import queries as model_queries

CONTENT = """
INSERT INTO roots (id, path, added_at) VALUES (1, '/pictures', 0);
INSERT INTO models (id, kind, name, created_at) VALUES (1, 'checkpoint', 'dream', 0), (2, 'lora', 'film_grain', 0);
INSERT INTO model_hashes (model_id, kind, value) VALUES (2, 'autov3', '0123456789ab');
INSERT INTO generations (id, uuid, timestamp, timestamp_source, prompt, model_id, parent_uuid, parent_relation,
                         app_version, parser_version, imported_at, updated_at)
VALUES (100, '11111111-0000-4000-8000-000000000001', 0, 'mtime', 'a fox', 1, NULL, NULL, '0.1.0', 1, 0, 0),
       (200, '22222222-0000-4000-8000-000000000002', 0, 'mtime', 'a fox again', 1, 'Fox.png', 'img2img',
        '0.1.0', 1, 0, 0);
INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
SELECT rowid, prompt, negative_prompt, notes FROM generations_text;
INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, blake3, bytes, mtime_ns)
VALUES (100, 'final', 1, x'612f466f782e706e67', 'a/Fox.png', zeroblob(32), 1, 1),
       (200, 'final', 1, x'622e706e67', 'b.png', randomblob(32), 1, 1);
INSERT INTO generation_models (generation_id, model_id, role, weight)
VALUES (100, 1, 'checkpoint', NULL), (200, 1, 'checkpoint', NULL), (200, 2, 'lora', 0.7);
"""


def write_first_version(folder: Path) -> None:
    folder.mkdir()
    connection = apsw.Connection(str(folder / "mysticanvas.db"))
    connection.create_scalar_function("searchable", lambda *text: make_searchable(text[0]), 1, deterministic=True)
    script = (resources.files("mysticanvas.db") / "migrations" / "0001_library.sql").read_text("utf-8")
    connection.execute(
        script + CONTENT + f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;"
    ).fetchall()
    connection.close()


def test_a_library_of_the_first_version_is_upgraded_whole(tmp_path: Path) -> None:
    write_first_version(tmp_path / "library")
    with Database.open(tmp_path / "library") as database:
        assert [check for check in doctor_checks.run_all(database) if not check.ok] == []
        assert len(list(database.backups.glob("*.db"))) == 1
        listed = {model.name: model for model in database.read(list_queries.list_models, kind=None)}
        assert (listed["dream"].images, listed["film_grain"].images) == (2, 1)
        made = database.read(model_queries.list_made_with, 2, role=ModelKind.LORA, min_weight=0.5)
        assert made == [200]
        # The index on names was made from what was there.
        assert [one.generation_id for one in database.read(lineage_queries.find_by_name, "fox.png")] == [100]
        assert database.read(lambda tx: tx.value("PRAGMA user_version")) == len(load_migrations())
        shown = database.read(lambda tx: tx.rows("SELECT path, prompt, missing FROM v_images ORDER BY path").fetchall())
        assert shown == [("/pictures/a/Fox.png", "a fox", 0), ("/pictures/b.png", "a fox again", 0)]
        used = database.read(lambda tx: tx.rows("SELECT name, weight FROM v_image_models ORDER BY weight").fetchall())
        assert used == [("dream", None), ("dream", None), ("film_grain", 0.7)]


def test_a_file_that_was_too_large_for_a_thumbnail_is_no_longer_called_damaged(tmp_path: Path) -> None:
    write_first_version(tmp_path / "library")
    connection = apsw.Connection(str(tmp_path / "library" / "mysticanvas.db"))
    for image, damage in ((100, "The image is too large to display: 30,000 × 30,000 pixels."), (200, "It is cut off.")):
        connection.execute("UPDATE generation_files SET damage = ? WHERE generation_id = ?", (damage, image)).fetchall()
    connection.close()
    with Database.open(tmp_path / "library") as database:
        assert [check for check in doctor_checks.run_all(database) if not check.ok] == []
        states = database.read(
            lambda tx: tx.rows(
                "SELECT damage IS NULL, too_large IS NULL, is_outdated FROM generation_files ORDER BY id"
            )
        )
        assert [tuple(row) for row in states] == [(1, 0, 1), (0, 1, 1)]
