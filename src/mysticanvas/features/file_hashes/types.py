"""The task of hashing one whole file."""

from dataclasses import dataclass

from mysticanvas.domain.file import FileStat


@dataclass(frozen=True, slots=True)
class HashFile:
    """Hash one whole file. `algorithm` is "blake3" or "sha256"."""

    root: bytes
    path_bytes: bytes
    algorithm: str = "blake3"


@dataclass(frozen=True, slots=True)
class FileHashed:
    stat: FileStat
    digest: bytes
