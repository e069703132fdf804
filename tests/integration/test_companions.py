"""Files of one image: sidecars, and pictures that are a file of another image, when their names say so."""

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_lineage import found, uuid_at
from tests.pictures import png

from mysticanvas.cli.client import Client, connect, wait_for_jobs
from mysticanvas.cli.imports import import_and_follow
from mysticanvas.db.database import Database
from mysticanvas.db.images import folders
from mysticanvas.domain.generation import InputImage, InputRole, Recipe
from mysticanvas.features.importing import record as import_record
from mysticanvas.features.importing.inspect import inspect
from mysticanvas.features.importing.related_files import detect_companion
from mysticanvas.features.lineage import view as lineage_view
from mysticanvas.formats.grids import is_grid
from mysticanvas.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.3)) as connected:
        yield connected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures" / "txt2img" / "2026-03-01"
    made.mkdir(parents=True)
    return made


def picture(seed: int, *, color: int, width: int = 64, script: str = "") -> bytes:
    text = f"a fox\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: {seed}, Size: 64x64, Version: v1.10.1{script}"
    return png(width, 64, color=color, texts={"parameters": text})


def take_in(client: Client, folder: Path) -> None:
    import_and_follow(client, [folder], dry_run=False, wait=True)


def images(client: Client) -> dict[str, dict[str, Any]]:
    """By the name of the final file."""
    found = [client.get(f"/api/v1/images/{i['uuid']}") for i in client.get("/api/v1/images", q="", limit=100)["items"]]
    return {Path(next(f["path"] for f in d["files"] if f["kind"] == "final")).name: d for d in found}


def kinds(detail: dict[str, Any]) -> dict[str, str]:
    return {Path(file["path"]).name: file["kind"] for file in detail["files"]}


FAMILY = {
    "00012-7-before-highres-fix.png": picture(7, color=1),
    "00013-7.png": picture(7, color=2),
    "00014-7-mask.png": picture(7, color=3),
    "00013-7_upscayl_4x_ultrasharp.png": png(256, 256, color=4),
    # The same beginnings, but made from another seed: no file of that image.
    "00015-8-mask.png": picture(9, color=5),
    "00015-8.png": picture(8, color=6),
}
JOINED = {
    "00013-7.png": "final",
    "00012-7-before-highres-fix.png": "input",
    "00014-7-mask.png": "mask",
    "00013-7_upscayl_4x_ultrasharp.png": "upscaled",
}


@pytest.mark.parametrize("backwards", [False, True])
def test_companions_join_their_image_in_any_order(client: Client, folder: Path, backwards: bool) -> None:
    for name, content in sorted(FAMILY.items(), reverse=backwards):
        (folder / name).write_bytes(content)
        take_in(client, folder)
    found = images(client)
    assert sorted(found) == ["00013-7.png", "00015-8-mask.png", "00015-8.png"]
    assert kinds(found["00013-7.png"]) == JOINED
    wait_for_jobs(client)
    assert client.get("/api/v1/doctor")["ok"]


def test_a_joined_file_is_known_from_then_on(client: Client, folder: Path) -> None:
    for name, content in FAMILY.items():
        (folder / name).write_bytes(content)
    take_in(client, folder)
    report = import_and_follow(client, [folder], dry_run=False, wait=False)
    assert (report["unchanged"], report["imported"]) == (len(FAMILY), 0)
    # Written anew, a mask still says nothing about its image.
    (folder / "00014-7-mask.png").write_bytes(picture(5, color=77))
    take_in(client, folder)
    found = images(client)["00013-7.png"]
    assert (found["seed"], kinds(found)) == ("7", JOINED)
    assert client.get("/api/v1/doctor")["ok"]


def test_what_the_person_has_marked_stays_an_image(client: Client, folder: Path) -> None:
    (folder / "00012-7-before-highres-fix.png").write_bytes(picture(7, color=1))
    take_in(client, folder)
    snapshot = client.post("/api/v1/snapshots", {"q": ""})["snapshot"]
    client.post("/api/v1/edits", {"snapshot": snapshot, "ranges": [[0, 1]], "set": {"favorite": True}})
    (folder / "00013-7.png").write_bytes(picture(7, color=2))
    take_in(client, folder)
    assert len(images(client)) == 2


