"""Starting where something is missing or in the way: one sentence, or a little patience, and never a traceback."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.faults.serving import Served
from tests.pictures import write_pictures
from typer.testing import CliRunner

from mysticanvas.app import serve as app_serve
from mysticanvas.app.cli import app
from mysticanvas.cli import starting
from mysticanvas.cli.gallery import Gallery
from mysticanvas.db.lock import LibraryLock
from mysticanvas.domain.errors import LibraryBusyError

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such home folders")


def run(*words: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    kept = {"MYSTICANVAS_WORKERS": "1", **os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-m", "mysticanvas.app.cli", *words],
        env={name: value for name, value in kept.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "--library" in done.stderr


@posix
@pytest.mark.parametrize("words", [("search",), ("serve", "--no-open", "--port", "0")])
def test_a_home_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    # A file in the way stops root, too.
    (tmp_path / "home").write_text("")
    assert_one_sentence(run(*words, HOME=str(tmp_path / "home"), XDG_DATA_HOME=None, MYSTICANVAS_LIBRARY=None))


@posix
def test_an_account_without_a_home_folder_is_a_sentence(tmp_path: Path) -> None:
    # As `expanduser` answers for a user id that no account has, when HOME is not set.
    program = (
        "import os, os.path; os.path.expanduser = lambda path: path\n"
        "from mysticanvas.app.cli import main; import sys; sys.argv = ['mysticanvas', 'search']; main()"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG", "MYSTI", "HOME"))}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert_one_sentence(done)
    assert os.listdir(tmp_path) == []


def test_a_password_for_a_library_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    library = str(tmp_path / "file" / "library")
    program = (
        "import sys, typer; typer.prompt = lambda *_, **__: 'x' * 12\n"
        f"sys.argv = ['mysticanvas', 'password', '--library', {library!r}]\n"
        "from mysticanvas.app.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (4, False), done.stderr


@pytest.mark.parametrize("write", ['"{}"', "'{}'", "file://{}"])
def test_a_folder_in_quotes_or_as_a_file_url_is_imported_by_command_line_and_api(tmp_path: Path, write: str) -> None:
    folder = tmp_path / "my pictures"
    write_pictures(folder, 2)
    entered = write.format(str(folder).replace(" ", "%20") if "file" in write else folder)
    library = write.format(tmp_path / "library")
    done = CliRunner().invoke(app, ["import", "--json", entered, "--library", library], catch_exceptions=False)
    assert json.loads(done.stdout)["imported"] == 2
    assert (tmp_path / "library" / "mysticanvas.db").exists()
    with_api = Served(tmp_path / "served", []).wait_until_up()
    try:
        with_api.post("/api/v1/imports", {"paths": [entered]})
        with_api.wait_until_idle(2)
        assert [root["path"] for root in with_api.get("/api/v1/folders")["folders"]] == [str(folder)]
    finally:
        with_api.stop()


def test_a_command_waits_for_a_gallery_that_is_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is taken, there is no address yet: the gallery starts while the command is waiting."""
    library = tmp_path / "library"
    library.mkdir()
    served: list[Served] = []
    lock = LibraryLock.take(library)

    def start_meanwhile(_seconds: float) -> None:
        if not served:
            lock.release()
            served.append(Served(library, []))
            served[0].wait_until_up()

    monkeypatch.setattr(starting.time, "sleep", start_meanwhile)
    try:
        done = CliRunner().invoke(app, ["search", "--count", "--library", str(library)], catch_exceptions=False)
        assert done.stdout.strip() == "0"
        assert served
    finally:
        for one in served:
            one.stop()


def test_a_second_serve_joins_the_gallery_that_is_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter((None, Gallery("http://127.0.0.1:1", 1, "key")))
    joined: list[Any] = []
    monkeypatch.setattr(starting, "find_gallery", lambda _library: next(found))
    monkeypatch.setattr(app_serve, "_join_running_gallery", lambda *words, **_: joined.append(words))
    (tmp_path / "library").mkdir()
    lock = LibraryLock.take(tmp_path / "library")
    CliRunner().invoke(app, ["serve", "--no-open", "--library", str(tmp_path / "library")], catch_exceptions=False)
    lock.release()
    assert len(joined) == 1


def test_the_patience_has_an_end_and_names_who_holds_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "START_LIMIT_S", 0.0)
    lock = LibraryLock.take(tmp_path)
    try:
        with pytest.raises(LibraryBusyError, match=str(os.getpid())):
            starting.open_unless_served(tmp_path, lambda: LibraryLock.take(tmp_path))
    finally:
        lock.release()


def test_a_command_waits_until_another_command_is_done(tmp_path: Path) -> None:
    lock = LibraryLock.take(tmp_path)
    begun = threading.Event()

    def take() -> LibraryLock:
        begun.set()
        return LibraryLock.take(tmp_path)

    def release_once_begun() -> None:
        begun.wait()
        lock.release()

    threading.Thread(target=release_once_begun).start()
    taken = starting.open_unless_served(tmp_path, take)
    assert isinstance(taken, LibraryLock)
    taken.release()
