"""Settings: where they come from, and `mysticanvas config`."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mysticanvas.app.cli import app, exit_code
from mysticanvas.app.library_settings import SETTINGS
from mysticanvas.cli.replies import Reply, check_reply
from mysticanvas.domain.errors import InvalidInputError, MystiCanvasError
from mysticanvas.settings import NAMES, Settings, convert, describe


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "config.toml"
    monkeypatch.setenv("MYSTICANVAS_CONFIG", str(path))
    return path


def run(library: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["config", *words, "--library", str(library)])


def write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")


def test_an_argument_overrides_the_environment_which_overrides_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings().port == 8642
    write(file, 'port = 1\nwatch = false\nhost_names = "nas.local, other"\n')
    assert (Settings().port, Settings().watch, Settings().names) == (1, False, ("nas.local", "other"))
    monkeypatch.setenv("MYSTICANVAS_PORT", "2")
    monkeypatch.setenv("MYSTICANVAS_WATCH", "yes")
    assert (Settings().port, Settings().watch) == (2, True)
    assert Settings(port=3).port == 3
    monkeypatch.setenv("MYSTICANVAS_PORT", "")
    assert Settings().port == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prt = 1", "Did you mean port?"),
        ("port = 99999", "port cannot be “99999”: expected `int` <= 65535"),
        ("port = ", "not valid TOML"),
        ('workers = "many"', "workers cannot be “many”"),
    ],
)
def test_a_mistake_in_the_file_is_named(file: Path, text: str, sentence: str) -> None:
    write(file, text)
    with pytest.raises(InvalidInputError) as raised:
        Settings()
    assert sentence in str(raised.value)
    assert exit_code(raised.value) == 2


def test_a_setting_of_the_machine_is_written_to_the_file_beside_what_is_there(file: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    write(file, "# my settings\nwatch = false\n")
    assert json.loads(run(library, "set", "port", "8700", "--json").stdout)["source"] == str(file)
    assert json.loads(run(library, "set", "host_names", 'a "b"', "--json").stdout)["value"] == 'a "b"'
    assert run(library, "set", "port", "8701").exit_code == 0
    assert file.read_text("utf-8") == '# my settings\nwatch = false\nhost_names = "a \\"b\\""\nport = 8701\n'
    assert Settings().port == 8701
    assert run(library, "set", "port", "--default").exit_code == 0
    assert (Settings().port, "port" in file.read_text("utf-8")) == (8642, False)
    assert exit_code_of(run(library, "set", "port", "70000")) == 2
    assert "port" not in file.read_text("utf-8")


def exit_code_of(done: Result) -> int:
    return exit_code(done.exception) if isinstance(done.exception, MystiCanvasError) else done.exit_code


def test_a_value_that_the_environment_overrides_says_so(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSTICANVAS_PORT", "2")
    assert "overridden by MYSTICANVAS_PORT" in " ".join(run(tmp_path, "set", "port", "3").stdout.split())
    assert json.loads(run(tmp_path, "get", "port", "--json").stdout)["source"] == "MYSTICANVAS_PORT"


@pytest.mark.usefixtures("file")
def test_settings_of_the_library_are_listed_and_changed(tmp_path: Path) -> None:
    library = tmp_path / "library"
    for name, value in (
        ("trash.days", "60"),
        ("trash.locked", "favorites,collected"),
        ("tags.from_prompts", "off"),
        ("jobs.sha256", "on"),
        ("vision.nsfw_threshold", "0.5"),
        ("vision.enabled", "off"),
    ):
        assert run(library, "set", name, value).exit_code == 0, name
        assert run(library, "get", name).stdout.strip() == value
    listed = [json.loads(line) for line in run(library, "list", "--jsonl").stdout.splitlines()]
    assert [one["name"] for one in listed] == [*NAMES, *(one.name for one in SETTINGS)]
    assert {one["source"] for one in listed if "." in one["name"]} == {"library"}
    assert all(one["description"] for one in listed)
    assert exit_code_of(run(library, "set", "trash.days", "none")) == 2
    assert "Did you mean trash.days" in str(run(library, "get", "trash.day").exception)
    assert "tagger enable" in str(run(library, "set", "tagger.general", "0.5").exception)


def test_every_setting_of_the_machine_has_a_description_and_a_type() -> None:
    for name in NAMES:
        assert describe(name)
        assert convert(name, getattr(Settings(), name)) == getattr(Settings(), name)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"detail": "No."}, 2),
        (422, {"detail": "No."}, 2),
        (404, {"detail": "No."}, 1),
        (409, {"detail": "No."}, 3),
        (410, {"detail": "Gone."}, 3),
        (429, {"detail": "Slower."}, 3),
        (503, {"detail": "Later."}, 3),
        (503, {"detail": "Damaged.", "type": "/docs/errors#damaged-library"}, 4),
        (500, None, 3),
    ],
)
def test_a_status_of_the_api_has_a_meaning_and_a_sentence(status: int, body: object, code: int) -> None:
    with pytest.raises(MystiCanvasError) as raised:
        check_reply(Reply(status, json.dumps(body).encode()))
    assert exit_code(raised.value) == code
    assert str(raised.value)
    if status in (410, 429):
        assert "run the command again" in str(raised.value).lower()
