"""Fingerprints, which find candidates for identical files, and full hashes, which confirm them."""

import hashlib
from typing import Protocol

from blake3 import blake3

from mysticanvas.fs.safe_open import FileSource

END_BYTES = 64 * 1024
_BLOCK_BYTES = 1024 * 1024
# A sparse file can claim any size. No image is larger, and hashing takes about one second per GiB.
MAX_HASH_BYTES = 4 * 1024**3


class Readable(Protocol):
    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


def compute_fingerprint(source: Readable) -> bytes:
    """32 bytes: BLAKE3 over the size and the first and last 64 KiB. Equal files have equal fingerprints."""
    head = source.read(0, END_BYTES)
    tail_from = max(len(head), source.size - END_BYTES)
    digest = blake3(source.size.to_bytes(8, "little"))
    digest.update(head)
    digest.update(source.read(tail_from, END_BYTES))
    return digest.digest()


def hash_file(source: FileSource, algorithm: str) -> bytes | None:
    """The digest of the whole file; None when it is larger than `MAX_HASH_BYTES`.

    `algorithm` is "blake3" or "sha256".
    """
    if source.size > MAX_HASH_BYTES:
        return None
    digest = blake3() if algorithm == "blake3" else hashlib.sha256()
    offset = 0
    while block := source.read(offset, _BLOCK_BYTES):
        digest.update(block)
        offset += len(block)
    return digest.digest()
