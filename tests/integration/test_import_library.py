"""The database of DiffusionDesk comes over whole, once, and is not touched."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.pictures import png

from mysticanvas.cli.client import Client, connect, wait_for_jobs
from mysticanvas.db.database import Database
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.tag import make_tag_key, parse_tag_name
from mysticanvas.settings import Settings

SCHEMA = """
CREATE TABLE generations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT UNIQUE NOT NULL, file_path TEXT NOT NULL,
    timestamp DATETIME DEFAULT CURRENT_TIMESTAMP, prompt TEXT, negative_prompt TEXT, seed INTEGER, width INTEGER,
    height INTEGER, steps INTEGER, cfg_scale REAL, model_hash TEXT, is_favorite BOOLEAN DEFAULT 0, parent_uuid TEXT,
    generation_time REAL, auto_tagged BOOLEAN DEFAULT 0, model_id TEXT, rating INTEGER DEFAULT 0, params_json TEXT,
    FOREIGN KEY (parent_uuid) REFERENCES generations (uuid));
CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, category TEXT DEFAULT 'general',
                   normalized_name TEXT);
CREATE TABLE image_tags (generation_id INTEGER, tag_id INTEGER, source TEXT DEFAULT 'user',
                         confidence REAL DEFAULT 1.0, PRIMARY KEY (generation_id, tag_id));
CREATE TABLE tag_aliases (alias TEXT PRIMARY KEY, target_tag_id INTEGER NOT NULL);
CREATE TABLE styles (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, prompt TEXT NOT NULL, negative_prompt TEXT,
                     preview_path TEXT);
CREATE TABLE prompt_library (id INTEGER PRIMARY KEY, label TEXT NOT NULL, content TEXT NOT NULL, category TEXT,
                             preview_path TEXT, usage_count INTEGER DEFAULT 0, created_at DATETIME);
CREATE TABLE model_metadata (model_hash TEXT PRIMARY KEY, name TEXT, trigger_words TEXT);
CREATE TABLE app_config (key TEXT PRIMARY KEY, value TEXT);
PRAGMA user_version = 4;
"""
HERE, GONE, LEGACY = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002", "legacy-old.png"
REQUEST = {"prompt": "a violet storm", "negative_prompt": "blurry", "seed": 342898, "width": 1024, "height": 768,
           "sample_steps": 30, "cfg_scale": 5.5, "sampling_method": "euler_a", "strength": 0.6}  # fmt: skip


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """A gallery in WAL mode whose last changes are still beside its file, as a running program leaves it."""
    home = tmp_path / "desk"
    (home / "outputs").mkdir(parents=True)
    (home / "outputs" / "img-1700000000000000-342898.png").write_bytes(png(color=1))
    (home / "outputs" / "old.png").write_bytes(png(color=2))
    path = home / "mysti.db"
    open_one = sqlite3.connect(path)
    open_one.execute("PRAGMA journal_mode = WAL")
    open_one.executescript(SCHEMA)
    fill(open_one)
    open_one.commit()
    # A copy of the files, wal and all: closing the connection would write it all into the database.
    running = tmp_path / "running"
    running.mkdir()
    for name in ("mysti.db", "mysti.db-wal"):
        (running / name).write_bytes((home / name).read_bytes())
    (home / "outputs").rename(running / "outputs")
    open_one.close()
    return running / "mysti.db"


def fill(database: sqlite3.Connection) -> None:
    row = """INSERT INTO generations (uuid, file_path, timestamp, prompt, negative_prompt, seed, width, height,
                                      steps, cfg_scale, model_hash, is_favorite, parent_uuid, generation_time,
                                      model_id, rating, params_json)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    made = "2026-03-01 12:00:00"
    database.execute(
        row,
        (GONE, "/outputs/img-1690000000000000-7.png", made, "a calm sea", "", -1, 640, 512, 20, 7.0, "", 0, None, 0.0,
         "", 5, json.dumps({"prompt": "a calm sea", "width": 640})),
    )  # fmt: skip
    database.execute(
        row,
        (HERE, "/outputs/img-1700000000000000-342898.png", made, "a violet storm", "blurry", 342898, 1024, 768, 30, 5.5,
         "abcdef0123", 1, GONE, 12.5, "flux1-dev.safetensors", 4, json.dumps(REQUEST)),
    )  # fmt: skip
    database.execute(
        row,
        (LEGACY, "/outputs/old.png", made, "an old one", "", 0, 512, 512, 20, 7.0, "", 0, None, 0.0, "", 0, None),
    )
    database.executemany(
        "INSERT INTO tags (id, name, category) VALUES (?, ?, ?)",
        [(1, "Storm_Cloud", "general"), (2, "night", "time"), (3, "bad\u202ename", "general")],
    )
    database.executemany(
        "INSERT INTO image_tags (generation_id, tag_id, source, confidence) VALUES (?, ?, ?, ?)",
        [(2, 1, "user", 1.0), (2, 2, "llm", 0.5), (1, 2, "user", 1.0), (1, 3, "user", 1.0)],
    )
    database.execute("INSERT INTO tag_aliases VALUES ('tempest', 1)")
    database.execute("INSERT INTO styles (name, prompt, negative_prompt) VALUES ('Oil', 'oil painting', 'photo')")
    database.execute(
        "INSERT INTO prompt_library (label, content, category, usage_count) VALUES ('Dusk', 'at dusk', 'Light', 3)"
    )
    database.execute("INSERT INTO model_metadata VALUES ('abcdef0123', 'Flux', 'none')")
    database.execute("INSERT INTO app_config VALUES ('theme', 'dark')")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.3)) as connected:
        yield connected


