"""Reads and writes the files of a journal.

A line is the CRC-32 of its text in eight hexadecimal digits, a space, the text (a JSON object) and a line feed. A
file is named after the id of its library and a number. Entries are identified by kind and key, and a later entry
replaces an earlier one. A truncated last line and lines with a wrong checksum are ignored.

The database knows the current file of its library (`JournalState`).
"""

import json
import os
import re
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mysticanvas.domain.plurals import format_count
from mysticanvas.fs import durable

FOLDER = "journal"
SET_ASIDE = "set-aside"

# The journal is compacted when it has grown by more than this and has more than doubled.
GROWN_BYTES = 64 * 2**20
# Notes and templates are far shorter, so a longer line is damaged.
MAX_LINE_BYTES = 16 * 2**20
READ_BYTES = 2**20

Entry = dict[str, Any]
IsDue = Callable[[str, Any], bool]


@dataclass(frozen=True, slots=True)
class JournalState:
    """The name of the current file, and the size and CRC-32 of its content. `full_bytes` is its size when it was last
    written in full. `checks` grows when a check of the whole file is requested."""

    file: str
    bytes: int
    checksum: int
    full_bytes: int
    checks: int = 0


class JournalDamageError(Exception):
    """The journal is not as the database knows it. Contains a sentence that says how it differs."""


class JournalFile:
    """The current file of the journal of one library, for its only writer.

    Every method may raise `OSError`; open the journal again then.
    """

    def __init__(self, path: Path, state: JournalState) -> None:
        self.state = state
        self._path = path
        self._seen = _look_at(path)

    @classmethod
    def open(cls, folder: Path, state: JournalState, is_due: IsDue, *, keep_old: bool = True) -> "JournalFile":
        """Check the whole journal and open it. Raises `JournalDamageError`.

        Files that were replaced are moved to `set-aside`, or deleted without `keep_old`. After the bytes that the
        database knows there may be lines of items that `is_due`: the program ended between appending them and recording
        that. Lines that were cut off by this end are removed.
        """
        path = folder / state.file
        _finish_replacement(path, state)
        _refuse_unknown_files(folder, state)
        intact = _measure(path, state, is_due)
        if path.stat().st_size > intact.bytes:
            _truncate(path, intact.bytes)
        if keep_old:
            _move_old_files(folder, path)
        else:
            _delete_old_files(folder, path)
        return cls(path, intact)

    def is_unchanged(self) -> bool:
        """Whether no other program has changed the file since the last call here, by its size, date and identity."""
        return _look_at(self._path) == self._seen

    def append(self, entries: Iterable[Entry]) -> JournalState:
        """Append entries and return the new state. They are on the disk when this returns."""
        content = b"".join(map(_format_line, entries))
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "ab") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._seen = _look_at(self._path)
        checksum = zlib.crc32(content, self.state.checksum)
        self.state = replace(self.state, bytes=self.state.bytes + len(content), checksum=checksum)
        return self.state

    @property
    def needs_compaction(self) -> bool:
        """Whether the journal has grown enough to be written again."""
        return self.state.bytes - self.state.full_bytes > max(GROWN_BYTES, self.state.full_bytes)


# -- the current file -----------------------------------------------------------------------------


