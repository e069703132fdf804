"""Paths as people enter and paste them."""

import os
import sys
from pathlib import Path

import pytest

from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import InvalidInputError

ONLY_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other paths")


@ONLY_POSIX
@pytest.mark.parametrize(
    "text",
    ['"/a b"', "'/a b'", ' "/a b"\n', "file:///a%20b", "FILE:///a%20b", "file://localhost/a%20b", "file:/a%20b",
     '"file:///a%20b"', "/a b"],
)  # fmt: skip
def test_quotes_and_file_urls_mean_the_path_in_them(text: str) -> None:
    assert parse_entered_path(text) == Path("/a b")
    if "localhost" not in text:
        # The command line has made a `Path` of it, with one slash less.
        assert parse_entered_path(Path(text)) == Path("/a b")


@ONLY_POSIX
def test_bytes_that_are_no_text_survive_a_file_url() -> None:
    assert os.fsencode(parse_entered_path("file:///a%FFb%23%3F")) == b"/a\xffb#?"


def test_a_drive_of_windows_in_a_file_url_needs_no_slash() -> None:
    assert str(parse_entered_path("file:///C:/My%20Pictures")).replace("\\", "/") == "C:/My Pictures"
    assert str(parse_entered_path("file:\\C:\\My%20Pictures")).replace("\\", "/") == "C:/My Pictures"


def test_a_name_that_exists_is_taken_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("'quoted'", "file:odd", " spaces ") if sys.platform != "win32" else ("'quoted'",):
        Path(name).mkdir()
        assert parse_entered_path(name) == Path(name)


@ONLY_POSIX
def test_a_url_of_another_machine_is_refused_with_a_way_out() -> None:
    with pytest.raises(InvalidInputError, match="mounted"):
        parse_entered_path("file://nas/pictures")


def test_a_home_folder_is_replaced_also_in_quotes_and_one_of_nobody_is_a_sentence() -> None:
    assert parse_entered_path('"~/a b"') == Path.home() / "a b"
    with pytest.raises(InvalidInputError, match="home folder"):
        parse_entered_path("~nobody-of-this-name/x")
