"""What scripts rely on: exit codes, and lists that are whole or say that they are not."""

from pathlib import Path

import pytest
from click.testing import Result
from tests.pictures import write_pictures
from typer.testing import CliRunner

from mysticanvas.app.cli import app
from mysticanvas.search import commands

IMAGES = 61


def run(library: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--library", str(library)], catch_exceptions=False)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("exit-codes")
    write_pictures(home / "pictures", IMAGES)
    assert run(home / "library", "import", str(home / "pictures")).exit_code == 0
    return home / "library"


@pytest.mark.parametrize("sort", ["newest", "oldest", "rating", "name", "random", "random:7", "size"])
def test_the_paths_of_a_search_are_all_there_are(library: Path, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    monkeypatch.setattr(commands, "IMAGES_PER_PAGE", 7)
    done = run(library, "search", "--paths", "--sort", sort)
    listed = done.stdout.splitlines()
    expected = {str(path) for path in (library.parent / "pictures").rglob("*.png")}
    assert (len(listed), set(listed), done.exit_code) == (IMAGES, expected, 0)
    limited = run(library, "search", "--paths", "--sort", sort, "--limit", "23").stdout.splitlines()
    assert limited == listed[:23]
    assert run(library, "search", "--paths", "no-such-word").exit_code == 1


def test_a_table_that_is_not_whole_says_so(library: Path) -> None:
    assert "The first 50 are shown" in run(library, "search").stdout
    assert "shown" not in run(library, "search", "--limit", "100").stdout


@pytest.mark.parametrize("format_of", [[], ["--json"]])
def test_an_import_and_a_scan_fail_when_a_file_does(tmp_path: Path, format_of: list[str]) -> None:
    folder, library = tmp_path / "pictures", tmp_path / "library"
    write_pictures(folder, 2)
    assert run(library, "import", str(folder), *format_of).exit_code == 0
    assert run(library, "folder", "scan", str(folder), *format_of).exit_code == 0
    (folder / "broken.png").write_bytes(b"this is no picture")
    assert run(library, "import", str(folder), "--dry-run", *format_of).exit_code == 1
    assert run(library, "import", str(folder), *format_of).exit_code == 1
    (folder / "broken too.png").write_bytes(b"nor is this")
    assert run(library, "folder", "scan", str(folder), *format_of).exit_code == 1


def test_a_scan_of_models_fails_when_a_folder_cannot_be_reached(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    assert run(tmp_path / "library", "model", "scan", str(models)).exit_code == 0
    models.rmdir()
    assert run(tmp_path / "library", "models", "scan").exit_code == 1


def test_an_edit_of_no_images_fails_and_leaves_nothing_to_undo(library: Path) -> None:
    for text in ("rate 5 NONE", "note NONE good", "favourite NONE", "trash put NONE", "tag add fox NONE"):
        words = text.replace("NONE", "no-such-word").split()
        done = run(library, *words)
        assert (text, done.exit_code, done.stdout) == (text, 1, "No images match.\n")
        assert run(library, *words, "--json").exit_code == 1
    assert "There are no edits yet." in run(library, "history").stdout


def test_an_edit_that_changes_nothing_leaves_nothing_to_undo(library: Path) -> None:
    assert "61 images changed." in run(library, "rate", "4", "").stdout
    again = run(library, "rate", "4", "")
    assert (again.exit_code, again.stdout) == (0, "No changes.\n")
    assert run(library, "undo").exit_code == 0
    assert run(library, "rate", "0", "").stdout == "No changes.\n"
    # It did not prevent the redo.
    assert run(library, "redo").exit_code == 0
    assert len(run(library, "history").stdout.splitlines()) == 2