def write_replacement(folder: Path, library: str, entries: Iterable[Entry], *, after: str | None) -> JournalState:
    """Write a complete journal and return its state. It is on the disk, but becomes the journal only when the database
    knows the state and the journal is opened with it. `after` is the name of the current file, if there is one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = [*folder.glob(f"{library}-*.jsonl"), *([folder / after] if after else [])]
    number = max((_read_number(path) for path in names), default=0) + 1
    path = folder / f"{library}-{number:06}.jsonl"
    size, checksum = 0, 0
    with open(os.open(_part_of(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for entry in entries:
            line = _format_line(entry)
            file.write(line)
            size, checksum = size + len(line), zlib.crc32(line, checksum)
        file.flush()
        os.fsync(file.fileno())
    durable.sync(folder)
    return JournalState(path.name, size, checksum, size)


def has_files(folder: Path, library: str) -> bool:
    """Whether there is a journal of this library."""
    return bool(_list_files(folder, library))


def check(folder: Path, state: JournalState, is_due: IsDue) -> None:
    """Check the whole journal as `JournalFile.open` does, and change nothing. Raises `JournalDamageError` and
    `OSError`."""
    _refuse_unknown_files(folder, state)
    _measure(find_content(folder, state), state, is_due)


def check_known(folder: Path, state: JournalState) -> set[tuple[str, Any]]:
    """Like `check`, but more than the database knows is no damage. Returns the items that were appended since."""
    path = find_content(folder, state)
    if path.exists():
        _refuse_unknown_files(folder, state)
    _measure_known(path, state)
    with path.open("rb") as file:
        file.seek(state.bytes)
        entries = [_parse_line(line) for line in iter(lambda: file.readline(MAX_LINE_BYTES), b"")]
    return {(entry["kind"], entry["key"]) for entry in entries if entry is not None}


def find_content(folder: Path, state: JournalState) -> Path:
    """The file with the content of the journal: a replacement gets its name just after the database knows it."""
    path = folder / state.file
    part = _part_of(path)
    return part if part.exists() and not path.exists() else path


def _part_of(path: Path) -> Path:
    return path.with_suffix(".part")


def _finish_replacement(path: Path, state: JournalState) -> None:
    part = _part_of(path)
    if part.exists() and not path.exists() and _checksum(part, state.bytes) == state.checksum:
        durable.replace(part, path)
        durable.sync(path.parent)
    # Left by a replacement that the database does not know, maybe not even its library.
    for left in path.parent.glob("*.part"):
        left.unlink()


def _refuse_unknown_files(folder: Path, state: JournalState) -> None:
    """Older files are left over from a replacement. Newer ones would be read by a rebuild."""
    path = folder / state.file
    newer = [one for one in _list_files(folder, _read_library(path)) if _read_number(one) > _read_number(path)]
    if newer:
        raise JournalDamageError(f"The journal folder contained {newer[0].name}, which this library did not write.")


def _list_old_files(folder: Path, current: Path) -> list[Path]:
    return [path for path in _list_files(folder, _read_library(current)) if path != current]


def _delete_old_files(folder: Path, current: Path) -> None:
    for path in _list_old_files(folder, current):
        path.unlink()


def _move_old_files(folder: Path, current: Path) -> None:
    if not (old := _list_old_files(folder, current)):
        return
    target = folder / SET_ASIDE
    target.mkdir(mode=0o700, exist_ok=True)
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    for path in old:
        # A journal of its own, which `rebuild` can read. The number is never used again, so the name is free.
        durable.replace(path, target / f"replaced-{moment}-{path.name}")
    durable.sync(target)
    durable.sync(folder)


def _measure(path: Path, state: JournalState, is_due: IsDue) -> JournalState:
    """The state with the intact lines after the known bytes. Raises `JournalDamageError`."""
    _measure_known(path, state)
    return _measure_rest(path, state, is_due)


def _measure_known(path: Path, state: JournalState) -> None:
    """Raises `JournalDamageError` unless the file begins with what the database knows."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise JournalDamageError("The journal was removed.") from None
    if size < state.bytes:
        raise JournalDamageError(
            f"The journal was truncated or replaced. Missing: {format_count(state.bytes - size, 'byte')}."
        )
    if _checksum(path, state.bytes) != state.checksum:
        raise JournalDamageError("The journal was damaged or replaced: its checksum does not match.")


def _measure_rest(path: Path, state: JournalState, is_due: IsDue) -> JournalState:
    end, checksum, is_cut_off = state.bytes, state.checksum, False
    with path.open("rb") as file:
        file.seek(end)
        while line := file.readline(MAX_LINE_BYTES):
            entry = _parse_line(line)
            if entry is None:
                is_cut_off = True
                continue
            if is_cut_off or not is_due(entry["kind"], entry["key"]):
                raise JournalDamageError(
                    "The journal contained changes that are not in the library. The database may have been replaced by "
                    "an older one."
                )
            end, checksum = end + len(line), zlib.crc32(line, checksum)
    return replace(state, bytes=end, checksum=checksum)


def _checksum(path: Path, size: int) -> int | None:
    """Returns the CRC-32 of the first `size` bytes, or None if the file is shorter."""
    checksum = 0
    with path.open("rb") as file:
        while size and (block := file.read(min(size, READ_BYTES))):
            checksum, size = zlib.crc32(block, checksum), size - len(block)
    return None if size else checksum


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
        file.flush()
        os.fsync(file.fileno())


