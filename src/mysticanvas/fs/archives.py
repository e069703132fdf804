"""Zip files: writing is atomic, and reading does not trust the content.

Source of the format: PKWARE APPNOTE 6.3.10, sections 4.3 (records), 4.4.4 (flags) and 4.4.15 (attributes).
"""

import io
import os
import re
import stat
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.fs.durable import replace

MAX_ENTRIES = 100_000
MAX_DIRECTORY_BYTES = 64 * 2**20
MAX_ENTRY_BYTES = 4 * 2**30
MAX_TOTAL_BYTES = 2**40
MAX_RATIO = 200
# Smaller files are accepted at any compression ratio.
RATIO_EXEMPT_BYTES = 2**16
MAX_PART_BYTES = 255
# An unfinished file lies in a folder of its own next to its target. One of this age belongs to a killed process.
_PREFIX, _PART = ".mysticanvas-", "whole.part"
_LEFTOVER_S = 86_400.0
_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    struct.error,
    NotImplementedError,
    UnicodeDecodeError,
    ValueError,
)
# Device names that Windows reserves, with or without an extension.
_RESERVED_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE | re.DOTALL)
_FORBIDDEN_CHARACTER = re.compile('[\x00-\x1f\x7f<>:"|?*\\\\]')


def check_name(name: str) -> str:
    """Return the name if it is relative, stays in its folder and is valid on every system.

    Raises `InvalidInputError` otherwise.
    """
    parts = name.removesuffix("/").split("/")
    if _FORBIDDEN_CHARACTER.search(name) or any(not _is_safe_part(part) for part in parts):
        raise InvalidInputError(f"It contains a file with the unsafe name {name[:80]!r}.")
    return name


def _is_safe_part(part: str) -> bool:
    return (
        part not in ("", ".", "..")
        and part[-1] not in ". "
        and not _RESERVED_NAME.fullmatch(part)
        and len(part.encode("utf-8", "replace")) <= MAX_PART_BYTES
    )


def is_zip(path: Path) -> bool:
    """Whether the file starts like a zip file or has the extension .zip, which also covers damaged zip files."""
    with path.open("rb") as file:
        return file.read(2) == b"PK" or path.suffix.lower() == ".zip"


# -- writing --------------------------------------------------------------------------------------


def write(target: Path, files: Mapping[str, bytes | Path]) -> None:
    """Write a zip file and flush it to disk. `files` maps names in the zip to content, or to a file to copy.

    Raises `InvalidInputError` when `target` exists or cannot be written, and leaves no partial file behind.
    """
    if os.path.lexists(target):
        raise _build_exists_error(target)
    try:
        _remove_leftovers(target.parent)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=_PREFIX) as folder:
            part = Path(folder) / _PART
            _write_entries(part, files)
            # Reserve the name first, so that an existing file is never overwritten.
            target.touch(mode=0o600, exist_ok=False)
            replace(part, target)
    except FileExistsError as error:
        raise _build_exists_error(target) from error
    except OSError as error:
        raise InvalidInputError(f"Could not write {target}: {error.strerror or error}.") from error