@pytest.mark.parametrize("order", list(itertools.permutations(("companion", "image", "child"))))
def test_what_was_made_from_a_companion_came_from_its_image(database: Database, order: tuple[str, ...]) -> None:
    root = database.write(folders.add, path="/pictures", watch=False, now_ms=0)
    recipe = Recipe(prompt="a fox", seed=7)
    child = Recipe(prompt="a fox", seed=8, inputs=(InputImage(InputRole.SOURCE, "00012-7-before-highres-fix.png"),))
    arriving = {
        "companion": found(root, "day/00012-7-before-highres-fix.png", recipe),
        "image": found(root, "day/00013-7.png", recipe, second=1),
        "child": found(root, "child.png", child, second=2),
    }
    for name in order:
        database.write(import_record.add_images, [arriving[name]], [], now_ms=0)
    image, made = (uuid_at(database, path) for path in ("day/00013-7.png", "child.png"))
    seen = database.read(lineage_view.load_lineage, made)
    assert [(edge.parent, edge.child) for edge in seen.edges] == [(image, made)]
    assert uuid_at(database, "day/00012-7-before-highres-fix.png") == image


def test_sidecars_are_files_of_their_image_and_move_with_it(client: Client, folder: Path) -> None:
    (folder / "bare.png").write_bytes(png())
    (folder / "bare.json").write_text(json.dumps({"prompt": "a quiet sea", "seed": 7}))
    take_in(client, folder)
    assert kinds(images(client)["bare.png"]) == {"bare.png": "final", "bare.json": "sidecar"}
    (folder / "deep").mkdir()
    for name in ("bare.png", "bare.json"):
        (folder / name).rename(folder / "deep" / name)
    take_in(client, folder)
    moved = images(client)["bare.png"]["files"]
    assert {file["path"] for file in moved} == {"deep/bare.png", "deep/bare.json"}
    # One that is left behind stays known where it is.
    (folder / "far").mkdir()
    (folder / "deep" / "bare.png").rename(folder / "far" / "bare.png")
    take_in(client, folder)
    left = images(client)["bare.png"]["files"]
    assert {file["path"] for file in left} == {"far/bare.png", "deep/bare.json"}
    assert client.get("/api/v1/doctor")["ok"]


def test_grids_are_marked(client: Client, folder: Path) -> None:
    (folder / "grid-0001.png").write_bytes(picture(1, color=1, width=128))
    (folder / "00002-3.png").write_bytes(picture(3, color=2, width=128))
    (folder / "xyz.png").write_bytes(picture(4, color=3, script=", Script: X/Y/Z plot, X Type: Steps"))
    take_in(client, folder)
    assert {name: detail["is_grid"] for name, detail in images(client).items()} == {
        "grid-0001.png": True, "00002-3.png": False, "xyz.png": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "first_stems"),
    [
        (b"a/00012-7-before-highres-fix.png", "input", (b"00012-7", b"00013-7")),
        (b"00012-7-before-color-correction.png", "input", (b"00012-7", b"00013-7")),
        (b"00012-7-mask-composite.png", "mask", (b"00012-7", b"00011-7")),
        (b"fox-mask.png", "mask", (b"fox",)),
        (b"fox_upscayl_2048px_high.png", "upscaled", (b"fox",)),
        (b"fox.swarmpreview.jpg", "sidecar", (b"fox",)),
    ],
)
def test_names_say_of_what_a_file_is(name: bytes, kind: str, first_stems: tuple[bytes, ...]) -> None:
    found = detect_companion(name)
    assert found is not None
    assert (found.kind, found.stems[: len(first_stems)]) == (kind, first_stems)


@pytest.mark.parametrize("name", [b"fox.png", b"-mask.png", b"a mask.png", b"before-highres-fix.png", b"00012-7.png"])
def test_most_names_say_nothing(name: bytes) -> None:
    assert detect_companion(name) is None


