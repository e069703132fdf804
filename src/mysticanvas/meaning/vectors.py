"""Very many vectors, searched without an index structure: sign bits find candidates, bytes decide.

A row is a vector of bytes whose direction counts. Its sign bits, column by column, are compared with
the query's by XOR; the nearest some thousands are then scored exactly. Where few rows are asked
about, all of them are scored.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mysticanvas.meaning.encoding import Bytes, Floats

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Scored exactly for each row asked for: recall .98 and more at a million rows (benchmarks/vectors.py).
CANDIDATES = 6_000
# Up to here every row is scored, which is exact.
FEW_ROWS = 30_000
# Rows at a time, so that what a search needs in between stays in the processor's cache.
BLOCK = 65_536


class Vectors:
    """Kept in a file that grows at its end. Rows are numbered in order of arrival and never change.

    For one thread at a time. The file is a cache: when it has another length than `rows`, it is begun anew.
    """

    def __init__(self, path: Path, dimensions: int, *, rows: int = 0) -> None:
        assert dimensions % 64 == 0
        self._path = path
        self.dimensions = dimensions
        self._words = dimensions // 64
        self._bits = np.zeros((self._words, 1024), np.uint64)
        self._lengths = np.zeros(1024, np.float32)
        self.rows = 0
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if rows == 0 or not path.is_file() or path.stat().st_size < rows * dimensions:
            path.write_bytes(b"")
            self._content: Bytes = np.empty((0, dimensions), np.int8)
            return
        with path.open("r+b") as file:
            file.truncate(rows * dimensions)
        self._open(rows)
        for start in range(0, rows, BLOCK):
            self._sketch(start, self._content[start : start + BLOCK])

    def append(self, vectors: Bytes) -> None:
        if not len(vectors):
            return
        with self._path.open("ab") as file:
            file.write(np.ascontiguousarray(vectors, np.int8).tobytes())
        start = self.rows
        self._open(start + len(vectors))
        self._sketch(start, vectors)

    def row(self, number: int) -> Bytes:
        found: Bytes = self._content[number]
        return found

    def score(self, query: Floats, rows: Rows) -> Floats:
        """The cosine of the query (of length 1) with each of the rows."""
        scores = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), BLOCK):
            some = rows[start : start + BLOCK]
            scores[start : start + BLOCK] = self._content[some].astype(np.float32) @ query
        scores /= np.maximum(self._lengths[rows], 1e-6)
        return scores

    def candidates(self, query: Floats, *, within: Mask | None = None, count: int = CANDIDATES) -> Rows:
        """The rows that may be nearest, ascending: all of `within` when they are few.

        `within` has one truth value a row.
        """
        asked = self.rows if within is None else int(np.count_nonzero(within))
        if asked <= max(FEW_ROWS, count):
            return np.arange(self.rows) if within is None else np.flatnonzero(within)
        far = self.differences(query)
        if within is not None:
            far[~within] = self.dimensions + 1
        limit = _limit_of(far, self.dimensions, count)
        return np.flatnonzero(far <= limit)

    def differences(self, query: Floats) -> NDArray[np.uint16]:
        """In how many signs each row differs from the query."""
        sketch = _signs(query[None, :])[:, 0]
        far = np.empty(self.rows, np.uint16)
        for start in range(0, self.rows, BLOCK):
            end = min(self.rows, start + BLOCK)
            total = np.bitwise_count(self._bits[0, start:end] ^ sketch[0]).astype(np.uint16)
            for word in range(1, self._words):
                total += np.bitwise_count(self._bits[word, start:end] ^ sketch[word])
            far[start:end] = total
        return far

    def nearest(self, query: Floats, count: int, *, within: Mask | None = None) -> tuple[Rows, Floats]:
        """The `count` nearest rows, nearest first, with their cosines."""
        rows = self.candidates(query, within=within, count=max(CANDIDATES, 2 * count))
        scores = self.score(query, rows)
        best = np.argsort(-scores, kind="stable")[:count]
        return rows[best], scores[best]

    def _open(self, rows: int) -> None:
        self._content = np.memmap(self._path, np.int8, "r", shape=(rows, self.dimensions))
        self.rows = rows

    def _sketch(self, start: int, vectors: Bytes) -> None:
        end = start + len(vectors)
        if end > self._lengths.size:
            room = max(end, 2 * self._lengths.size)
            self._bits = np.concatenate([self._bits, np.zeros((self._words, room - self._lengths.size), np.uint64)], 1)
            self._lengths = np.concatenate([self._lengths, np.zeros(room - self._lengths.size, np.float32)])
        self._bits[:, start:end] = _signs(vectors)
        wide = vectors.astype(np.float32)
        self._lengths[start:end] = np.sqrt(np.einsum("ij,ij->i", wide, wide))


def _signs(vectors: Bytes | Floats) -> NDArray[np.uint64]:
    """One bit a dimension, a column a vector."""
    packed = np.packbits(vectors > 0, axis=1)
    return np.ascontiguousarray(packed.view(np.uint64).T)


def _limit_of(far: NDArray[np.uint16], dimensions: int, count: int) -> int:
    """The smallest difference within which `count` rows lie."""
    within = np.cumsum(np.bincount(far, minlength=dimensions + 2)[: dimensions + 1])
    return int(np.searchsorted(within, count))


def fused(scores: Sequence[tuple[float, Floats]]) -> Floats:
    """The weighted sum of scores of the same rows by several models."""
    total = np.zeros_like(scores[0][1])
    for weight, one in scores:
        total += weight * one
    return total