def _remove_leftovers(folder: Path) -> None:
    """Removes what exports to this folder left that were killed."""
    for part in folder.glob(f"{_PREFIX}*/{_PART}"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _LEFTOVER_S:
                part.unlink()
                part.parent.rmdir()


def _build_exists_error(target: Path) -> InvalidInputError:
    return InvalidInputError(f"{target} already exists. Choose another name.")


def _write_entries(part: Path, files: Mapping[str, bytes | Path]) -> None:
    with part.open("xb") as file:
        with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
            for name, content in files.items():
                if isinstance(content, Path):
                    archive.write(content, check_name(name), zipfile.ZIP_STORED)
                else:
                    archive.writestr(check_name(name), content, _choose_method(content))
        file.flush()
        os.fsync(file.fileno())


def _choose_method(content: bytes) -> int:
    """The compression method: deflate, unless the result would look like a zip bomb to the reader."""
    packed = len(zlib.compress(content, 6))
    return zipfile.ZIP_STORED if _is_bomb(len(content), packed) else zipfile.ZIP_DEFLATED


# -- reading --------------------------------------------------------------------------------------


class Archive:
    """An open zip file with a valid directory. Every method may raise `InvalidInputError`."""

    def __init__(self, file: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> None:
        self._file = file
        self._entries = entries

    def names(self) -> Iterable[str]:
        return self._entries.keys()

    def read(self, name: str, *, most_bytes: int) -> bytes:
        """The content of a file, with verified length and checksum. Raises when it exceeds `most_bytes`."""
        return b"".join(self.chunks(name, most_bytes=most_bytes))

    def chunks(self, name: str, *, most_bytes: int = MAX_ENTRY_BYTES) -> Iterator[bytes]:
        """The content of a file in chunks. Length and checksum are verified before the iterator ends."""
        entry = self._entries.get(name)
        if entry is None:
            raise InvalidInputError(f"It does not contain {name}.")
        if entry.file_size > most_bytes:
            raise InvalidInputError(f"The file {name} in the archive is larger than {most_bytes:,} bytes.")
        length = 0
        with self._convert_errors(name), self._file.open(entry) as content:
            while chunk := content.read(2**20):
                length += len(chunk)
                yield chunk
        if length != entry.file_size:
            raise InvalidInputError(
                f"The file {name} in the archive is damaged: its size does not match the ZIP directory."
            )

    @contextmanager
    def _convert_errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except _READ_ERRORS as error:
            raise InvalidInputError(f"The file {name} in the archive is damaged: {error}") from error


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a zip file for reading. Errors, including those raised inside the context, name `path`.

    Raises `InvalidInputError` when the file is not a zip file, is damaged or is unsafe.
    """
    try:
        with path.open("rb") as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                yield Archive(archive, _check_entries(archive, os.fstat(file.fileno()).st_size))
    except InvalidInputError as error:
        raise InvalidInputError(f"Could not read {path}. {error}") from error
    except zipfile.BadZipFile as error:
        raise InvalidInputError(f"Could not read {path}. It is not a zip file or is truncated.") from error
    except (*_READ_ERRORS, OSError) as error:
        raise InvalidInputError(f"Could not read {path}. It is damaged: {error}") from error


def _check_directory(file: BinaryIO) -> None:
    """Check the size of the directory before `zipfile` reads it into memory."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 2**16 - 100))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise InvalidInputError("It is not a zip file or is truncated.")
    entries, directory_bytes = struct.unpack_from("<HL", tail, at + 10)
    long = tail.rfind(b"PK\x06\x06", 0, at)
    if long >= 0 and len(tail) >= long + 56:
        entries, directory_bytes = struct.unpack_from("<QQ", tail, long + 32)
    if entries > MAX_ENTRIES or directory_bytes > MAX_DIRECTORY_BYTES:
        raise InvalidInputError(f"It contains more than {MAX_ENTRIES:,} files.")


def _check_entries(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    folded: set[str] = set()
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise InvalidInputError(f"It contains more than {MAX_ENTRIES:,} files.")
    for entry in entries:
        _check_entry(entry)
        if (key := entry.orig_filename.casefold()) in folded:
            raise InvalidInputError(f"It contains two files named {entry.orig_filename!r}.")
        folded.add(key)
        found[entry.filename] = entry
    if sum(one.compress_size for one in entries) > size or sum(one.file_size for one in entries) > MAX_TOTAL_BYTES:
        raise InvalidInputError("The total size of its files is invalid.")
    return found


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = check_name(entry.orig_filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidInputError(f"The entry {name!r} in the archive is not a regular file.")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise InvalidInputError(
            f"The file {name!r} in the archive is encrypted or uses an unsupported compression method."
        )
    if entry.file_size > MAX_ENTRY_BYTES or _is_bomb(entry.file_size, entry.compress_size):
        raise InvalidInputError(
            f"The file {name!r} in the archive is too large when unpacked: {entry.file_size:,} bytes."
        )


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > RATIO_EXEMPT_BYTES and unpacked > MAX_RATIO * max(packed, 1)
