"""Very many vectors, searched without an index structure: sign bits find candidates, bytes decide.

A row is a vector of bytes whose direction counts. Of each row it is kept on which side of the middle of
all rows it lies, a bit a dimension. A query's dimensions are weighed from 0 to 7; the rows with the
most weight on the query's side are then scored exactly. Where few rows are asked about, all of them are.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mysticanvas.ml.encoder import Bytes, Floats

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

# The share of rows that is scored exactly: recall .98 and more, also of the mean of two models where one
# nominates (benchmarks/vectors.py).
SHARE_SCORED = 0.08
LEAST_SCORED = 20_000
# Up to here every row is scored, which is exact.
FEW_ROWS = 50_000
# Rows at a time, so that what a search needs in between stays in the processor's cache.
BLOCK = 32_768
# Rows that are scored at a time become floats, which are to stay there, too.
SCORED_BLOCK = 512
# The middle is that of so many rows, taken anew when there are so many times as many.
SAMPLE_ROWS = 20_000
GROWTH = 4
_PLANES = 3


class Vectors:
    """Kept in a file that grows at its end. Rows are numbered in order of arrival and never change.

    For one thread at a time. The file is a cache: a file that holds less than `rows` is begun anew.
    """

    def __init__(self, path: Path, dimensions: int, *, rows: int = 0) -> None:
        assert dimensions % 64 == 0
        self._path = path
        self.dimensions = dimensions
        self._words = dimensions // 64
        self._bits = np.zeros((self._words, 0), np.uint64)
        self._lengths = np.zeros(1024, np.float32)
        self._middle: Floats | None = None
        self._rows_at_middle = 0
        self._content: Bytes = np.empty((0, dimensions), np.int8)
        self.rows = 0
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if rows == 0 or not path.is_file() or path.stat().st_size < rows * dimensions:
            path.write_bytes(b"")
            return
        with path.open("r+b") as file:
            file.truncate(rows * dimensions)
        self._open(rows)

    def append(self, vectors: Bytes) -> None:
        if not len(vectors):
            return
        with self._path.open("ab") as file:
            file.write(np.ascontiguousarray(vectors, np.int8).tobytes())
        self._open(self.rows + len(vectors))

    def row(self, number: int) -> Bytes:
        found: Bytes = self._content[number]
        return found

    def score(self, query: Floats, rows: Rows) -> Floats:
        """The cosine of the query (of length 1) with each of the rows."""
        scores = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), SCORED_BLOCK):
            some = rows[start : start + SCORED_BLOCK]
            scores[start : start + SCORED_BLOCK] = self._content[some].astype(np.float32) @ query
        scores /= np.maximum(self._lengths[rows], 1e-6)
        return scores

    def candidates(self, query: Floats, count: int, *, within: Mask | None = None) -> Rows:
        """Rows among which the `count` nearest are, ascending: all of `within` when they are few.

        `within` has one truth value a row.
        """
        asked = self.rows if within is None else int(np.count_nonzero(within))
        count = max(2 * count, LEAST_SCORED, int(SHARE_SCORED * asked))
        if asked <= max(FEW_ROWS, count):
            return np.arange(self.rows) if within is None else np.flatnonzero(within)
        far = self._weight_against(query)
        if within is not None:
            far[~within] = np.iinfo(far.dtype).max
        limit = np.searchsorted(np.cumsum(np.bincount(far)), count)
        return np.flatnonzero(far <= limit)

    def nearest(self, query: Floats, count: int, *, within: Mask | None = None) -> tuple[Rows, Floats]:
        """The `count` nearest rows, nearest first, with their cosines."""
        rows = self.candidates(query, count, within=within)
        scores = self.score(query, rows)
        best = np.argsort(-scores, kind="stable")[:count]
        return rows[best], scores[best]

    def _weight_against(self, query: Floats) -> NDArray[np.uint16]:
        """For each row the weight of the dimensions in which it lies on the other side than the query."""
        sides = self._up_to_date_sides()
        sought = _packed(query[None, :] > 0)[:, 0]
        levels = np.clip(np.round(np.abs(query) * (2 / max(float(query.std()), 1e-9))), 0, 2**_PLANES - 1)
        planes = [_packed((levels.astype(np.int64) >> plane & 1)[None, :] == 1)[:, 0] for plane in range(_PLANES)]
        total = np.empty(self.rows, np.uint16)
        for start in range(0, self.rows, BLOCK):
            end = min(self.rows, start + BLOCK)
            here = np.zeros(end - start, np.uint16)
            for word in range(self._words):
                other = sides[word, start:end] ^ sought[word]
                for plane in range(_PLANES):
                    count = np.bitwise_count(other & planes[plane][word])
                    here += count if plane == 0 else np.left_shift(count, plane, dtype=np.uint16)
            total[start:end] = here
        return total

    def _open(self, rows: int) -> None:
        self._content = np.memmap(self._path, np.int8, "r", shape=(rows, self.dimensions))
        if rows > self._lengths.size:
            room = np.zeros(max(rows, 2 * self._lengths.size), np.float32)
            room[: self._lengths.size] = self._lengths
            self._lengths = room
        for start in range(self.rows, rows, BLOCK):
            wide = self._content[start : min(rows, start + BLOCK)].astype(np.float32)
            self._lengths[start : start + len(wide)] = np.sqrt(np.einsum("ij,ij->i", wide, wide))
        self.rows = rows

    def _up_to_date_sides(self) -> NDArray[np.uint64]:
        if self._middle is None or self.rows >= GROWTH * self._rows_at_middle:
            sample = self._content[:: max(1, self.rows // SAMPLE_ROWS)].astype(np.float32)
            self._middle = sample.mean(axis=0)
            self._rows_at_middle = self.rows
            self._bits = np.zeros((self._words, 0), np.uint64)
        done = self._bits.shape[1]
        if done < self.rows:
            new = [_packed(self._content[s : s + BLOCK] > self._middle) for s in range(done, self.rows, BLOCK)]
            self._bits = np.concatenate([self._bits, *new], axis=1)
        return self._bits


def _packed(truths: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """A bit a dimension, 64 to a word; a column a vector."""
    return np.ascontiguousarray(np.packbits(truths, axis=1).view(np.uint64).T)
