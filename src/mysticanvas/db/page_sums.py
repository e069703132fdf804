"""A checksum of every page of the database, to find damage that SQLite cannot see
(docs/adr/0022-a-checksum-of-every-page.md).

The file has a head and then chunks of `CHUNK_BYTES`, each with the checksums of `ENTRIES` pages and one of its own. 0
means that the checksum of a page is not known. Formats: sections 1.3 and 4.1 of the file format of SQLite.
"""

import logging
import os
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

# The setting in the database that says which checksums are its own.
STAMP = "writer.page_sums"
CHUNK_BYTES = 4_096
ENTRIES = CHUNK_BYTES // 4 - 1
_HEAD = struct.Struct(">8s32sIQ")
_MAGIC = b"MCSUMS01"
_WAL_HEAD_BYTES = 32
_FRAME_HEAD_BYTES = 24
# Of the first page: fields of the header that SQLite changes without a change to the content, and a copy differs in.
_VOLATILE = ((18, 20), (24, 28), (40, 44), (92, 100))


class WalUnreadableError(Exception):
    """The write-ahead log is not what SQLite reported."""


def compute_sum(number: int, page: bytes) -> int:
    if number == 1:
        stable = bytearray(page)
        for start, end in _VOLATILE:
            stable[start:end] = bytes(end - start)
        page = bytes(stable)
    return zlib.crc32(page) or 1


class PageSums:
    """Not thread-safe. `stamp` is stored in the database too, and `serial` is that of the last transaction that is
    included in them. Checksums with another stamp, or of a later transaction than the database has, are of another
    file."""

    def __init__(self, path: Path, stamp: str, page_bytes: int) -> None:
        self.path = path
        self._stamp = stamp.encode("ascii")
        self._page_bytes = page_bytes
        self._sums = array("I")
        self.serial = 0
        # The salts of the log, and how many of its frames are included.
        self._included: tuple[bytes, int] = (b"", 0)

    @classmethod
    def open(cls, path: Path, stamp: str, page_bytes: int, *, serial: int) -> "PageSums":
        """Those in the file; without any when they are of another database, or cannot be read."""
        sums = cls(path, stamp, page_bytes)
        try:
            content = path.read_bytes()
        except OSError:
            return sums
        if len(content) >= CHUNK_BYTES and sums._read_head(content[:CHUNK_BYTES], serial):
            for start in range(CHUNK_BYTES, len(content), CHUNK_BYTES):
                sums._sums.extend(_parse_chunk(content[start : start + CHUNK_BYTES], start))
        return sums

    def __len__(self) -> int:
        return len(self._sums)

    @property
    def is_empty(self) -> bool:
        return not any(self._sums)

    def copy(self) -> "array[int]":
        """The checksums by page number - 1; 0 where unknown."""
        return array("I", self._sums)

    def find_differing(self, sums: Iterable[tuple[int, int]]) -> list[int]:
        """The pages whose known checksum is another."""
        return [page for page, one in sums if page <= len(self._sums) and self._sums[page - 1] not in (0, one)]

    def include_log(self, wal: Path, frames: int, *, serial: int) -> None:
        """Records the pages in the first `frames` frames of the write-ahead log, before they are copied to the
        database. They are on the disk when this returns. Raises `OSError` and `WalUnreadableError`."""
        if frames <= 0:
            return
        with wal.open("r+b") as file:
            found = dict(self._read_frames(file, frames))
            # What is recorded here must not survive a power cut that the log itself does not survive.
            os.fsync(file.fileno())
        self.serial = serial
        if found:
            self._store(found.items())

    def fill(self, sums: Iterable[tuple[int, int]]) -> None:
        """Records the checksums of pages whose checksum is not known yet. Raises `OSError`."""
        unknown = [(page, one) for page, one in sums if page > len(self._sums) or not self._sums[page - 1]]
        if unknown:
            self._store(unknown)

    def discard(self) -> None:
        """Forgets every checksum, also on the disk."""
        self._sums = array("I")
        self._included = (b"", 0)
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _read_frames(self, file: BinaryIO, frames: int) -> Iterator[tuple[int, int]]:
        """The page and checksum of each frame that is not included yet, oldest first."""
        head = file.read(_WAL_HEAD_BYTES)
        salts = head[16:24]
        if len(head) < _WAL_HEAD_BYTES or int.from_bytes(head[8:12], "big") != self._page_bytes:
            raise WalUnreadableError
        first = self._included[1] if self._included[0] == salts else 0
        size = _FRAME_HEAD_BYTES + self._page_bytes
        file.seek(_WAL_HEAD_BYTES + first * size)
        for _ in range(first, frames):
            frame = file.read(size)
            if len(frame) < size or frame[8:16] != salts:
                raise WalUnreadableError
            number = int.from_bytes(frame[:4], "big")
            yield number, compute_sum(number, frame[_FRAME_HEAD_BYTES:])
        self._included = (salts, frames)

    def _store(self, sums: Iterable[tuple[int, int]]) -> None:
        changed = set()
        for page, one in sums:
            if page > len(self._sums):
                missing = (page // ENTRIES + 1) * ENTRIES - len(self._sums)
                self._sums.extend([0] * missing)
            self._sums[page - 1] = one
            changed.add((page - 1) // ENTRIES)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "r+b") as file:
            # A file that ends early has chunks that were never written, and are not valid.
            for chunk in sorted(changed):
                file.seek((chunk + 1) * CHUNK_BYTES)
                file.write(self._format_chunk(chunk))
            file.seek(0)
            file.write(self._format_head())
            file.flush()
            os.fsync(file.fileno())

    def _format_chunk(self, chunk: int) -> bytes:
        entries = array("I", self._sums[chunk * ENTRIES : (chunk + 1) * ENTRIES])
        content = struct.pack(f">{ENTRIES}I", *entries)
        return content + zlib.crc32(content, chunk).to_bytes(4, "big")

    def _format_head(self) -> bytes:
        head = _HEAD.pack(_MAGIC, self._stamp, self._page_bytes, self.serial)
        return (head + zlib.crc32(head).to_bytes(4, "big")).ljust(CHUNK_BYTES, b"\0")

    def _read_head(self, head: bytes, serial: int) -> bool:
        """Whether the checksums are those of a database whose last transaction is `serial`."""
        magic, stamp, page_bytes, self.serial = _HEAD.unpack_from(head)
        is_valid = zlib.crc32(head[: _HEAD.size]).to_bytes(4, "big") == head[_HEAD.size : _HEAD.size + 4]
        is_ours = (magic, stamp, page_bytes) == (_MAGIC, self._stamp, self._page_bytes)
        return is_valid and is_ours and self.serial <= serial


def _parse_chunk(content: bytes, start: int) -> "array[int]":
    """Unknown checksums for a chunk that is damaged, or half written."""
    chunk = start // CHUNK_BYTES - 1
    if len(content) < CHUNK_BYTES or zlib.crc32(content[:-4], chunk).to_bytes(4, "big") != content[-4:]:
        return array("I", [0] * ENTRIES)
    return array("I", struct.unpack(f">{ENTRIES}I", content[:-4]))
