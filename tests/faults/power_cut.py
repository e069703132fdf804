"""A disk that loses power: every write is noted, and what a cut would leave can be laid out anew.

What was synced is there. Of what was not, the system may have written all, nothing, the first part, or
any of it: each cut draws one of these.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apsw

VFS = "power-cut"


@dataclass(frozen=True, slots=True)
class Deed:
    """`what` is write, truncate, sync or delete."""

    path: str
    what: str
    offset: int = 0
    content: bytes = b""


class Disk(apsw.VFS):
    """The machine's own files, with a note of every deed on them. `deeds` only grows."""

    def __init__(self) -> None:
        super().__init__(VFS, "")
        self.deeds: list[Deed] = []

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        if not Path(filename).exists():
            # Nothing to delete is fine with SQLite, and an exception here would reach the caller.
            return
        super().xDelete(filename, syncdir)
        self.deeds.append(Deed(Path(filename).name, "delete"))


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        full = name.filename() if isinstance(name, apsw.URIFilename) else name
        # Temporary files have no name, and no future.
        self._name = Path(full).name if full else None

    def _note(self, what: str, offset: int = 0, content: bytes = b"") -> None:
        if self._name is not None:
            self._disk.deeds.append(Deed(self._name, what, offset, content))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._note("write", offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._note("truncate", newsize)

    def xLock(self, level: int) -> None:  # noqa: N802
        try:
            super().xLock(level)
        except apsw.IOError as error:
            # SQLite asks a read-only file for a lock it cannot have, and goes on without it.
            raise apsw.BusyError(str(error)) from error

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._note("sync")


@dataclass(slots=True)
class _Kept:
    """One file as the disk has it, and the deeds that only the system's memory has."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Deed] = field(default_factory=list)

    def take(self, deed: Deed) -> None:
        if deed.what == "sync":
            for one in self.pending:
                _apply(self.durable, one)
            self.pending.clear()
        else:
            self.pending.append(deed)

    def settle_deletion(self) -> None:
        """A file system's journal is in order: a sync of any file takes an earlier deletion with it."""
        deleted = max((at for at, one in enumerate(self.pending) if one.what == "delete"), default=None)
        if deleted is not None:
            self.durable.clear()
            del self.pending[: deleted + 1]

    def after_cut(self, chance: random.Random) -> bytes:
        content = bytearray(self.durable)
        for one in _survivors(self.pending, chance):
            _apply(content, one)
        return bytes(content)


def _survivors(pending: Sequence[Deed], chance: random.Random) -> list[Deed]:
    match chance.randrange(4):
        case 0:
            return []
        case 1:
            return list(pending)
        case 2:
            return list(pending[: chance.randrange(len(pending) + 1)])
    return [deed for deed in pending if chance.random() < 0.5]


def _apply(content: bytearray, deed: Deed) -> None:
    if deed.what == "delete":
        content.clear()
    elif deed.what == "truncate":
        del content[deed.offset :]
    else:
        content.extend(bytes(max(0, deed.offset - len(content))))
        content[deed.offset : deed.offset + len(deed.content)] = deed.content


def images(deeds: Sequence[Deed], cuts: Sequence[int], seed: int) -> Iterator[tuple[int, dict[str, bytes]]]:
    """For each number of deeds in `cuts` (ascending): the files that a cut right then leaves."""
    chance = random.Random(seed)
    files: dict[str, _Kept] = {}
    done = 0
    for cut in cuts:
        for deed in deeds[done:cut]:
            files.setdefault(deed.path, _Kept()).take(deed)
            if deed.what == "sync":
                for kept in files.values():
                    kept.settle_deletion()
        done = cut
        left = {name: kept.after_cut(chance) for name, kept in files.items()}
        yield cut, {name: content for name, content in left.items() if content}
