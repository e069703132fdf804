"""docs/sql.md is true: its views, columns and queries, read as a script reads them, and compared with the HTTP API.

The gallery is a process of its own. In one process, SQLite of the standard library would release the locks of APSW."""

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.faults.serving import Served
from tests.libraries import RandomLibrary
from tests.pictures import PARAMETERS, png

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database, ReadTx

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sql.md").read_text("utf-8")
TABLES = {
    name: re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \| (.+) \|$", section, re.MULTILINE)
    for name, section in re.findall(r"^### (v_\w+)\n(.*?)(?=^##)", DOCUMENT, re.MULTILINE | re.DOTALL)
}
QUERIES = re.findall(r"^```sql\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
[SCRIPT] = re.findall(r"^```python\n(import sqlite3\n.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
IMAGES = 12
NOON_S = int(datetime(2026, 3, 15, 12, tzinfo=UTC).timestamp())
MONTH_S = 31 * 86_400
# The names of columns that the API calls otherwise.
NAMES_IN_DETAIL = {
    "taken_from": "timestamp_source",
    "favorite": "is_favorite",
    "generator": "tool",
    "generator_version": "tool_version",
    "requested_width": "width",
    "requested_height": "height",
    "nsfw_score": "explicit",
    "grid": "is_grid",
    "in_trash": "deleted",
    **{name: name for name in ("rating", "notes", "prompt", "negative_prompt", "model", "model_hash", "sampler")},
    **{name: name for name in ("scheduler", "seed", "steps", "cfg_scale", "guidance", "denoise", "clip_skip")},
    **{name: name for name in ("generation_time_ms", "params", "damage", "missing")},
}
NAMES_IN_FILE = {
    "width": "width_px",
    "height": "height_px",
    **{name: name for name in ("format", "bytes", "blake3", "sha256")},
}


def write_image(path: Path, seed: int) -> None:
    """Two models, a LoRA with a growing weight in every second image, three months."""
    model = ("dreamer_v1", "night_xl")[seed % 2]
    text = PARAMETERS.format(seed=seed, model=model, model_hash=f"{seed % 2:010x}")
    if seed % 2 == 0:
        text = text.replace("\nNegative", f", <lora:film_grain:{seed / 10}>\nNegative", 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(64, 96, color=seed * 4096, texts={"parameters": text}))
    os.utime(path, (NOON_S + seed % 3 * MONTH_S, NOON_S + seed % 3 * MONTH_S))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("100% of #1")
    for seed in range(IMAGES):
        write_image(home / "pictures" / f"day {seed // 4}" / f"{seed}.png", seed)
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    organize(server)
    yield server
    server.stop()


def organize(served: Served) -> None:
    uuids = [item["uuid"] for item in search(served, "")]
    for rating in (3, 5):
        set_all(served, uuids[rating : rating + 2], rating=rating)
    set_all(served, uuids[:3], favorite=True)
    set_all(served, uuids[1:2], notes="for the wall")
    set_all(served, uuids[:6], tags={"add": ["fox"]})
    served.post("/api/v1/tags:imply", {"tag": "fox", "implies": "animal"})
    set_all(served, uuids[4:8], tags={"add": ["snow"]})
    served.post("/api/v1/collections", {"name": "Snowy", "query": "tag:snow"})
    best = served.post("/api/v1/collections", {"name": "Best", "notes": "for the wall"})["uuid"]
    set_all(served, uuids[2:9], collect=best)
    served.patch(f"/api/v1/collections/{best}", {"cover": uuids[3]})
    set_all(served, uuids[8:9], trash=True)
    served.wait_until_idle(IMAGES - 1)


def set_all(served: Served, uuids: list[str], **marks: Any) -> None:
    served.post("/api/v1/edits", {"uuids": uuids, "set": marks})


def search(served: Served, query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = served.get("/api/v1/images", q=query, limit=500)["items"]
    return items


def count(served: Served, query: str) -> int:
    return int(served.get("/api/v1/images", q=query, limit=0)["total"])


def run(folder: Path, sql: str, *values: object) -> list[dict[str, Any]]:
    """The rows as a script outside of MystiCanvas reads them."""
    uri = f"{(folder / 'mysticanvas.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        cursor = connection.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def read_all(folder: Path, view: str) -> list[dict[str, Any]]:
    return run(folder, f"SELECT * FROM {view}")  # noqa: S608 - the name of a view


def to_ms(text: str) -> int:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


# -- columns ------------------------------------------------------------------------------------------


def test_the_page_documents_exactly_the_public_views_and_their_columns(served: Served) -> None:
    views = run(served.library, "SELECT name FROM sqlite_schema WHERE type = 'view' AND name LIKE 'v\\_%' ESCAPE '\\'")
    assert {view["name"] for view in views} == set(TABLES)
    for name, columns in TABLES.items():
        assert [column for column, _, _, _ in columns] == [
            row["name"] for row in run(served.library, "SELECT name FROM pragma_table_info(?)", name)
        ]


@pytest.mark.parametrize("view", TABLES)
def test_every_value_has_the_documented_type_and_is_null_only_where_that_is_documented(
    served: Served, view: str
) -> None:
    rows = read_all(served.library, view)
    assert rows
    kinds = {"text": str, "integer": int, "real": float}
    for column, kind, _, null in TABLES[view]:
        values = [row[column] for row in rows]
        assert {type(value) for value in values if value is not None} <= {kinds[kind]}, column
        assert None not in values or not null.startswith("never"), column


def test_every_image_has_the_values_that_the_api_returns(served: Served) -> None:
    rows = read_all(served.library, "v_images")
    assert len(rows) == IMAGES
    assert sum(row["in_trash"] for row in rows) == 1
    assert {row["uuid"] for row in rows if row["shown"]} == {item["uuid"] for item in search(served, "")}
    for row in rows:
        detail = served.get(f"/api/v1/images/{row['uuid']}")
        file = detail["files"][0]
        for column, name in NAMES_IN_DETAIL.items():
            value = json.loads(row[column]) if column == "params" else row[column]
            assert value == detail[name], column
        assert {column: row[column] for column in NAMES_IN_FILE} == {
            column: file[name] for column, name in NAMES_IN_FILE.items()
        }
        assert row["path"] == f"{file['root']}/{file['path']}"
        assert Path(row["path"]).is_file()
        assert Path(row["folder"]) == Path(row["path"]).parent
        assert row["watched_folder"] == file["root"]
        assert (to_ms(row["taken"]), to_ms(row["added"])) == (detail["timestamp"], detail["imported_at"])
        assert to_ms(row["modified"]) == file["mtime_ms"]
        assert re.fullmatch("#[0-9a-f]{6}", row["color"])


def test_the_tags_and_models_of_an_image_are_those_that_the_api_returns(served: Served) -> None:
    for item in search(served, ""):
        uuid = item["uuid"]
        tags = run(served.library, "SELECT * FROM v_image_tags WHERE uuid = ?", uuid)
        shown = served.get(f"/api/v1/images/{uuid}/tags")
        assert sorted(row["tag"] for row in tags) == sorted(tag["name"] for tag in shown["tags"])
        assert {row["tag"] for row in tags if not row["implied"]} == {one["shown_as"] for one in shown["assignments"]}
        assert {row["source"] for row in tags} <= {"user"}
        models = run(served.library, "SELECT * FROM v_image_models WHERE uuid = ?", uuid)
        detail = served.get(f"/api/v1/images/{uuid}")
        assert [(row["name"], row["weight"]) for row in models if row["role"] == "lora"] == [
            (lora["name"], lora["weight"]) for lora in detail["loras"]
        ]
        assert [(row["name_in_image"], row["hash_in_image"]) for row in models if row["role"] == "checkpoint"] == [
            (detail["model"], detail["model_hash"])
        ]


def test_the_collections_are_those_that_the_api_returns(served: Served) -> None:
    rows = {row["uuid"]: row for row in read_all(served.library, "v_collections")}
    listed = {one["uuid"]: one for one in served.get("/api/v1/collections")["collections"]}
    assert rows.keys() == listed.keys()
    for uuid, one in listed.items():
        images = run(
            served.library, "SELECT uuid FROM v_collection_images WHERE collection_uuid = ? ORDER BY position", uuid
        )
        for column in ("name", "kind", "query", "parent", "cover", "notes", "position"):
            assert rows[uuid][column] == one[column]
        if one["kind"] == "manual":
            assert rows[uuid]["images"] == one["images"] == len(images) == 6
            assert [row["uuid"] for row in images] == served.get(f"/api/v1/collections/{uuid}/items")["uuids"]


# -- queries ------------------------------------------------------------------------------------------


def test_the_query_for_models_counts_and_averages_like_the_gallery(served: Served) -> None:
    found = run(served.library, QUERIES[0])
    assert len(found) == 2
    for row in found:
        ratings = [item["rating"] for item in search(served, f"model:{row['model']}")]
        rated = [rating for rating in ratings if rating]
        average = sum(rated) / len(rated) if rated else None
        assert (row["images"], row["rated"], row["average"]) == (len(ratings), len(rated), average)


def test_the_query_for_a_lora_finds_the_files_of_the_search(served: Served) -> None:
    found = run(served.library, QUERIES[1])
    assert 0 < len(found) < count(served, "lora:film_grain")
    assert {row["path"] for row in found} == {item["path"] for item in search(served, "lora:film_grain>=0.5")}


def test_the_query_for_months_counts_what_the_search_counts(served: Served) -> None:
    found = run(served.library, QUERIES[2])
    assert [row["month"] for row in found] == ["2026-03", "2026-04", "2026-05"]
    for row in found:
        month = f"date:{row['month']}"
        assert (row["images"], row["favorites"]) == (count(served, month), count(served, f"{month} is:favorite"))


def test_the_query_for_folders_adds_up_the_files(served: Served) -> None:
    sizes: Counter[str] = Counter()
    trashed = [row["uuid"] for row in read_all(served.library, "v_images") if row["in_trash"]]
    for uuid in [item["uuid"] for item in search(served, "")] + trashed:
        file = served.get(f"/api/v1/images/{uuid}")["files"][0]
        sizes[f"{file['root']}/{file['path']}".rpartition("/")[0]] += file["bytes"]
    assert len(sizes) == 3
    assert {row["folder"]: row["bytes"] for row in run(served.library, QUERIES[3])} == sizes


def test_the_query_for_tags_of_a_collection_counts_its_images(served: Served) -> None:
    found = run(served.library, QUERIES[4])
    assert {row["tag"] for row in found} == {"fox", "animal", "snow"}
    for row in found:
        assert (row["source"], row["images"]) == ("user", count(served, f"collection:best tag:{row['tag']}"))


def test_every_query_of_the_page_is_tested() -> None:
    assert len(QUERIES) == 5


def test_the_script_of_the_page_prints_the_rated_images(served: Served) -> None:
    path = "~/.local/share/mysticanvas/mysticanvas.db"
    assert path in SCRIPT
    script = SCRIPT.replace(f'"{path}"', repr(str(served.library / "mysticanvas.db")))
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", script], capture_output=True, text=True, check=True)
    rated = sorted(search(served, "rating:>=4"), key=lambda item: str(item["path"]))
    assert done.stdout.splitlines() == [f"{item['rating']} {item['path']}" for item in rated]
    assert rated


# -- while the gallery runs ---------------------------------------------------------------------------


def test_a_reader_outside_sees_an_edit_at_once_and_keeps_nothing_from_being_written(served: Served) -> None:
    uuid = search(served, "")[-1]["uuid"]
    uri = f"{(served.library / 'mysticanvas.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT notes FROM v_images WHERE uuid = ?", [uuid]).fetchall()
        set_all(served, [uuid], notes="written while a script reads")
        assert reader.execute("SELECT notes FROM v_images WHERE uuid = ?", [uuid]).fetchall() == before
        reader.execute("COMMIT")
        after = reader.execute("SELECT notes FROM v_images WHERE uuid = ?", [uuid]).fetchall()
        assert after == [("written while a script reads",)]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("UPDATE generations SET rating = 5")


def test_a_reader_of_a_closed_library_leaves_it_sound(tmp_path: Path) -> None:
    with Database.open(tmp_path / "library") as database:
        RandomLibrary(database, random.Random(1)).begin(20)
    assert len(read_all(tmp_path / "library", "v_images")) == 20
    with Database.open(tmp_path / "library") as database:
        assert [check.name for check in doctor_checks.run_all(database) if not check.ok and check.name == "pages"] == []


# -- any library --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_after_any_edits_the_views_show_what_the_gallery_shows(database: Database, seed: int) -> None:
    library = RandomLibrary(database, random.Random(seed))
    library.begin(30)
    for _ in range(60):
        library.edit()
    database.read(assert_same_as_gallery)


def assert_same_as_gallery(tx: ReadTx) -> None:
    assert tx.column("SELECT uuid FROM v_images ORDER BY uuid") == tx.column(
        "SELECT uuid FROM generations ORDER BY uuid"
    )
    assert tx.all("SELECT uuid, favorite, rating, missing FROM v_images WHERE shown ORDER BY uuid") == tx.all(
        "SELECT uuid, is_favorite AS favorite, rating, flags & 1 AS missing FROM live_generations ORDER BY uuid"
    )
    assert tx.value("SELECT count(*) FROM v_image_tags") == tx.value("SELECT count(*) FROM image_tags") > 0
    assert tx.value("SELECT count(*) FROM v_image_tags WHERE source IS NULL") == 0
    assert tx.all("SELECT uuid, name_in_image, role FROM v_image_models ORDER BY 1, 2, 3") == tx.all(
        """
        SELECT l.uuid, m.name AS name_in_image, u.role
          FROM generation_models AS u JOIN live_generations AS l ON l.id = u.generation_id
               JOIN models AS m ON m.id = u.model_id
         ORDER BY 1, 2, 3
        """
    )
    counted = tx.all(
        "SELECT collection_uuid AS uuid, count(*) AS images FROM v_collection_images GROUP BY 1 ORDER BY 1"
    )
    assert counted == tx.all("SELECT uuid, images FROM v_collections WHERE images > 0 ORDER BY uuid")


def test_times_are_those_of_the_stored_milliseconds(database: Database) -> None:
    chance = random.Random(1)
    moments = [0, -1, 999, 253_402_300_799_999, *(chance.randrange(-(10**12) * 2, 10**13) for _ in range(2_000))]
    view = database.read(lambda tx: tx.value("SELECT sql FROM sqlite_schema WHERE name = 'v_images'"))
    [expression] = re.findall(r"CAST\((strftime\(.*?, g\.timestamp .*?)  ?AS TEXT\) AS taken", view)
    with closing(sqlite3.connect(":memory:")) as connection:
        for moment in moments:
            [(text,)] = connection.execute(f"SELECT {expression} FROM (SELECT ? AS timestamp) AS g", [moment])  # noqa: S608
            assert to_ms(text) == moment
