"""What lies in the folder where a person starts MystiCanvas is never run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.pictures import write_pictures

import mysticanvas
from mysticanvas.settings import Settings
from mysticanvas.worker.isolation import safe_environment, safe_folder

NAMES = (
    "resource", "numpy", "signal", "msgspec", "struct", "json", "random", "pyvips", "PIL", "zlib", "hashlib", "gc",
    "mysticanvas", "importlib", "functools", "dataclasses", "logging", "cffi", "httpx", "sitecustomize",
)  # fmt: skip
IMAGES = 3


def plant(folder: Path, witness: Path) -> None:
    """Modules that note in `witness` who imported them."""
    folder.mkdir()
    for name in NAMES:
        note = f"open({str(witness)!r} + '/{name}-' + str(os.getpid()), 'w').close()"
        (folder / f"{name}.py").write_text(f"import os\n{note}\n")


@pytest.mark.parametrize("python_path", ["", os.pathsep])
def test_no_module_in_the_current_folder_is_imported_by_a_worker(tmp_path: Path, python_path: str) -> None:
    planted, witness = tmp_path / "downloads", tmp_path / "witness"
    plant(planted, witness)
    witness.mkdir()
    write_pictures(tmp_path / "pictures", IMAGES)
    # The Orchestrator itself starts as the installed command does: without the current folder on its import path.
    started = f"import os; from mysticanvas.app.cli import main; os.environ['PYTHONPATH'] = {python_path!r}; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", started]
        + ["import", "--wait", "--json", str(tmp_path / "pictures"), "--library", str(tmp_path / "library")],
        cwd=planted,
        env={**os.environ, "MYSTICANVAS_WORKERS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert os.listdir(witness) == []
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["imported"] == IMAGES


def test_child_processes_are_started_in_one_place() -> None:
    """Whoever starts another kind of our processes must isolate it too, and add a test of it here. The other two start
    programs of the user: a hook, and the viewer that opens an image."""
    source = Path(mysticanvas.__file__).parent
    starting = re.compile(
        r"subprocess\.(Popen|run|call|check_)|multiprocessing|os\.(system|popen|exec|spawn|posix_spawn)"
    )
    found = [path.relative_to(source).as_posix() for path in source.rglob("*.py") if starting.search(path.read_text())]
    assert sorted(found) == ["features/event_hooks/deliver.py", "features/images/commands.py", "worker/pool.py"]


def test_a_child_finds_what_pythonpath_names_from_another_folder_but_not_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"PYTHONPATH": os.pathsep.join(["", "src", str(tmp_path / "more"), ""]), "LANG": "C"}
    expected = os.pathsep.join([str(tmp_path / "src"), str(tmp_path / "more")])
    assert safe_environment(given) == {"PYTHONPATH": expected, "LANG": "C"}
    assert safe_environment({"PYTHONPATH": os.pathsep, "LANG": "C"}) == {"LANG": "C"}


def test_workers_run_in_a_folder_that_exists_on_the_drive_of_the_program(tmp_path: Path) -> None:
    assert Path(safe_folder(), os.path.basename(sys.executable)).exists()


def test_a_relative_library_is_the_one_of_the_folder_where_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYSTICANVAS_LIBRARY", "here")
    assert Settings().library == tmp_path / "here"
