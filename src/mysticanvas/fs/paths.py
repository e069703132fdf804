"""Resolves paths that the user entered, as `domain/entered_path.py` reads them."""

from pathlib import Path

from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import InvalidInputError


def resolve_folder(path: str) -> Path:
    """The absolute path of an existing folder, with links resolved. Raises `InvalidInputError`."""
    try:
        folder = parse_entered_path(path).resolve()
        there = folder.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise _build_missing_error(path, "folder") from error
    if not there:
        raise _build_missing_error(path, "folder")
    return folder


def resolve_file(path: str) -> Path:
    """The absolute path of an existing file, with links resolved. Raises `InvalidInputError`."""
    try:
        file = parse_entered_path(path).resolve()
        there = file.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        raise _build_missing_error(path, "file") from error
    if not there:
        raise _build_missing_error(path, "file")
    return file


def _build_missing_error(path: str, kind: str) -> InvalidInputError:
    return InvalidInputError(f"The {kind} {path} does not exist.")
