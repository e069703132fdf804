"""The file `hooks.json` in the library's folder, which defines the hooks.

Only commands on this machine write it (`mysticanvas hook`), never the HTTP API, an import or an archive. It is used
only if nobody else could have written it: it belongs to this user, others have no access to it, and it was written for
a library in this folder. A library that was moved, or that came from another machine, runs nothing until its user has
confirmed the hooks.
"""

import os
import secrets
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mysticanvas.domain.errors import LibraryError
from mysticanvas.features.event_hooks.targets import check_target
from mysticanvas.features.event_hooks.types import Hook
from mysticanvas.fs.durable import replace, sync

HOOKS_FILE = "hooks.json"
VERSION = 1
MAX_BYTES = 1024 * 1024
MAX_HOOKS = 100
_Signature = tuple[int, int, int, int]


class HookFileError(LibraryError):
    """The hooks cannot be used. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class _File:
    version: int
    library: str
    hooks: list[Hook]


def read_hooks(library: Path) -> list[Hook]:
    """The hooks; empty without a file. Raises `HookFileError`."""
    found = _read_file(library)
    if found is None:
        return []
    if found.library != _name_place(library):
        raise HookFileError(
            f"The hooks were added for a library in {found.library}, and this one is in {_name_place(library)}. If you "
            "moved it, look at them and confirm them: mysticanvas hook confirm"
        )
    return found.hooks


def read_unconfirmed_hooks(library: Path) -> list[Hook]:
    """The hooks, also of a library that was moved. Raises `HookFileError`."""
    found = _read_file(library)
    return [] if found is None else found.hooks


def write_hooks(library: Path, hooks: Sequence[Hook]) -> None:
    """Replaces the file. Only its owner can read and write it."""
    content = msgspec.json.format(msgspec.json.encode(_File(VERSION, _name_place(library), list(hooks))), indent=2)
    temporary = library / f"{HOOKS_FILE}.part"
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content + b"\n")
    sync(temporary)
    replace(temporary, library / HOOKS_FILE)


def create_id(hooks: Sequence[Hook]) -> str:
    """An ID that none of these hooks has."""
    used = {hook.id for hook in hooks}
    return next(new for new in iter(lambda: secrets.token_hex(4), "") if new not in used)


class HookFile:
    """The hooks of a library, read again when their file changes."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._signature: _Signature | None = None
        self._hooks: list[Hook] = []
        self._problem: HookFileError | None = None

    def read(self) -> list[Hook]:
        """Raises `HookFileError`."""
        signature = _sign(self._library / HOOKS_FILE)
        if signature != self._signature:
            self._hooks, self._problem = [], None
            try:
                self._hooks = read_hooks(self._library)
            except HookFileError as error:
                self._problem = error
            self._signature = signature
        if self._problem is not None:
            raise self._problem
        return self._hooks


def _sign(path: Path) -> _Signature | None:
    """Changes with the file, its owner and its permissions; None without a file."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _read_file(library: Path) -> _File | None:
    path = library / HOOKS_FILE
    try:
        if path.is_symlink():
            raise HookFileError(f"{path} is a link, so it is not used. Replace it with a file.")
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            _refuse_others(path, os.fstat(file.fileno()))
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HookFileError(f"{path} cannot be read: {error.strerror}.") from error
    return _parse(path, content)


def _refuse_others(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise HookFileError(f"{path} is not a file.")
    if sys.platform == "win32":
        # The permissions of the user's folder apply.
        return
    if found.st_uid != os.geteuid():
        raise HookFileError(f"{path} belongs to another user, so no hook runs. Delete it, and add your hooks again.")
    if found.st_mode & 0o077:
        raise HookFileError(
            f"Other users can access {path}, so no hook runs. If you trust its content, run: chmod 600 {path}"
        )


def _parse(path: Path, content: bytes) -> _File:
    try:
        if len(content) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
        found = msgspec.json.decode(content, type=_File)
        if found.version != VERSION:
            raise ValueError(f"its version is {found.version}, and this version of MystiCanvas reads {VERSION}")
        if len(found.hooks) > MAX_HOOKS or len({hook.id for hook in found.hooks}) < len(found.hooks):
            raise ValueError(f"there are more than {MAX_HOOKS} hooks, or two with the same ID")
        for hook in found.hooks:
            check_target(hook)
    except (ValueError, LibraryError, RecursionError) as error:
        raise HookFileError(f"{path} is invalid, so no hook runs: {error}") from error
    return found


def _name_place(library: Path) -> str:
    return os.path.realpath(library)
