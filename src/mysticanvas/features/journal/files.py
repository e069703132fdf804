"""The files of the journal: lines that are only ever appended, on the disk when `append` returns.

A line is the CRC-32 of its text in eight hexadecimal digits, a blank, the text (one JSON object) and a
line feed. A file is named after its library and numbered; its things are told apart by kind and key, and
of two lines on one thing the later one counts. A last line that was cut short does not count, nor does
one whose sum is wrong.
"""

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mysticanvas.db import backup as db_backup

FOLDER = "journal"
SET_ASIDE = "set-aside"

# The journal is written anew, each thing once, when it has grown by more than this and by more than it
# began with.
GROWN_BYTES = 64 * 2**20
# Longer lines are not ours: notes and templates are far shorter.
LONGEST_LINE = 16 * 2**20


class JournalFiles:
    """The journal of one library, for its only writer. Every call may raise `OSError`; then nothing of
    the call counts, and it may be made again."""

    def __init__(self, folder: Path, library: str) -> None:
        self._folder = folder
        self._library = library
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in folder.glob(f"{library}-*.part"):
            part.unlink()
        self._files = _files_of(folder, library)
        self._begun_bytes = self._files[0].stat().st_size if self._files else 0

    def append(self, things: Iterable[dict[str, Any]]) -> None:
        """All of them are on the disk when this returns."""
        if not self._files:
            self._files.append(self._folder / f"{self._library}-000001.jsonl")
        path = self._files[-1]
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            is_new = file.seek(0, os.SEEK_END) == 0
            _end_last_line(file)
            file.write(b"".join(map(_line, things)))
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            db_backup.sync(self._folder)

    @property
    def has_grown(self) -> bool:
        """Whether `compact` is worth its while."""
        total = sum(path.stat().st_size for path in self._files)
        return total - self._begun_bytes > max(GROWN_BYTES, self._begun_bytes)

    def compact(self) -> None:
        """Write each thing once, as it is now, into a new file, and remove the older ones."""
        if not self._files:
            return
        number = int(self._files[-1].stem.rpartition("-")[2]) + 1
        new = self._folder / f"{self._library}-{number:06}.jsonl"
        part = new.with_suffix(".part")
        kept = read(self._files)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(_line(thing) for thing in kept.things())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, new)
        db_backup.sync(self._folder)
        for old in self._files:
            old.unlink()
        self._files, self._begun_bytes = [new], new.stat().st_size


@dataclass(slots=True)
class Journal:
    """What a journal says in the end. `unread` counts lines that are damaged."""

    unread: int = 0
    _lines: dict[tuple[str, Any], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, things: Iterable[dict[str, Any]]) -> "Journal":
        """Of two things of one kind and key the later one counts."""
        return cls(_lines={(one["kind"], one["key"]): json.dumps(one).encode() for one in things})

    def things(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """Of these kinds (none named: of all), in the order in which each was first written; those that
        are gone are left out."""
        for (kind, _), text in self._lines.items():
            if not kinds or kind in kinds:
                yield json.loads(text)

    def count(self, kind: str) -> int:
        return sum(1 for of, _ in self._lines if of == kind)


def journals(folder: Path) -> dict[str, list[Path]]:
    """The files of each library that kept its journal here, the library that began first at first."""
    by_library: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*-*.jsonl"), key=lambda p: (p.stat().st_mtime_ns, p.name)):
        library = path.stem.rpartition("-")[0]
        by_library.setdefault(library, _files_of(folder, library))
    return by_library


def read(paths: Iterable[Path]) -> Journal:
    """Files of one library, in their order. Raises `OSError`."""
    journal = Journal()
    for path in paths:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE):
                _take(journal, line)
    return journal


def set_aside(folder: Path, library: str) -> None:
    """Keep the files of a library where `journals` does not find them."""
    kept = folder / SET_ASIDE
    kept.mkdir(mode=0o700, exist_ok=True)
    for path in _files_of(folder, library):
        os.replace(path, kept / path.name)
    db_backup.sync(folder)


def _files_of(folder: Path, library: str) -> list[Path]:
    return sorted(folder.glob(f"{library}-*.jsonl"))


def _take(journal: Journal, line: bytes) -> None:
    text = line[9:].rstrip(b"\n")
    try:
        if not line.endswith(b"\n") or int(line[:8], 16) != zlib.crc32(text):
            raise ValueError
        thing = json.loads(text)
        key = thing["kind"], thing["key"]
        if thing.get("gone"):
            journal._lines.pop(key, None)
        else:
            journal._lines[key] = text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        journal.unread += 1


def _line(thing: dict[str, Any]) -> bytes:
    text = json.dumps(thing, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _end_last_line(file: Any) -> None:
    """What a sudden end cut short becomes a line of its own, which does not count."""
    if file.tell() == 0:
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        file.write(b"\n")
