"""Reads and writes the append-only files of a journal.

A line is the CRC-32 of its text in eight hexadecimal digits, a space, the text (a JSON object) and a line feed. A
file is named after the id of its library and a number. Entries are identified by kind and key, and a later entry
replaces an earlier one. A truncated last line and lines with a wrong checksum are ignored.
"""

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mysticanvas.fs.durable import replace, sync

FOLDER = "journal"
SET_ASIDE = "set-aside"

# The journal is compacted when it has grown by more than this and has more than doubled.
GROWN_BYTES = 64 * 2**20
# Notes and templates are far shorter, so a longer line is damaged.
MAX_LINE_BYTES = 16 * 2**20


class JournalFiles:
    """The journal of one library, for its only writer.

    Every method may raise `OSError`. Then the call has no effect, and may be repeated.
    """

    def __init__(self, folder: Path, library: str) -> None:
        self._folder = folder
        self._library = library
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in folder.glob(f"{library}-*.part"):
            part.unlink()
        self._files = _list_files(folder, library)
        self._initial_bytes = self._files[0].stat().st_size if self._files else 0

    def append(self, entries: Iterable[dict[str, Any]]) -> None:
        """Append entries. They are on the disk when this returns."""
        if not self._files:
            self._files.append(self._folder / f"{self._library}-000001.jsonl")
        path = self._files[-1]
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            is_new = file.seek(0, os.SEEK_END) == 0
            _terminate_last_line(file)
            file.write(b"".join(map(_format_line, entries)))
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync(self._folder)

    @property
    def needs_compaction(self) -> bool:
        """Whether the journal has grown enough to call `compact`."""
        total = sum(path.stat().st_size for path in self._files)
        return total - self._initial_bytes > max(GROWN_BYTES, self._initial_bytes)

    def compact(self) -> None:
        """Write the latest entry of each object to a new file, and delete the older files."""
        if not self._files:
            return
        number = int(self._files[-1].stem.rpartition("-")[2]) + 1
        new = self._folder / f"{self._library}-{number:06}.jsonl"
        part = new.with_suffix(".part")
        journal = read_journal(self._files)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(_format_line(entry) for entry in journal.entries())
            file.flush()
            os.fsync(file.fileno())
        replace(part, new)
        sync(self._folder)
        for old in self._files:
            old.unlink()
        self._files, self._initial_bytes = [new], new.stat().st_size


@dataclass(slots=True)
class Journal:
    """The latest entries of a journal. `unread` is the number of damaged lines."""

    unread: int = 0
    _lines: dict[tuple[str, Any], bytes] = field(default_factory=dict)

    @classmethod
    def from_entries(cls, entries: Iterable[dict[str, Any]]) -> "Journal":
        """Of several entries with the same kind and key, the last one is used."""
        return cls(_lines={(one["kind"], one["key"]): json.dumps(one).encode() for one in entries})

    def entries(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """The entries of these kinds (all by default), in the order in which they were first written, without deleted
        objects."""
        for (kind, _), text in self._lines.items():
            if not kinds or kind in kinds:
                yield json.loads(text)

    def count(self, kind: str) -> int:
        return sum(1 for other, _ in self._lines if other == kind)


def find_journals(folder: Path) -> dict[str, list[Path]]:
    """The journal files of each library, by its id. Libraries with the oldest files come first."""
    by_library: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*-*.jsonl"), key=lambda p: (p.stat().st_mtime_ns, p.name)):
        library = path.stem.rpartition("-")[0]
        by_library.setdefault(library, _list_files(folder, library))
    return by_library


def read_journal(paths: Iterable[Path]) -> Journal:
    """Read the files of one library, in their order. Raises `OSError`."""
    journal = Journal()
    for path in paths:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                _read_line(journal, line)
    return journal


def set_aside(folder: Path, library: str) -> None:
    """Move the journal files of a library to a subfolder, so that they are no longer found."""
    target = folder / SET_ASIDE
    target.mkdir(mode=0o700, exist_ok=True)
    for path in _list_files(folder, library):
        replace(path, target / path.name)
    sync(folder)


def _list_files(folder: Path, library: str) -> list[Path]:
    return sorted(folder.glob(f"{library}-*.jsonl"))


def _read_line(journal: Journal, line: bytes) -> None:
    text = line[9:].rstrip(b"\n")
    try:
        if not line.endswith(b"\n") or int(line[:8], 16) != zlib.crc32(text):
            raise ValueError
        entry = json.loads(text)
        key = entry["kind"], entry["key"]
        if entry.get("gone"):
            journal._lines.pop(key, None)
        else:
            journal._lines[key] = text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        journal.unread += 1


def _format_line(entry: dict[str, Any]) -> bytes:
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _terminate_last_line(file: Any) -> None:
    """Terminate a truncated last line, so that it becomes a damaged line of its own."""
    if file.tell() == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        file.write(b"\n")