def _look_at(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _read_library(path: Path) -> str:
    return path.stem.rpartition("-")[0]


def _read_number(path: Path) -> int:
    number = path.stem.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


# -- reading --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Journal:
    """The latest entries of a journal. `damaged` describes the damaged lines whose item has no later line."""

    _lines: dict[tuple[str, Any], bytes] = field(default_factory=dict)
    _damaged: dict[tuple[str, Any], str] = field(default_factory=dict)

    @classmethod
    def from_entries(cls, entries: Iterable[Entry]) -> "Journal":
        """Of several entries with the same kind and key, the last one is used."""
        return cls(_lines={(one["kind"], one["key"]): json.dumps(one).encode() for one in entries})

    def entries(self, *kinds: str) -> Iterator[Entry]:
        """The entries of these kinds (all by default), in the order in which they were first written, without deleted
        objects."""
        for (kind, _), text in self._lines.items():
            if not kinds or kind in kinds:
                yield json.loads(text)

    def count(self, kind: str) -> int:
        return sum(1 for other, _ in self._lines if other == kind)

    @property
    def damaged(self) -> list[str]:
        return list(self._damaged.values())

    def add_line(self, line: bytes) -> None:
        entry = _parse_line(line)
        if entry is None:
            key, held = _describe_damaged(line)
            self._damaged[key or ("", len(self._damaged))] = held
            return
        key = entry["kind"], entry["key"]
        self._damaged.pop(key, None)
        if entry.get("gone"):
            self._lines.pop(key, None)
        else:
            self._lines[key] = line[9:].rstrip(b"\n")


def find_journals(folder: Path) -> dict[str, list[Path]]:
    """The journal files of each library, by its id. Libraries with the oldest files come first."""
    by_library: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*-*.jsonl"), key=lambda p: (p.stat().st_mtime_ns, p.name)):
        library = _read_library(path)
        by_library.setdefault(library, _list_files(folder, library))
    return by_library


def read_journal(paths: Iterable[Path]) -> Journal:
    """Read the files of one library, in their order. Raises `OSError`."""
    journal = Journal()
    for path in paths:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                journal.add_line(line)
    return journal


def set_aside(folder: Path, library: str) -> list[Path]:
    """Move the journal files of a library to a subfolder, so that they are no longer found. Returns where they are."""
    target = folder / SET_ASIDE
    target.mkdir(mode=0o700, exist_ok=True)
    moved = []
    for path in _list_files(folder, library):
        moved.append(target / path.name)
        durable.replace(path, moved[-1])
    durable.sync(folder)
    return moved


def offer(folder: Path, journal: Path) -> None:
    """Put a copy of a journal file where `find_journals` finds it, as that of another library."""
    _copy(journal, folder / f"offered-{journal.stem}.jsonl")


def keep_copy(folder: Path, state: JournalState) -> Path | None:
    """Keep a copy of the journal as it is now. Returns where it is, None if there was a copy already."""
    target = folder / SET_ASIDE / f"before-damage-{state.file}"
    if target.exists():
        return None
    _copy(folder / state.file, target)
    return target


def _copy(journal: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_suffix(".copy")
    shutil.copyfile(journal, unfinished)
    durable.sync(unfinished)
    durable.replace(unfinished, target)
    durable.sync(target.parent)


def _list_files(folder: Path, library: str) -> list[Path]:
    return sorted(folder.glob(f"{library}-*.jsonl"))


def _parse_line(line: bytes) -> Entry | None:
    """The entry of an intact line, None for a damaged one."""
    text = line[9:].rstrip(b"\n")
    try:
        if not line.endswith(b"\n") or int(line[:8], 16) != zlib.crc32(text):
            return None
        entry = json.loads(text)
        hash((entry["kind"], entry["key"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _format_line(entry: Entry) -> bytes:
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return b"%08x %s\n" % (zlib.crc32(text), text)


# -- damaged lines --------------------------------------------------------------------------------

_HEAD = re.compile(r'\{"kind":"([a-z_]+)","key":(\d+|"(?:[^"\\]|\\.)*")[,}]')
# What a person recognizes an item by, then what they set.
_READABLE = re.compile(r'"(path|name|rating|favorite|notes|content|query_json)":(\d+|true|"(?:[^"\\]|\\.)*"?)')
MAX_DESCRIBED = 300


def _describe_damaged(line: bytes) -> tuple[tuple[str, Any] | None, str]:
    """Kind and key of a damaged line (None if they cannot be read), and what can be read of its content."""
    text = line[9:].rstrip(b"\n").decode("utf-8", "replace")
    head = _HEAD.match(text)
    readable = [f"{name} {value.strip(chr(34))}" for name, value in _READABLE.findall(text)]
    kind = head[1] if head else "an item that cannot be identified"
    held = f"{kind}: {', '.join(readable) if readable else 'no readable data'}"[:MAX_DESCRIBED]
    if head is None:
        return None, held
    try:
        return (head[1], json.loads(head[2])), held
    except ValueError:
        return None, held
