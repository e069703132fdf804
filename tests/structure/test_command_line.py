"""What a command loads before it knows what it needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.pictures import a1111_png

# The parts of a library, and what they are made of.
LIBRARY = (
    "fastapi", "starlette", "uvicorn", "numpy", "pyvips", "apsw", "argon2", "watchfiles", "httpx", "pathspec",
    "mysticanvas.app.orchestrator", "mysticanvas.app.http", "mysticanvas.search.index", "mysticanvas.db.database",
)  # fmt: skip
RUN = """
import sys
from mysticanvas.app.cli import main

sys.argv = ["mysticanvas", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print("loaded", *sys.modules)
"""


def list_loaded(*words: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", RUN, *words], capture_output=True, text=True, check=True)
    [line] = [line for line in done.stdout.splitlines() if line.startswith("loaded ")]
    return line.split()[1:]


@pytest.mark.parametrize("words", ["--version", "--help", "search --help", "image --help", "inspect {file} --json"])
def test_a_command_that_opens_no_library_loads_nothing_of_it(words: str, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(a1111_png(1))
    loaded = list_loaded(*words.format(file=tmp_path / "picture.png").split())
    assert "mysticanvas.cli.client" in loaded
    assert [name for name in LIBRARY if name in loaded] == []


def test_a_command_loads_the_commands_of_its_own_noun() -> None:
    loaded = [name for name in list_loaded("search", "--help") if name.endswith("commands")]
    assert loaded == ["mysticanvas.search.commands"]
    assert [name for name in list_loaded("--help") if name.endswith("commands")] == []


def test_what_prints_no_table_loads_no_rich() -> None:
    assert [name for name in list_loaded("--version") if name.partition(".")[0] in ("rich", "pydantic", "http")] == []
    assert len(list_loaded("--version")) < 330


def test_the_client_of_a_running_gallery_loads_only_the_standard_library() -> None:
    code = "import mysticanvas.cli.http_client, mysticanvas.search.commands, sys; print('loaded', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in (*LIBRARY, "rich") if name in done.stdout.split()] == []
