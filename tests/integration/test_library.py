"""The Python library, against a running gallery and in this process: both give the same results."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.serving import Served
from tests.pictures import write_pictures

import mysticanvas
from mysticanvas import Library, read_metadata
from mysticanvas.domain.errors import (
    ConflictError,
    InvalidInputError,
    LibraryError,
    NotFoundError,
    QueryError,
    UnreadableFileError,
)
from mysticanvas.library import Image
from mysticanvas.library import search as library_search

IMAGES = 7


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("scripts")
    (home / "library").mkdir()
    write_pictures(home / "pictures", IMAGES)
    return home


@pytest.fixture(scope="module", params=["served", "in process"])
def library(home: Path, request: pytest.FixtureRequest) -> Iterator[Library]:
    if request.param == "in process":
        with Library.open(home / "library") as library:
            library.import_folder(home / "pictures")
            yield library
        return
    served = Served(home / "library", [home / "pictures"]).wait_until_up()
    served.wait_until_idle(IMAGES)
    with Library.open(home / "library") as library:
        yield library
    served.stop()


@pytest.fixture(autouse=True)
def undone(library: Library) -> Iterator[None]:
    """Each test leaves the library as it was."""
    before = next(iter(library.history), None)
    yield
    for entry in list(library.history):
        if before is not None and entry.id <= before.id:
            break
        if entry.state == "done":
            library.history.undo(entry.id)


def test_a_search_yields_every_image_once_with_its_generation_data(library: Library, home: Path) -> None:
    found = list(library.search())
    assert len({image.uuid for image in found}) == IMAGES == library.search().count()
    assert {image.path for image in found} == set((home / "pictures").rglob("*.png"))
    for image in found:
        assert image.path is not None
        read = read_metadata(image.path)
        assert (image.prompt, image.seed, image.steps, image.model) == (read.prompt, read.seed, read.steps, read.model)
        assert image.loras == read.loras
    assert any(image.prompt for image in found)


def test_pages_join_without_a_gap(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [image.uuid for image in library.search()]
    monkeypatch.setattr(library_search, "PAGE", 2)
    assert [image.uuid for image in library.search()] == expected
    assert [image.uuid for image in library.search(limit=3)] == expected[:3]
    assert list(library.search(limit=0)) == []
    assert library.search().limited_to(1).first() == library.search().first()


def test_an_image_is_found_by_its_uuid_as_in_a_search(library: Library) -> None:
    first = library.search().first()
    assert first is not None
    assert library.get(first.uuid) == first
    with pytest.raises(NotFoundError):
        library.get("00000000-0000-4000-8000-000000000000")


def test_a_rating_of_a_search_is_one_edit_and_one_undo(library: Library) -> None:
    edit = library.edit.rate("", 4)
    assert (edit.changed, edit.total, edit.state) == (IMAGES, IMAGES, "done")
    assert {image.rating for image in library.search()} == {4}
    assert library.search("rating:4").count() == IMAGES
    assert library.history.undo().state == "undone"
    assert {image.rating for image in library.search()} == {0}
    assert library.history.redo(edit).changed == IMAGES


def test_images_may_be_a_search_an_image_or_a_list(library: Library) -> None:
    one, other, *_ = list(library.search())
    assert library.edit.favorite(one).changed == 1
    assert library.edit.favorite([other, one.uuid]).changed == 1
    assert library.edit.note(library.search("is:favorite"), "both").changed == 2
    assert library.edit.note(library.search(limit=3), "three").total == 3
    assert library.get(one.uuid).notes == "three"
    with pytest.raises(InvalidInputError, match="at most 10,000"):
        library.edit.rate([one.uuid] * 10_001, 1)


def test_trashed_images_leave_the_search_until_they_are_restored(library: Library) -> None:
    first = library.search().first()
    assert first is not None
    library.edit.trash(first)
    assert library.search().count() == IMAGES - 1
    assert library.get(first.uuid).in_trash
    assert library.edit.restore(first).changed == 1
    assert library.search().count() == IMAGES


def test_tags_are_added_listed_renamed_merged_and_removed(library: Library) -> None:
    one, other, *_ = list(library.search())
    library.tags.add("keeper", [one, other])
    library.tags.add("second", other)
    assert {tag.name: tag.images for tag in library.tags}["keeper"] == 2
    assert library.get(other.uuid).tags == ("keeper", "second")
    library.tags.rename("second", "third")
    library.tags.merge("third", "keeper")
    assert library.get(other.uuid).tags == ("keeper",)
    library.tags.remove("keeper", "tag:keeper")
    assert library.search("tag:keeper").count() == 0
    library.tags.delete("keeper")
    assert "keeper" not in {tag.name for tag in library.tags}


def test_collections_are_created_filled_and_deleted(library: Library) -> None:
    first = library.search().first()
    assert first is not None
    made = library.collections.create("Scripts")
    library.collections.add("Scripts", first)
    assert library.collections.find(made.uuid).images == 1
    assert [image.uuid for image in library.search('collection:"Scripts"')] == [first.uuid]
    smart = library.collections.create("Smart", query="rating:0")
    assert (smart.query, smart.images) == ("rating:0", IMAGES)
    library.collections.remove("Scripts", "")
    assert library.collections.find("Scripts").images == 0
    library.collections.delete("Smart")
    with pytest.raises(NotFoundError, match="Smart"):
        library.collections.find("Smart")


def test_an_undo_that_later_edits_prevent_is_refused(library: Library) -> None:
    library.tags.add("first", "")
    renamed = library.tags.rename("first", "later")
    library.tags.delete("later")
    with pytest.raises(ConflictError):
        library.history.undo(renamed)


def test_a_query_that_cannot_be_parsed_says_where(library: Library) -> None:
    with pytest.raises(QueryError) as raised:
        list(library.search("fox modle:x"))
    assert raised.value.position == 4
    assert raised.value.suggestion is not None


def test_rows_hold_what_json_can_hold(library: Library) -> None:
    rows = library.search().to_dicts()
    assert len(rows) == IMAGES
    assert json.loads(json.dumps(rows, default=str))[0]["uuid"] == rows[0]["uuid"]


def test_many_threads_share_one_library(library: Library) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(list(library.search())))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [IMAGES] * 8


def test_an_import_reports_its_progress_and_what_could_not_be_read(library: Library, tmp_path: Path) -> None:
    write_pictures(tmp_path / "more", 2)
    (tmp_path / "more" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    states: list[str] = []
    report = library.import_folder(
        tmp_path / "more", watch=False, dry_run=True, on_progress=lambda now: states.append(now.state)
    )
    assert report.failed == 1
    assert [Path(path).name for path, _ in report.failures] == ["broken.png"]
    assert states[-1] == "done"
    with pytest.raises(InvalidInputError):
        library.import_folder(tmp_path / "nowhere", watch=False)


def test_a_backup_is_a_file_that_sqlite_opens(library: Library) -> None:
    backup = library.back_up()
    with sqlite3.connect(f"{backup.as_uri()}?mode=ro", uri=True) as opened:
        assert opened.execute("SELECT count(*) FROM generations").fetchone() == (IMAGES,)


def test_a_closed_library_refuses_with_a_sentence(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "library")
    library.close()
    library.close()
    with pytest.raises(LibraryError, match="is closed"):
        library.search().count()


def test_the_package_offers_the_library_and_nothing_it_does_not_have() -> None:
    assert mysticanvas.Library is Library
    with pytest.raises(AttributeError):
        mysticanvas.libary  # noqa: B018


def test_metadata_is_read_without_a_library(home: Path, tmp_path: Path) -> None:
    read = read_metadata(next((home / "pictures").rglob("*.png")))
    assert read.format == "png"
    assert read.prompt
    (tmp_path / "page.png").write_text("<html>")
    with pytest.raises(UnreadableFileError):
        read_metadata(tmp_path / "page.png")


def test_every_public_name_has_a_docstring_or_a_type() -> None:
    for public in (Library, Image, *vars(mysticanvas.library).values()):
        if isinstance(public, type):
            assert public.__doc__, public
