"""Imitates what Windows and macOS do differently, in this process and in every process that it starts.

A process imitates the traits named in `MYSTICANVAS_IMITATED` (commas between them) when `sitecustomize.py` of
`environment` runs this file. `MYSTICANVAS_PLANTED` names one function of the product that is replaced by a careless
one, which is what each trait must reveal.
"""

import builtins
import errno
import importlib
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ACCESS_DENIED, SHARING_VIOLATION, USER_MAPPED_FILE = 5, 32, 1224

_open, _stat, _lstat, _listdir = os.open, os.stat, os.lstat, os.listdir


def environment(folder: Path, traits: tuple[str, ...], planted: str = "") -> dict[str, str]:
    """The environment for a process that imitates `traits`. `folder` receives what it needs."""
    (folder / "sitecustomize.py").write_text(
        f"import runpy\nrunpy.run_path({str(Path(__file__).resolve())!r})['install']()\n", "utf-8"
    )
    marks = {"MYSTICANVAS_IMITATED": ",".join(traits), "MYSTICANVAS_PLANTED": planted}
    return dict(os.environ) | marks | {"PYTHONPATH": str(folder), "MYSTICANVAS_REFUSED": str(folder / "refused")}


def install() -> None:
    for trait in filter(None, os.environ.get("MYSTICANVAS_IMITATED", "").split(",")):
        TRAITS[trait]()
    if planted := os.environ.get("MYSTICANVAS_PLANTED"):
        PLANTED[planted]()


def _refusal(code: int, winerror: int, path: Any) -> OSError:
    Path(os.environ["MYSTICANVAS_REFUSED"]).touch()
    error = OSError(code, "refused, as on Windows", path)
    error.winerror = winerror  # type: ignore[attr-defined]
    return error


# -- traits of Windows ----------------------------------------------------------------------------


def flushes_only_writable_handles() -> None:
    import fcntl

    fsync = os.fsync

    def imitated(handle: Any) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        fsync(number)

    os.fsync = imitated


def opens_no_folders() -> None:
    def imitated(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None:
            raise NotImplementedError("dir_fd unavailable on this platform")
        if os.path.isdir(path):
            raise _refusal(errno.EACCES, ACCESS_DENIED, path)
        return _open(path, flags, mode)

    os.open = imitated
    os.supports_dir_fd = set()
    os.supports_fd = set()


def has_no_pread() -> None:
    del os.pread


def has_no_resource_module() -> None:
    # On Linux, psutil imports it.
    importlib.import_module("psutil")
    sys.modules["resource"] = None  # type: ignore[assignment]


def prints_cp1252() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="cp1252", errors="strict")


def keeps_open_files() -> None:
    """Nobody replaces or deletes a file that any process has open or has mapped."""

    def guard(function: Callable[..., Any]) -> Callable[..., Any]:
        def imitated(*paths: Any, **more: Any) -> Any:
            for path in paths:
                if _is_open(path):
                    raise _refusal(errno.EACCES, SHARING_VIOLATION, path)
            return function(*paths, **more)

        return imitated

    for name in ("replace", "rename", "unlink", "remove"):
        setattr(os, name, guard(getattr(os, name)))


def _is_open(path: Any) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    try:
        wanted = _stat(path, follow_symlinks=False)
    except OSError:
        return False
    real = os.path.realpath(os.fsdecode(path))
    for process in _listdir("/proc"):
        if not process.isdigit():
            continue
        try:
            for handle in _listdir(f"/proc/{process}/fd"):
                link = f"/proc/{process}/fd/{handle}"
                if os.readlink(link) == real and os.path.samestat(_stat(link), wanted):
                    return True
        except OSError:
            continue
    return False


def truncates_no_mapped_files() -> None:
    opened = builtins.open

    def imitated(file: Any, mode: str = "r", *others: Any, **more: Any) -> Any:
        if "w" in mode and not isinstance(file, int) and os.path.realpath(os.fsdecode(file)) in _list_mapped():
            raise _refusal(errno.EINVAL, USER_MAPPED_FILE, file)
        return opened(file, mode, *others, **more)

    builtins.open = io.open = imitated


def _list_mapped() -> set[str]:
    with io.FileIO("/proc/self/maps") as maps:
        return {line.split(None, 5)[5].strip().decode() for line in maps.read().splitlines() if line.count(b"/")}


