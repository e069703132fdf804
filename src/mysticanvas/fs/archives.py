"""Zip files: written whole or not at all, and read as what a stranger may have made.

Source of the format: PKWARE APPNOTE 6.3.10, sections 4.3 (records), 4.4.4 (flags) and 4.4.15 (attributes).
"""

import io
import os
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mysticanvas.domain.errors import InvalidInputError

MOST_ENTRIES = 100_000
MOST_DIRECTORY_BYTES = 64 * 2**20
MOST_ENTRY_BYTES = 4 * 2**30
MOST_BYTES = 2**40
MOST_RATIO = 200
# So little is no bomb, however it was packed.
FREE_OF_RATIO_BYTES = 2**16
LONGEST_PART_BYTES = 255
_ENCRYPTED = 1
_HOW = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, UnicodeDecodeError, ValueError)
# What Windows keeps for its devices, with or without an ending.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE | re.DOTALL)
_ODD = re.compile('[\x00-\x1f\x7f<>:"|?*\\\\]')


def safe_name(name: str) -> str:
    """The name, where it is relative, stays in its folder and is one on every system; else raises
    `InvalidInputError`."""
    parts = name.removesuffix("/").split("/")
    if _ODD.search(name) or any(not _is_part(part) for part in parts):
        raise InvalidInputError(f"It holds a file of the name {name[:80]!r}, which is not safe.")
    return name


def _is_part(part: str) -> bool:
    return (
        part not in ("", ".", "..")
        and part[-1] not in ". "
        and not _DEVICE.fullmatch(part)
        and len(part.encode("utf-8", "replace")) <= LONGEST_PART_BYTES
    )


def is_zip(path: Path) -> bool:
    """By its beginning, or by its name: one that is damaged is told as what it was to be."""
    with path.open("rb") as file:
        return file.read(2) == b"PK" or path.suffix.lower() == ".zip"


# -- writing --------------------------------------------------------------------------------------


def write(target: Path, files: Mapping[str, bytes | Path]) -> None:
    """A zip of these, on the disk when this returns. `InvalidInputError` where something is at `target`
    already, or where it cannot be written; nothing is left then."""
    if os.path.lexists(target):
        raise _there(target)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".mysticanvas-") as folder:
            part = Path(folder) / "whole.part"
            _fill(part, files)
            # The name is taken first, and only where it is free.
            target.touch(mode=0o600, exist_ok=False)
            os.replace(part, target)
    except FileExistsError as error:
        raise _there(target) from error
    except OSError as error:
        raise InvalidInputError(f"{target} cannot be written: {error.strerror or error}.") from error


def _there(target: Path) -> InvalidInputError:
    return InvalidInputError(f"{target} is there already; choose another name.")


def _fill(part: Path, files: Mapping[str, bytes | Path]) -> None:
    with part.open("xb") as file:
        with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
            for name, content in files.items():
                if isinstance(content, Path):
                    archive.write(content, safe_name(name), zipfile.ZIP_STORED)
                else:
                    archive.writestr(safe_name(name), content, _way(content))
        file.flush()
        os.fsync(file.fileno())


def _way(content: bytes) -> int:
    """Packed, unless that would make of it what a reader takes for a bomb."""
    packed = len(zlib.compress(content, 6))
    return zipfile.ZIP_STORED if _is_bomb(len(content), packed) else zipfile.ZIP_DEFLATED


# -- reading --------------------------------------------------------------------------------------


class Archive:
    """A zip whose directory was found in order. Every call may raise `InvalidInputError`."""

    def __init__(self, file: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> None:
        self._file = file
        self._entries = entries

    def names(self) -> Iterable[str]:
        return self._entries.keys()

    def read(self, name: str, *, most_bytes: int) -> bytes:
        """The whole of a file; its length and its sum are as the directory says."""
        return b"".join(self.chunks(name, most_bytes=most_bytes))

    def chunks(self, name: str, *, most_bytes: int = MOST_ENTRY_BYTES) -> Iterator[bytes]:
        """The last one comes only when length and sum are right."""
        entry = self._entries.get(name)
        if entry is None:
            raise InvalidInputError(f"It holds no {name}.")
        if entry.file_size > most_bytes:
            raise InvalidInputError(f"{name} in it is larger than {most_bytes:,} bytes.")
        length = 0
        with self._told(name), self._file.open(entry) as content:
            while chunk := content.read(2**20):
                length += len(chunk)
                yield chunk
        if length != entry.file_size:
            raise InvalidInputError(f"{name} in it is damaged: it is not as long as it says.")

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        try:
            yield
        except _BROKEN as error:
            raise InvalidInputError(f"{name} in it is damaged: {error}") from error


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Raises `InvalidInputError`, whose sentence names the file, also for what is said of it inside the context."""
    try:
        with path.open("rb") as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                yield Archive(archive, _checked(archive, os.fstat(file.fileno()).st_size))
    except InvalidInputError as error:
        raise InvalidInputError(f"{path} cannot be read. {error}") from error
    except zipfile.BadZipFile as error:
        raise InvalidInputError(f"{path} cannot be read. It is no zip, or was cut short.") from error
    except (*_BROKEN, OSError) as error:
        raise InvalidInputError(f"{path} cannot be read. It is damaged: {error}") from error


def _check_directory(file: BinaryIO) -> None:
    """Its size is bounded before anything reads it."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 2**16 - 100))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise InvalidInputError("It is no zip, or was cut short.")
    entries, directory_bytes = struct.unpack_from("<HL", tail, at + 10)
    long = tail.rfind(b"PK\x06\x06", 0, at)
    if long >= 0 and len(tail) >= long + 56:
        entries, directory_bytes = struct.unpack_from("<QQ", tail, long + 32)
    if entries > MOST_ENTRIES or directory_bytes > MOST_DIRECTORY_BYTES:
        raise InvalidInputError(f"It holds more than {MOST_ENTRIES:,} files.")


def _checked(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    folded: set[str] = set()
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise InvalidInputError(f"It holds more than {MOST_ENTRIES:,} files.")
    for entry in entries:
        _check_entry(entry)
        if (key := entry.orig_filename.casefold()) in folded:
            raise InvalidInputError(f"It holds two files of the name {entry.orig_filename!r}.")
        folded.add(key)
        found[entry.filename] = entry
    if sum(one.compress_size for one in entries) > size or sum(one.file_size for one in entries) > MOST_BYTES:
        raise InvalidInputError("Its files are larger together than they can be.")
    return found


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = safe_name(entry.orig_filename)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidInputError(f"{name!r} in it is a link or no plain file.")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _HOW:
        raise InvalidInputError(f"{name!r} in it is encrypted, or packed in a way that MystiCanvas does not read.")
    if entry.file_size > MOST_ENTRY_BYTES or _is_bomb(entry.file_size, entry.compress_size):
        raise InvalidInputError(f"{name!r} in it would unpack to {entry.file_size:,} bytes, which is too much.")


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > FREE_OF_RATIO_BYTES and unpacked > MOST_RATIO * max(packed, 1)
