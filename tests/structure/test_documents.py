"""What the documents say exists, and what must not be in them does not."""

import re
import subprocess
from pathlib import Path

from tools import command_reference

from mysticanvas.app.command_table import list_commands
from mysticanvas.domain.query import Field

ROOT = Path(__file__).parents[2]
TEXTS = {".md", ".py", ".svelte", ".ts", ".yml"}
COMMAND_LINE = re.compile(r"(?<![\w/.\"-])mysticanvas ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / line for line in listed.stdout.splitlines() if not line.endswith((".png", ".svg"))]


def test_the_architecture_names_only_what_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    named = {path for path in re.findall(r"`([\w./-]+)`", text) if "/" in path and not path.startswith("/")}
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_readme_has_the_two_commands_and_its_picture() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "python3 dev.py run" in text
    assert "python3 dev.py test" in text
    [picture] = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert (ROOT / picture).is_file()


def test_the_guide_to_searching_names_every_field() -> None:
    text = (ROOT / "docs/searching.md").read_text("utf-8")
    assert [field.value for field in Field if f"`{field.value}:" not in text] == []


def test_the_command_reference_is_current() -> None:
    assert command_reference.PAGE.read_text("utf-8") == command_reference.build_page(), "run python3 dev.py cli"


def test_every_command_line_in_the_documents_exists() -> None:
    """Also in messages of the program and in the gallery."""
    names = {command.name for command in list_commands()}
    nouns = {name.split()[0] for name in names}
    named = [(path, found) for path in tracked() if path.suffix in TEXTS and "tests" not in path.parts
             for found in COMMAND_LINE.findall(path.read_text("utf-8"))]  # fmt: skip
    assert len(named) > 100
    assert [(path.name, noun, verb) for path, (noun, verb) in named
            if noun in nouns and not {noun, f"{noun} {verb}"} & names and verb] == []  # fmt: skip
    gone = {"roots", "favourite", "keep-one", "sight", "jobs", "models", "templates", "events", "sidecars", "collect",
            "import-library", "autotag-settings", "autotag-forget", "password", "rebuild", "reparse", "duplicates",
            "verify", "export", "redo", "rate", "note", "lineage"}  # fmt: skip
    assert [(path.name, noun) for path, (noun, _) in named if noun in gone] == []


def test_no_lock_file_names_a_host() -> None:
    for name in ("constraints.txt", ".npmrc", "web/.npmrc", "web/package-lock.json"):
        text = (ROOT / name).read_text("utf-8")
        assert '"resolved"' not in text, name
        assert not re.search(
            r"https?://(?!github\.com|opencollective\.com|[\w.]*/funding)[\w.-]*(pypi|npmjs|pythonhosted)", text
        ), name


def test_no_file_names_a_machines_paths() -> None:
    pattern = re.compile("/(" + "|".join(("wo" + "rk", "ro" + "ot", "fa" + "rm")) + ")/[a-z.]")
    assert [
        str(path) for path in tracked() if path.is_file() and pattern.search(path.read_text("utf-8", "ignore"))
    ] == []