def recycles_only_text() -> None:
    import send2trash

    move = send2trash.send2trash

    def imitated(path: Any) -> None:
        if not isinstance(path, str):
            raise TypeError("a bytes-like object is not a path of the Recycle Bin")
        move(path)

    send2trash.send2trash = imitated


# -- traits of macOS ------------------------------------------------------------------------------


def limits_no_address_space() -> None:
    import resource

    setrlimit = resource.setrlimit

    def imitated(kind: int, limits: tuple[int, int]) -> None:
        if kind == resource.RLIMIT_AS:
            raise ValueError("current limit exceeds maximum limit")
        setrlimit(kind, limits)

    resource.setrlimit = imitated


# -- traits of both -------------------------------------------------------------------------------


def ignores_case() -> None:
    """A path is found whatever the case of its letters; a folder lists each name as it was created."""

    def fold(path: Any) -> Any:
        if isinstance(path, int) or not os.path.isabs(path):
            return path
        try:
            _lstat(path)
        except OSError:
            return _spell_as_created(os.fspath(path))
        return path

    def guard(function: Callable[..., Any]) -> Callable[..., Any]:
        def imitated(path: Any, *others: Any, **more: Any) -> Any:
            return function(fold(path) if more.get("dir_fd") is None else path, *others, **more)

        return imitated

    for name in ("stat", "lstat", "open", "listdir", "access", "unlink", "remove", "mkdir"):
        setattr(os, name, guard(getattr(os, name)))
    builtins.open = io.open = guard(builtins.open)


def _spell_as_created(path: Any) -> Any:
    separator = b"/" if isinstance(path, bytes) else "/"
    spelled = path[:0]
    for part in path.split(separator)[1:]:
        folder = spelled or separator
        try:
            names = _listdir(folder)
        except OSError:
            return path
        match = part if part in names else next((one for one in names if one.lower() == part.lower()), part)
        spelled = spelled + separator + match
    return spelled


TRAITS: dict[str, Callable[[], None]] = {
    trait.__name__: trait
    for trait in (
        flushes_only_writable_handles,
        opens_no_folders,
        has_no_pread,
        has_no_resource_module,
        prints_cp1252,
        keeps_open_files,
        truncates_no_mapped_files,
        recycles_only_text,
        limits_no_address_space,
        ignores_case,
    )
}


# -- planted bugs: the product as it would be if it knew only Linux -------------------------------


def flush_through_any_handle() -> None:
    from mysticanvas.fs import durable

    def careless(path: Path) -> None:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    durable.sync = careless


def flush_every_folder() -> None:
    from mysticanvas.fs import durable

    def careless(path: Path) -> None:
        os.close(os.open(path, os.O_RDONLY))

    durable._sync_folder = careless


def open_by_folder_handle() -> None:
    from mysticanvas.fs import safe_open

    safe_open._open_resolved = lambda root, path: safe_open._open_parts(root, path.split(b"/"))


def read_by_pread() -> None:
    from mysticanvas.fs.safe_open import FileSource

    FileSource.read = lambda self, offset, length: os.pread(self.handle, length, offset)


def require_resource_module() -> None:
    from mysticanvas.worker import memory

    def careless(limit_bytes: int) -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit_bytes * 4, limit_bytes * 4))

    memory.limit_address_space = careless


def print_in_the_given_encoding() -> None:
    from mysticanvas.cli import output

    output.write_utf8 = lambda: None


def replace_at_once() -> None:
    from mysticanvas.fs import durable

    durable.replace = os.replace


def keep_files_mapped() -> None:
    from mysticanvas.ml.vectors import Vectors

    # As long as the garbage collector has not found them.
    uncollected: list[Any] = []
    Vectors.close = lambda self: uncollected.append(self._content)


def recycle_bytes() -> None:
    from mysticanvas.fs import trash

    move = trash.send2trash
    trash.send2trash = lambda path: move(os.fsencode(path))


def compare_the_last_name() -> None:
    from mysticanvas.features.importing import file_identity

    def careless(root: bytes, path_bytes: bytes) -> bool:
        path = os.path.join(root, path_bytes)
        return os.path.basename(path) in os.listdir(os.path.dirname(path))

    file_identity._is_listed = careless


PLANTED: dict[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (
        flush_through_any_handle,
        flush_every_folder,
        open_by_folder_handle,
        read_by_pread,
        require_resource_module,
        print_in_the_given_encoding,
        replace_at_once,
        keep_files_mapped,
        recycle_bytes,
        compare_the_last_name,
    )
}