def test_a_picture_that_only_goes_by_the_name_of_a_grid_is_none() -> None:
    assert not is_grid("grid-0001.png", Recipe(width=64, height=64), 64, 64)
    assert not is_grid("grid-0001.png", Recipe(), 640, 640)
    assert not is_grid("gridlock.png", Recipe(width=64, height=64), 640, 640)
    assert is_grid("grid-0001-12.png", Recipe(width=64, height=64), 128, 64)


def test_an_image_that_says_nothing_is_told_of_by_the_log_of_its_folder(client: Client, folder: Path) -> None:
    row = "<tr><td class='key'>{}</td><td class='value'>{}</td></tr>\n"
    settings = {"Prompt": "a fox", "Base Model": "m.safetensors", "Seed": 5, "Resolution": "(64, 64)"}
    table = "".join(row.format(key, value) for key, value in settings.items())
    (folder / "log.html").write_text(f'<html><div id="a_png" class="image-container">{table}</div></html>')
    (folder / "a.png").write_bytes(png(64, 64, color=1))
    (folder / "b.png").write_bytes(png(64, 64, color=2))
    take_in(client, folder)
    hits = client.get("/api/v1/images", q="", limit=10)["items"]
    made = [client.get(f"/api/v1/images/{hit['uuid']}") for hit in hits]
    assert sorted((one["prompt"] or "", one["seed"]) for one in made) == [("", None), ("a fox", "5")]
    # It belongs to no single image.
    assert all(len([file for file in one["files"] if file["kind"] == "sidecar"]) == 0 for one in made)
    assert inspect(folder / "a.png")["prompt"] == "a fox"


def test_a_sidecar_that_is_written_after_its_image_is_read_by_the_next_scan(client: Client, folder: Path) -> None:
    (folder / "bare.png").write_bytes(png(color=1))
    take_in(client, folder)
    assert images(client)["bare.png"]["prompt"] is None
    (folder / "bare.txt").write_text("a late fox\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 64x64")
    take_in(client, folder)
    found = images(client)["bare.png"]
    assert (found["prompt"], kinds(found)["bare.txt"]) == ("a late fox", "sidecar")
    assert [item["path"] for item in client.get("/api/v1/images", q="late")["items"]] != []
    # Read once, it is not read again.
    report = import_and_follow(client, [folder], dry_run=False, wait=False)
    assert (report["unchanged"], report["changed"]) == (1, 0)


def test_the_oldest_of_several_files_is_final_whichever_came_first(client: Client, folder: Path) -> None:
    for name, second in (("new.png", 1_700_000_900), ("old.png", 1_700_000_100), ("older than new.png", 1_700_000_500)):
        (folder / name).write_bytes(picture(7, color=1))
        os.utime(folder / name, (second, second))
        take_in(client, folder)
    assert list(images(client)) == ["old.png"]
    (folder / "old.png").unlink()
    take_in(client, folder)
    assert list(images(client)) == ["older than new.png"]


def test_a_companion_moves_to_a_nearer_image_that_comes_later(client: Client, folder: Path) -> None:
    for name in ("00012-7-before-highres-fix.png", "00016-7.png", "00013-7.png"):
        (folder / name).write_bytes(picture(7, color=len(name) * int(name[3:5])))
        take_in(client, folder)
    found = images(client)
    assert kinds(found["00016-7.png"]) == {"00016-7.png": "final"}
    assert kinds(found["00013-7.png"]) == {"00013-7.png": "final", "00012-7-before-highres-fix.png": "input"}


def test_a_companion_is_joined_after_its_image_was_moved_beside_it(client: Client, folder: Path) -> None:
    (folder / "00012-7-before-highres-fix.png").write_bytes(picture(7, color=1))
    (folder / "sorted").mkdir()
    (folder / "sorted" / "00013-7.png").write_bytes(picture(7, color=2))
    take_in(client, folder)
    assert len(images(client)) == 2
    (folder / "sorted" / "00013-7.png").rename(folder / "00013-7.png")
    take_in(client, folder)
    assert kinds(images(client)["00013-7.png"])["00012-7-before-highres-fix.png"] == "input"
