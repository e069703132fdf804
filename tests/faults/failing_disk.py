"""A disk that fails: the n-th call of one kind, once or from then on, as SQLite makes them."""

from dataclasses import dataclass
from pathlib import Path

import apsw

VFS = "failing-disk"
KINDS = ("write", "sync", "full", "read", "truncate", "size", "delete", "open", "access", "lock")


@dataclass(slots=True)
class Fault:
    """The call `number` (from 1) of a kind fails. "full" fails a write that is half done, as a full disk does."""

    kind: str
    number: int
    for_good: bool


class Disk(apsw.VFS):
    """The machine's own files. `calls` counts every kind; `fault` None: nothing fails."""

    def __init__(self) -> None:
        super().__init__(VFS, "")
        self.calls = dict.fromkeys(KINDS, 0)
        self.fault: Fault | None = None
        self.failed = 0

    def arm(self, fault: Fault | None) -> None:
        self.calls = dict.fromkeys(KINDS, 0)
        self.fault, self.failed = fault, 0

    def fails(self, kind: str) -> bool:
        self.calls[kind] += 1
        fault = self.fault
        if fault is None or fault.kind != kind:
            return False
        now = self.calls[kind] >= fault.number if fault.for_good else self.calls[kind] == fault.number
        self.failed += now
        return now

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if self.fails("open"):
            raise apsw.CantOpenError("the disk failed to open")
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        if self.fails("delete"):
            raise apsw.IOError("the disk failed to delete")
        if Path(filename).exists():
            super().xDelete(filename, syncdir)

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        if self.fails("access"):
            raise apsw.IOError("the disk failed to look")
        return super().xAccess(pathname, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        if self._disk.fails("read"):
            raise apsw.IOError("the disk failed to read")
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._disk.fails("write"):
            raise apsw.IOError("the disk failed to write")
        if self._disk.fails("full"):
            super().xWrite(data[: len(data) // 2], offset)
            raise apsw.FullError("the disk is full")
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        if self._disk.fails("truncate"):
            raise apsw.IOError("the disk failed to truncate")
        super().xTruncate(newsize)

    def xFileSize(self) -> int:  # noqa: N802
        if self._disk.fails("size"):
            raise apsw.IOError("the disk failed to say a size")
        return super().xFileSize()

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self._disk.fails("sync"):
            raise apsw.IOError("the disk failed to sync")
        super().xSync(flags)

    def xLock(self, level: int) -> None:  # noqa: N802
        if self._disk.fails("lock"):
            raise apsw.IOError("the disk failed to lock")
        try:
            super().xLock(level)
        except apsw.IOError as error:
            # SQLite asks a read-only file for a lock it cannot have, and goes on without it.
            raise apsw.BusyError(str(error)) from error
