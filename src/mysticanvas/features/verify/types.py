"""Checking that files are what they were: what is asked of a worker, and how far a check is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Task

JOB_KIND = "verify"


class Finding(StrEnum):
    """MISSING: no file is there. CHANGED: other bytes are there. UNDECODABLE: it cannot be read as a picture."""

    MISSING = "missing"
    CHANGED = "changed"
    UNDECODABLE = "undecodable"


@dataclass(frozen=True, slots=True)
class FileToVerify:
    """`blake3` is that of the bytes it should hold, None when nobody has hashed them yet."""

    path_bytes: bytes
    blake3: bytes | None


@dataclass(frozen=True, slots=True)
class FileVerified:
    """`stat` and `blake3` are None for a file that was not read: it is gone, or `fault` says why. A file
    with other bytes than it should have was decoded, too; `fault` says why it cannot be."""

    is_gone: bool
    stat: FileStat | None
    blake3: bytes | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class FilesVerified:
    """Parallel to the files asked for; empty when the root itself is `away`."""

    away: bool
    files: list[FileVerified]


@dataclass(frozen=True, slots=True)
class VerifyFiles(Task):
    """Hash some files of one root. `volume_id` and `sample` tell the root from another at its path."""

    answer_type: ClassVar[type] = FilesVerified
    root: bytes
    volume_id: str | None
    sample: list[bytes]
    files: list[FileToVerify]
