"""What the documents say exists, and what must not be in them does not."""

import re
import subprocess
from pathlib import Path

from mysticanvas.domain.query import Field

ROOT = Path(__file__).parents[2]


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