def take_over(client: Client, file: Path, **how: Any) -> dict[str, Any]:
    asked = client.post("/api/v1/migrations", {"path": str(file), **how})["id"]
    while True:
        now = client.get(f"/api/v1/migrations/{asked}", wait=5)
        if now["report"] is not None:
            return dict(now["report"])


def by_prompt(client: Client) -> dict[str, dict[str, Any]]:
    found = client.get("/api/v1/images", q="", limit=100)["items"]
    details = [client.get(f"/api/v1/images/{item['uuid']}") for item in found]
    return {detail["prompt"]: detail for detail in details}


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(library: Path, query: str) -> list[tuple[Any, ...]]:
    copy = sqlite3.connect(f"file:{library / 'mysticanvas.db'}?mode=ro", uri=True)
    try:
        return copy.execute(query).fetchall()
    finally:
        copy.close()


def test_everything_comes_over_and_the_source_is_not_touched(client: Client, gallery: Path, tmp_path: Path) -> None:
    before = state(gallery.parent)
    report = take_over(client, gallery)
    assert state(gallery.parent) == before
    counts = {name: report[name] for name in ("images", "matched", "missing", "known", "ratings", "favorites", "tags")}
    assert counts == {"images": 3, "matched": 2, "missing": 1, "known": 0, "ratings": 2, "favorites": 1, "tags": 3}
    assert (report["parents"], report["templates"], report["aliases"]) == (1, 2, 1)
    assert {(one["what"], one["count"]) for one in report["skipped"]} == {("settings", 1), ("model metadata", 1)}

    images = by_prompt(client)
    storm = images["a violet storm"]
    assert (storm["seed"], storm["steps"], storm["cfg_scale"], storm["width"]) == ("342898", 30, 5.5, 1024)
    assert (storm["rating"], storm["is_favorite"], storm["generation_time_ms"]) == (4, True, 12_500)
    assert (storm["model"], storm["model_hash"]) == ("flux1-dev.safetensors", "abcdef0123")
    assert storm["sampler"] == "euler_a"
    assert storm["params"]["strength"] == 0.6
    [edge] = client.get(f"/api/v1/images/{storm['uuid']}/lineage")["edges"]
    assert (edge["parent"], edge["sure"]) == (images["a calm sea"]["uuid"], True)
    assert client.get("/api/v1/doctor")["ok"]


def test_defaults_that_nobody_asked_for_are_not_taken_over(client: Client, gallery: Path) -> None:
    take_over(client, gallery)
    images = by_prompt(client)
    sea, old = images["a calm sea"], images["an old one"]
    assert (sea["width"], sea["height"], sea["seed"], sea["steps"], sea["cfg_scale"]) == (640, None, None, None, None)
    assert (old["width"], old["seed"], old["steps"], old["generation_time_ms"]) == (None, None, None, None)


