"""Every example of docs/python.md runs, in order, against a small library with a running gallery."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.serving import Served
from tests.pictures import a1111_png, write_pictures

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
IMAGES = 7


def examples() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home folder, in which the examples run."""
    (tmp_path / "library").mkdir()
    write_pictures(tmp_path / "pictures", IMAGES)
    write_pictures(tmp_path / "outputs", 2, first_seed=100)
    (tmp_path / "image.png").write_bytes(a1111_png(7))
    served = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    served.wait_until_idle(IMAGES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USERPROFILE" if os.name == "nt" else "HOME", str(tmp_path))
    monkeypatch.setenv("MYSTICANVAS_LIBRARY", str(tmp_path / "library"))
    yield tmp_path
    served.stop()


def test_every_example_runs_and_prints_what_the_page_says(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    printed = []
    for number, example in enumerate(examples()):
        exec(compile(example, f"{PAGE.name}, example {number}", "exec"), names)  # noqa: S102
        printed.append(capsys.readouterr().out)
    assert len(printed) > 10
    assert printed[1] == f"{IMAGES}\n"
    [edited] = [text for text in printed if f"{IMAGES} of {IMAGES}" in text]
    assert edited == f"{IMAGES} of {IMAGES}\n"
    assert f"best {IMAGES}\n" in "".join(printed)
    assert "2 0\n" in "".join(printed)
    assert "edit.done" in "".join(printed)
    assert "There is no search field “modle:”." in printed[-1]
    assert names["recipe"].seed == 7
