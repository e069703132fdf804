"""The file that defines hooks: what is accepted in it, and who may have written it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mysticanvas.domain.event import EventKind
from mysticanvas.features.event_hooks import hook_file
from mysticanvas.features.event_hooks.hook_file import HookFile, HookFileError, read_hooks, write_hooks
from mysticanvas.features.event_hooks.targets import find_program, resolve_loopback
from mysticanvas.features.event_hooks.types import Hook

COMMAND = Hook("0a1b2c3d", EventKind.IMAGE_ADDED, 5, command=[sys.executable, "a b", "$(c)"], folder=os.getcwd())
URL = Hook("4e5f6a7b", EventKind.JOB_DONE, 6, url="http://127.0.0.1:9999/hook?x=1")
on_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")


def test_hooks_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_hooks(tmp_path) == []
    write_hooks(tmp_path, [COMMAND, URL])
    assert read_hooks(tmp_path) == [COMMAND, URL]
    assert [path.name for path in tmp_path.iterdir()] == ["hooks.json"]


@on_posix
def test_only_the_owner_has_access_to_the_file(tmp_path: Path) -> None:
    os.umask(0o022)
    write_hooks(tmp_path, [COMMAND])
    assert (tmp_path / "hooks.json").stat().st_mode & 0o777 == 0o600


@on_posix
@pytest.mark.parametrize("mode", [0o644, 0o620, 0o604, 0o660])
def test_a_file_that_others_can_access_is_not_used(tmp_path: Path, mode: int) -> None:
    write_hooks(tmp_path, [COMMAND])
    (tmp_path / "hooks.json").chmod(mode)
    with pytest.raises(HookFileError, match="chmod 600"):
        read_hooks(tmp_path)


@on_posix
def test_a_file_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_hooks(tmp_path, [COMMAND])
    ours = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: ours + 1)
    with pytest.raises(HookFileError, match="another user"):
        read_hooks(tmp_path)


@on_posix
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "library").mkdir()
    write_hooks(tmp_path / "elsewhere", [COMMAND])
    (tmp_path / "library" / "hooks.json").symlink_to(tmp_path / "elsewhere" / "hooks.json")
    with pytest.raises(HookFileError, match="link"):
        read_hooks(tmp_path / "library")


def test_a_library_that_was_moved_runs_nothing_until_it_is_confirmed(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    write_hooks(tmp_path / "before", [COMMAND])
    moved = (tmp_path / "before").rename(tmp_path / "after")
    with pytest.raises(HookFileError, match="mysticanvas hook confirm"):
        read_hooks(moved)
    write_hooks(moved, hook_file.read_unconfirmed_hooks(moved))
    assert read_hooks(moved) == [COMMAND]


def _stored(**changes: Any) -> dict[str, Any]:
    return {"id": "1", "event": "image.added", "created_at": 0} | changes


@pytest.mark.parametrize(
    "hook",
    [
        _stored(),
        _stored(command=[]),
        _stored(command=["relative"], folder="/"),
        _stored(command=[sys.executable]),
        _stored(command=[sys.executable, "\0"], folder=os.getcwd()),
        _stored(command=f"{sys.executable} -c pass", folder=os.getcwd()),
        _stored(command=[sys.executable], folder=os.getcwd(), url="http://127.0.0.1:1"),
        _stored(url="https://127.0.0.1/"),
        _stored(url="file:///etc/passwd"),
        _stored(url="http://user:secret@127.0.0.1/"),
        _stored(url="http://127.0.0.1", event="image.painted"),
        "text",
    ],
)
def test_an_invalid_hook_makes_the_file_invalid(tmp_path: Path, hook: Any) -> None:
    _write(tmp_path, {"version": 1, "library": os.path.realpath(tmp_path), "hooks": [hook]})
    with pytest.raises(HookFileError, match="invalid"):
        read_hooks(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        json.dumps({"version": 2, "library": "", "hooks": []}).encode(),
        b" " * 1_048_577,
    ],
)
def test_any_other_content_is_invalid(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hooks.json").write_bytes(content)
    (tmp_path / "hooks.json").chmod(0o600)
    with pytest.raises(HookFileError, match="invalid"):
        read_hooks(tmp_path)


def _write(folder: Path, content: Any) -> None:
    (folder / "hooks.json").write_text(json.dumps(content))
    (folder / "hooks.json").chmod(0o600)


def test_two_hooks_with_one_id_are_refused(tmp_path: Path) -> None:
    write_hooks(tmp_path, [COMMAND, COMMAND])
    with pytest.raises(HookFileError, match="same ID"):
        read_hooks(tmp_path)


def test_a_change_of_the_file_is_noticed(tmp_path: Path) -> None:
    file = HookFile(tmp_path)
    assert file.read() == []
    write_hooks(tmp_path, [COMMAND])
    assert file.read() == [COMMAND]
    (tmp_path / "hooks.json").write_text("broken")
    for _ in range(2):
        with pytest.raises(HookFileError):
            file.read()
    (tmp_path / "hooks.json").unlink()
    assert file.read() == []


def test_ids_differ() -> None:
    hooks: list[Hook] = []
    for _ in range(50):
        hooks.append(Hook(hook_file.create_id(hooks), EventKind.IMAGE_ADDED, 0))
    assert len({hook.id for hook in hooks}) == 50


def test_a_program_is_stored_by_its_full_path() -> None:
    name = Path(sys.executable).name
    [program, *rest] = find_program([sys.executable, "-c", "pass"])
    assert (Path(program).name, rest) == (name, ["-c", "pass"])
    with pytest.raises(ValueError, match="not found"):
        find_program(["no-such-program-of-ours"])


def test_a_url_is_called_by_an_address_of_this_machine() -> None:
    found = resolve_loopback("http://localhost:8000/a?b=c#d")
    assert found.url in ("http://127.0.0.1:8000/a?b=c", "http://[::1]:8000/a?b=c")
    assert found.host == "localhost:8000"


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://0.0.0.0:80/", "http://[::]/", "http://192.168.1.5:9/x"])
def test_a_url_of_another_machine_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="this machine"):
        resolve_loopback(url)
