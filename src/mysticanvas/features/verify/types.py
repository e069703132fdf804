"""The verification task, its answer, and the kinds of findings."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Task

JOB_KIND = "verify"


class Finding(StrEnum):
    """MISSING: the file does not exist. CHANGED: its content differs. UNDECODABLE: it cannot be read as an image."""

    MISSING = "missing"
    CHANGED = "changed"
    UNDECODABLE = "undecodable"


@dataclass(frozen=True, slots=True)
class FileToVerify:
    """`blake3` is the expected hash; None if the file was not hashed yet."""

    path_bytes: bytes
    blake3: bytes | None


@dataclass(frozen=True, slots=True)
class FileVerified:
    """`stat` and `blake3` are None if the file was not read: it is missing (`is_gone`), or `fault` says why. A file
    with an unexpected hash is decoded as well; if that fails, `fault` says why."""

    is_gone: bool
    stat: FileStat | None
    blake3: bytes | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class FilesVerified:
    """`files` is parallel to the files of the task; empty if the folder is unavailable (`away`)."""

    away: bool
    files: list[FileVerified]


@dataclass(frozen=True, slots=True)
class VerifyFiles(Task):
    """Hash some files of one folder. `volume_id` and `sample` detect another volume at the same path."""

    answer_type: ClassVar[type] = FilesVerified
    root: bytes
    volume_id: str | None
    sample: list[bytes]
    files: list[FileToVerify]