def test_an_image_without_its_file_is_there_and_missing(client: Client, gallery: Path) -> None:
    take_over(client, gallery)
    sea = by_prompt(client)["a calm sea"]
    assert (sea["missing"], sea["rating"]) == (True, 5)
    assert [(file["path"], file["missing"]) for file in sea["files"]] == [("img-1690000000000000-7.png", True)]
    assert client.get("/api/v1/images", q="calm")["total"] == 1


def test_a_second_import_changes_nothing(client: Client, gallery: Path, tmp_path: Path) -> None:
    take_over(client, gallery)
    wait_for_jobs(client)
    tables = ("generations", "generation_files", "tags", "tag_assertions", "image_tags", "tag_aliases",
              "prompt_templates", "foreign_names", "raw_metadata", "generation_models", "models")  # fmt: skip
    before = {table: rows(tmp_path / "library", f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}  # noqa: S608
    report = take_over(client, gallery)
    assert (report["known"], report["tags"], report["templates"], report["parents"]) == (3, 0, 0, 0)
    after = {table: rows(tmp_path / "library", f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}  # noqa: S608
    assert after == before


def test_what_the_person_says_here_stays(client: Client, gallery: Path) -> None:
    take_over(client, gallery)
    snapshot = client.post("/api/v1/snapshots", {"q": "storm"})["snapshot"]
    client.post("/api/v1/edits", {"snapshot": snapshot, "ranges": [[0, 1]], "set": {"rating": 1}})
    take_over(client, gallery)
    assert by_prompt(client)["a violet storm"]["rating"] == 1


def test_a_file_that_comes_later_finds_its_words(client: Client, gallery: Path, tmp_path: Path) -> None:
    take_over(client, gallery)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "img-1690000000000000-7.png").write_bytes(png(color=7))
    client.post("/api/v1/imports", {"paths": [str(moved)]})
    take_over(client, gallery)
    assert client.get("/api/v1/images", q="")["total"] == 3
    images = by_prompt(client)
    sea, storm = images["a calm sea"], images["a violet storm"]
    assert (sea["missing"], sea["rating"]) == (False, 5)
    [edge] = client.get(f"/api/v1/images/{storm['uuid']}/lineage")["edges"]
    assert edge["parent"] == sea["uuid"]
    assert client.get("/api/v1/doctor")["ok"]


def test_a_file_that_comes_to_its_place_fills_it(client: Client, gallery: Path) -> None:
    take_over(client, gallery)
    (gallery.parent / "outputs" / "img-1690000000000000-7.png").write_bytes(png(color=7))
    take_over(client, gallery)
    sea = by_prompt(client)["a calm sea"]
    assert (sea["missing"], sea["rating"]) == (False, 5)
    assert client.get("/api/v1/images", q="")["total"] == 3


def test_tags_keep_their_names_sources_and_confidence(client: Client, gallery: Path, tmp_path: Path) -> None:
    take_over(client, gallery)
    library = tmp_path / "library"
    found = rows(
        library,
        """
        SELECT t.name, t.normalized_name, t.category, a.source, a.run, a.confidence
          FROM tag_assertions AS a
               JOIN tags AS t ON t.id = a.tag_id
         ORDER BY t.name, a.run
        """,
    )
    assert found == [
        ("Storm_Cloud", "storm cloud", None, "import", "diffusion-desk/user", 1.0),
        ("night", "night", "time", "import", "diffusion-desk/llm", 0.5),
        ("night", "night", "time", "import", "diffusion-desk/user", 1.0),
    ]
    assert rows(library, "SELECT count(*) FROM image_tags") == [(3,)]
    assert rows(library, "SELECT name, normalized_name FROM tag_aliases") == [("tempest", "tempest")]
    assert rows(library, "SELECT name, content, negative, category, uses FROM prompt_templates ORDER BY name") == [
        ("Dusk", "at dusk", None, "Light", 3),
        ("Oil", "oil painting", "photo", "style", 0),
    ]


def test_reading_kept_texts_again_keeps_what_came_over(client: Client, gallery: Path) -> None:
    take_over(client, gallery)
    before = by_prompt(client)
    client.post("/api/v1/images:reparse", {"all": True})
    wait_for_jobs(client)
    after = by_prompt(client)
    for prompt, detail in before.items():
        for name in ("seed", "steps", "width", "model", "params", "rating"):
            assert after[prompt][name] == detail[name], (prompt, name)


def test_a_dry_run_writes_nothing(client: Client, gallery: Path, tmp_path: Path) -> None:
    before = state(gallery.parent)
    report = take_over(client, gallery, dry_run=True)
    assert (report["matched"], report["missing"], report["ratings"], report["templates"]) == (2, 1, 2, 2)
    assert client.get("/api/v1/images", q="")["total"] == 0
    assert rows(tmp_path / "library", "SELECT count(*) FROM tags") == [(0,)]
    assert state(gallery.parent) == before


def hostile(tmp_path: Path, script: str) -> Path:
    path = tmp_path / "hostile.db"
    made = sqlite3.connect(path)
    made.executescript(script)
    made.close()
    return path


ENDLESS = """
CREATE VIEW generations AS
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
SELECT i AS id, '' AS uuid, '' AS file_path, '' AS timestamp, '' AS prompt, '' AS params_json FROM n
"""


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE other (id)",
        ENDLESS,
    ],
)
def test_a_stranger_is_refused(client: Client, tmp_path: Path, script: str) -> None:
    with pytest.raises(InvalidInputError, match="not a supported library"):
        take_over(client, hostile(tmp_path, script))
    assert client.get("/api/v1/doctor")["ok"]


