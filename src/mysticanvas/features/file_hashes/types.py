"""The task that hashes a whole file."""

from dataclasses import dataclass
from typing import ClassVar

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.task import Task, Travel

JOB_KIND = "sha256"


@dataclass(frozen=True, slots=True)
class FileHashed:
    stat: FileStat
    digest: bytes


@dataclass(frozen=True, slots=True)
class HashFile(Task):
    """Hash one whole file. `algorithm` is "blake3" or "sha256"."""

    answer_type: ClassVar[type] = FileHashed
    travel: ClassVar[Travel] = Travel.WITH_FILE
    root: bytes
    path_bytes: bytes
    algorithm: str = "blake3"
