"""Files and folders as a person names them: `~` means home, and what cannot be a path is said to be none."""

from pathlib import Path

from mysticanvas.domain.errors import InvalidInputError


def folder_named(path: str) -> Path:
    """Its links followed. Raises `InvalidInputError` where there is no such folder."""
    try:
        folder = Path(path).expanduser().resolve()
        there = folder.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise _no(path, "folder") from error
    if not there:
        raise _no(path, "folder")
    return folder


def file_named(path: str) -> Path:
    """Its links followed. Raises `InvalidInputError` where there is no such file."""
    try:
        file = Path(path).expanduser().resolve()
        there = file.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        raise _no(path, "file") from error
    if not there:
        raise _no(path, "file")
    return file


def _no(path: str, kind: str) -> InvalidInputError:
    return InvalidInputError(f"There is no {kind} {path}.")