def test_values_of_any_type_anywhere_do_no_harm(client: Client, tmp_path: Path) -> None:
    strange = """
    INSERT INTO generations (uuid, file_path, timestamp, prompt, seed, width, rating, is_favorite, params_json) VALUES
        (x'00ff', '../../../etc/passwd', 'never', x'ff', 'many', -1, 99, 'yes', '[1'),
        ('a', '', 12, 'nul' || char(0) || 'here', 18446744073709551615, 1e300, 'x', NULL, '{"a": [[[[]]]]}'),
        ('b', 'C:\\\\images\\\\x.png', '9999-12-31 23:59:59', '', NULL, NULL, NULL, NULL, 'null');
    INSERT INTO tags (id, name) VALUES (1, '');
    INSERT INTO image_tags VALUES (1, 1, 5, 'much');
    """
    path = hostile(tmp_path, SCHEMA + strange)
    report = take_over(client, path)
    assert (report["images"], report["missing"]) == (3, 3)
    assert client.get("/api/v1/doctor")["ok"]


def test_what_is_no_database_or_damaged_is_refused(client: Client, gallery: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("dear reader")
    with pytest.raises(InvalidInputError, match="not a database"):
        take_over(client, tmp_path / "letter.db")
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(gallery.read_bytes()[:4096] + os.urandom(4096))
    with pytest.raises(InvalidInputError):
        take_over(client, damaged)
    with pytest.raises(InvalidInputError, match="does not exist"):
        take_over(client, tmp_path / "nowhere.db")


def test_the_command_line_reports(gallery: Path, tmp_path: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mysticanvas.app.cli", "library", "migrate", str(gallery), *args]
        return subprocess.run(
            [*command, "--library", str(tmp_path / "cli")], capture_output=True, text=True, check=True
        )

    assert json.loads(run("--dry-run", "--json").stdout)["missing"] == 1
    assert "Imported 3 images from DiffusionDesk: 2 with files on this machine" in run().stdout
    assert json.loads(run("--json").stdout)["known"] == 3
    with Database.open(tmp_path / "cli") as database:
        kept = database.read(lambda tx: tx.column("SELECT name FROM settings WHERE name LIKE 'imported.%'"))
    assert kept == ["imported.diffusion-desk.model_metadata"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Storm_Cloud", "storm cloud"),
        ("  two   gaps ", "two gaps"),
        ("ＦＵＬＬ", "full"),
        ("Straße", "strasse"),
        ("ﬁre", "fire"),
    ],
)
def test_names_of_tags_are_compared_without_case_gaps_and_forms(name: str, key: str) -> None:
    assert make_tag_key(name) == key
    assert make_tag_key(key) == key


@pytest.mark.parametrize("name", ["", "   ", "a\u202eb", "a\x07b", "x" * 171])
def test_what_cannot_be_a_tag_has_no_name(name: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_tag_name(name)
