"""Exclude patterns of a folder hide images and bring them back; what programs made is never imported."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_sync import client, folder, rate_by_seed, root_of, scan, take_in
from tests.pictures import a1111_png
from typer.testing import CliRunner

from mysticanvas.app.cli import app
from mysticanvas.cli.client import Client, connect, wait_for_jobs
from mysticanvas.db.database import Database
from mysticanvas.db.images import excludes, folders
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.features.folders.watching import _scan_changes
from mysticanvas.fs.watcher import Hint
from mysticanvas.settings import Settings

__all__ = ["client", "folder"]


def put(folder: Path, *names: str, first_seed: int = 1) -> None:
    for seed, name in enumerate(names, first_seed):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(a1111_png(seed))


def exclude(client: Client, folder: Path, *patterns: str) -> dict[str, Any]:
    done = client.put(f"/api/v1/folders/{root_of(client, folder)['id']}/excludes", {"patterns": list(patterns)})
    while done["edit"] and done["edit"]["state"] in ("applying", "undoing", "redoing"):
        done["edit"] = client.get(f"/api/v1/edits/{done['edit']['operation']}", wait=5)
    return done


def preview(client: Client, folder: Path, *patterns: str) -> dict[str, Any]:
    return client.post(
        f"/api/v1/folders/{root_of(client, folder)['id']}/excludes:preview", {"patterns": list(patterns)}
    )


def total(client: Client, q: str = "") -> int:
    return int(client.get("/api/v1/images", q=q)["total"])


def describe_images(client: Client, uuids: dict[str, str]) -> dict[str, tuple[Any, ...]]:
    found = {seed: client.get(f"/api/v1/images/{uuid}") for seed, uuid in uuids.items()}
    return {seed: (one["rating"], one["notes"], one["missing"]) for seed, one in found.items()}


def test_an_exclude_is_previewed_hides_images_and_is_undone_with_all_that_belongs_to_them(
    client: Client, folder: Path
) -> None:
    put(folder, "a.png", "drafts/b.png", "drafts/deep/c.png", "x.tmp.png")
    take_in(client, folder)
    uuids = rate_by_seed(client)
    client.post("/api/v1/edits", {"query": "", "set": {"tags": {"add": ["fox"]}}})
    client.post("/api/v1/edits", {"uuids": [uuids["2"]], "set": {"notes": "a note"}})
    before = describe_images(client, uuids)

    assert preview(client, folder, "drafts/") == {
        "patterns": ["drafts/"], "hide": 2, "show": 0, "kept": 0, "examples": ["drafts/b.png", "drafts/deep/c.png"],
    }  # fmt: skip
    assert total(client) == 4

    edit = exclude(client, folder, "drafts/", "*.tmp.png")["edit"]
    assert (edit["state"], edit["changed"]) == ("done", 3)
    assert [total(client, q) for q in ("", "rating:>=1", "tag:fox", "fox")] == [1, 1, 1, total(client, "fox")]
    assert (root_of(client, folder)["excludes"], root_of(client, folder)["excluded"]) == (["drafts/", "*.tmp.png"], 3)
    assert client.get("/api/v1/trash")["images"] == 0
    scan(client, folder)
    assert (total(client), describe_images(client, uuids)) == (1, before)

    client.post(f"/api/v1/edits/{edit['operation']}/undo")
    assert (total(client), total(client, "tag:fox"), root_of(client, folder)["excludes"]) == (4, 4, [])
    assert describe_images(client, uuids) == before
    client.post(f"/api/v1/edits/{edit['operation']}/redo")
    assert (total(client), root_of(client, folder)["excluded"]) == (1, 3)


def test_a_pattern_that_is_removed_brings_back_what_it_hid_and_what_it_kept_out(client: Client, folder: Path) -> None:
    put(folder, "a.png", "drafts/b.png")
    take_in(client, folder)
    exclude(client, folder, "drafts/")
    put(folder, "drafts/new.png", first_seed=50)
    assert scan(client, folder)["imported"] == 0
    assert preview(client, folder)["show"] == 1
    done = exclude(client, folder)
    assert done["edit"]["changed"] == 1
    client.get(f"/api/v1/imports/{done['scan']}", wait=25)
    assert (total(client), root_of(client, folder)["excluded"]) == (3, 0)
    assert exclude(client, folder) == {"edit": None, "scan": None, "kept": 0}


def test_an_image_with_a_file_that_is_not_excluded_stays(client: Client, folder: Path) -> None:
    put(folder, "a.png", "drafts/b.png")
    shutil.copy(folder / "drafts" / "b.png", folder / "copy.png")
    take_in(client, folder)
    assert preview(client, folder, "drafts/")["hide"] == 0
    (folder / "copy.png").unlink()
    scan(client, folder)
    assert preview(client, folder, "drafts/")["hide"] == 1


def paths_of(client: Client, uuid: str) -> list[str]:
    return [one["path"] for one in client.get(f"/api/v1/images/{uuid}")["files"]]


def test_a_folder_finds_every_image_with_a_file_in_it(client: Client, folder: Path) -> None:
    put(folder, "a/one.png", "a/two.png")
    (folder / "copies").mkdir()
    shutil.copy2(folder / "a" / "one.png", folder / "copies" / "one.png")
    take_in(client, folder)
    assert [total(client, q) for q in ("path:a", "path:copies", "path:a path:copies", "-path:copies")] == [2, 1, 1, 1]
    facet = client.get("/api/v1/facets", q="", fields="path", limit=100)["facets"]
    assert {one["value"]: one["count"] for one in facet["path"]} == {
        str(folder): 2, f"{folder}/a": 2, f"{folder}/copies": 1,
    }  # fmt: skip
    (folder / "copies" / "one.png").unlink()
    scan(client, folder)
    assert [total(client, q) for q in ("path:a", "path:copies")] == [2, 0]


def test_an_excluded_file_is_neither_shown_nor_found_while_its_image_has_another(client: Client, folder: Path) -> None:
    put(folder, "drafts/b.png", "z.png")
    os.utime(folder / "drafts" / "b.png", (1_600_000_000, 1_600_000_000))
    shutil.copy(folder / "drafts" / "b.png", folder / "copy.png")
    take_in(client, folder)
    [image] = [one["uuid"] for one in client.get("/api/v1/images", q="path:drafts")["items"]]
    assert paths_of(client, image)[0] == "drafts/b.png"
    assert root_of(client, folder)["images"] == 3
    assert preview(client, folder, "drafts/")["kept"] == 1

    done = exclude(client, folder, "drafts/")
    client.get(f"/api/v1/imports/{done['scan']}", wait=25)

    assert (done["edit"]["changed"], done["kept"]) == (0, 1)
    assert paths_of(client, image)[0] == "copy.png"
    assert [total(client, q) for q in ("", "path:drafts", "path:copy.png")] == [2, 0, 0]
    state = root_of(client, folder)
    assert (state["images"], state["missing"], state["not_shown"]) == (2, 0, {"excluded folders": 1})

    client.post(f"/api/v1/edits/{done['edit']['operation']}/undo")
    wait_for_jobs(client)
    assert paths_of(client, image)[0] == "drafts/b.png"
    assert total(client, "path:drafts") == 1
    state = root_of(client, folder)
    assert (state["images"], state["not_shown"]) == (3, {})


def test_a_missing_file_is_not_counted_among_the_files_of_its_folder(client: Client, folder: Path) -> None:
    put(folder, "a.png", "b.png", "c.png")
    take_in(client, folder)
    (folder / "a.png").unlink()
    scan(client, folder)
    assert (root_of(client, folder)["images"], root_of(client, folder)["missing"]) == (2, 1)


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_an_excluded_image_that_is_found_elsewhere_is_shown_again(client: Client, folder: Path, how: str) -> None:
    put(folder, "a.png", "drafts/b.png")
    take_in(client, folder)
    uuids = rate_by_seed(client)
    client.post("/api/v1/edits", {"query": "", "set": {"tags": {"add": ["fox"]}}})
    edit = exclude(client, folder, "drafts/")["edit"]
    (shutil.move if how == "moved" else shutil.copy)(folder / "drafts" / "b.png", folder / "b.png")
    scan(client, folder)
    assert (total(client), total(client, "tag:fox")) == (2, 2)
    assert client.get(f"/api/v1/images/{uuids['2']}")["rating"] == 3
    client.post(f"/api/v1/edits/{edit['operation']}/undo")
    assert total(client) == 2


def test_what_a_program_made_and_was_imported_before_is_hidden_too(client: Client, folder: Path) -> None:
    put(folder, "images/thumbnails/b.webp")
    take_in(client, folder)
    put(folder, "images/b.png", first_seed=9)
    scan(client, folder)
    assert (total(client), preview(client, folder)["examples"]) == (2, ["images/thumbnails/b.webp"])
    edit = exclude(client, folder)["edit"]
    assert (edit["changed"], total(client)) == (1, 1)
    scan(client, folder)
    assert total(client) == 1


def test_the_library_in_a_watched_folder_is_not_imported(tmp_path: Path, client: Client) -> None:
    put(tmp_path, "a.png", "b.png")
    for _ in range(3):
        take_in(client, tmp_path)
    assert total(client) == 2
    with pytest.raises(InvalidInputError, match="excluded"):
        client.post("/api/v1/imports", {"paths": [str(tmp_path / "library" / "thumbs")]})


def test_an_excluded_folder_is_not_imported_when_it_is_named(client: Client, folder: Path) -> None:
    put(folder, "a.png", "drafts/b.png", "@eaDir/c.png")
    take_in(client, folder)
    exclude(client, folder, "drafts/")
    for name in ("drafts", "@eaDir"):
        with pytest.raises(InvalidInputError, match="is excluded"):
            client.post("/api/v1/imports", {"paths": [str(folder / name)]})


def test_a_missing_file_is_not_located_where_no_scan_would_find_it(client: Client, folder: Path) -> None:
    put(folder, "a.png")
    take_in(client, folder)
    (folder / "@eaDir").mkdir()
    (folder / "a.png").rename(folder / "@eaDir" / "a.png")
    scan(client, folder, accept=True)
    [lost] = client.get(f"/api/v1/folders/{root_of(client, folder)['id']}/missing")["files"]
    with pytest.raises(InvalidInputError, match="is excluded"):
        client.post(f"/api/v1/missing-files/{lost['id']}:locate", {"path": str(folder / "@eaDir" / "a.png")})


def test_a_hint_of_the_watcher_in_an_excluded_folder_scans_nothing(tmp_path: Path) -> None:
    scanned: list[bytes] = []

    class Importing:
        def start_changed(self, root: object, changed: list[bytes], *, recursive: bool) -> None:
            scanned.extend(changed)

    with Database.open(tmp_path / "library") as database:
        root = database.write(folders.add, path=str(tmp_path / "pictures"), watch=True, now_ms=0)
        database.write(excludes.set_patterns, root.id, ["drafts/"])
        hints = [
            Hint(root.path, folder, recursive)
            for folder in (b"drafts", b"x/drafts/deep", b"@eaDir", b".stversions/a", b"own", b"")
            for recursive in (False, True)
        ]
        _scan_changes(database, Importing(), hints)  # type: ignore[arg-type]
    assert scanned == [b"own", b"", b"own", b""]


def test_patterns_are_refused_with_the_reason_and_before_anything_changes(client: Client, folder: Path) -> None:
    put(folder, "a.png")
    take_in(client, folder)
    with pytest.raises(InvalidInputError, match="not an exclude pattern"):
        exclude(client, folder, "a.png", "!")
    with pytest.raises(NotFoundError):
        client.put("/api/v1/folders/999/excludes", {"patterns": []})
    folder.rename(folder.with_name("away"))
    with pytest.raises(ConflictError, match="not available"):
        exclude(client, folder, "a.png")
    folder.with_name("away").rename(folder)
    assert (total(client), root_of(client, folder)["excludes"]) == (1, [])


def run(library: Path, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--library", str(library)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_patterns_are_listed_added_and_removed_on_the_command_line(tmp_path: Path, folder: Path) -> None:
    library, at = tmp_path / "library", str(folder)
    put(folder, "a.png", "drafts/b.png", "x.tmp.png")
    (folder / "a.psd").write_bytes(b"not an image")
    assert "1 PSD not shown." in run(library, "import", at)
    assert "no exclude patterns" in run(library, "folder", "exclude", at)
    assert "would hide 2 images" in run(library, "folder", "exclude", at, "drafts/", "*.tmp.png", "--dry-run")
    assert "2 images hidden or shown. Undo:" in run(library, "folder", "exclude", at, "drafts/", "*.tmp.png")
    assert "No changes" in run(library, "folder", "exclude", at, "drafts/")
    assert json.loads(run(library, "folder", "exclude", at, "--json")) == {
        "patterns": ["drafts/", "*.tmp.png"], "excluded": 2,
    }  # fmt: skip
    listed = run(library, "folder", "list")
    assert "2 images excluded." in listed
    assert "1 PSD" in listed
    assert json.loads(run(library, "folder", "include", at, "drafts/", "--json"))["edit"]["changed"] == 1
    assert run(library, "folder", "exclude", at).splitlines() == ["*.tmp.png", "1 image excluded."]
    refused = CliRunner().invoke(app, ["folder", "include", at, "nothing/", "--library", str(library)])
    assert refused.exit_code != 0


def test_patterns_and_excluded_images_are_restored_from_the_journal(tmp_path: Path, folder: Path) -> None:
    library = tmp_path / "library"
    put(folder, "a.png", "drafts/b.png")
    with connect(Settings(library=library, workers=1)) as client:
        take_in(client, folder)
        uuids = rate_by_seed(client)
        exclude(client, folder, "drafts/")
    for path in library.glob("mysticanvas.db*"):
        path.unlink()
    with connect(Settings(library=library, workers=1)) as client:
        client.post("/api/v1/library/rebuild")
        while client.get("/api/v1/library/rebuild", wait=5)["report"] is None:
            pass
        assert (total(client), root_of(client, folder)["excludes"], root_of(client, folder)["excluded"]) == (
            1, ["drafts/"], 1,
        )  # fmt: skip
        done = exclude(client, folder)
        while client.get(f"/api/v1/imports/{done['scan']}", wait=5)["report"] is None:
            pass
        assert (total(client), client.get(f"/api/v1/images/{uuids['2']}")["rating"]) == (2, 3)
        assert client.get(f"/api/v1/images/{uuids['2']}")["missing"] is False


def test_the_requests_and_replies_stand_in_the_document_of_the_api(client: Client) -> None:
    document = client.get("/api/v1/openapi.json")
    for method, path, schema in (
        ("put", "/excludes", "ExcludesChanged"),
        ("post", "/excludes:preview", "ExcludePreview"),
    ):
        route = document["paths"]["/api/v1/folders/{folder_id}" + path][method]
        content = route["responses"]["200"]["content"]["application/json"]["schema"]
        assert content["$ref"].endswith(schema)
