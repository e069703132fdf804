"""Vector search without an index structure: sign bits select candidates, exact cosines rank them.

A row is a byte vector of which only the direction matters. For each row and dimension, one bit stores whether the
value is above the mean of all rows. Query dimensions get weights from 0 to 7, and the rows that agree most with
the query are scored exactly. Small sets of rows are scored completely.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mysticanvas.ml.encoder import Bytes, Floats

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Share of rows to score exactly: gives a recall of at least 0.98, also when one model selects candidates for the mean
# of two models (benchmarks/vectors.py).
SHARE_SCORED = 0.08
MIN_SCORED = 20_000
# Up to this number, every row is scored, so results are exact.
MAX_EXACT_ROWS = 50_000
# Rows per step, so that intermediate results fit in the CPU cache.
BLOCK_ROWS = 32_768
# Rows to score per step; smaller, because they are converted to floats.
SCORED_BLOCK_ROWS = 512
# The mean is computed from this many rows, and again when the number of rows has grown by this factor.
SAMPLE_ROWS = 20_000
GROWTH = 4
_PLANES = 3


class Vectors:
    """Vectors in an append-only file. Rows are numbered in insertion order and never change.

    Not thread-safe. The file is a cache: it is recreated empty when it contains fewer than `rows` rows.
    """

    def __init__(self, path: Path, dimensions: int, *, rows: int = 0) -> None:
        assert dimensions % 64 == 0
        self._path = path
        self.dimensions = dimensions
        self._words = dimensions // 64
        self._bits = np.zeros((self._words, 0), np.uint64)
        self._lengths = np.zeros(1024, np.float32)
        self._mean: Floats | None = None
        self._rows_at_mean = 0
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
        """Append rows to the file."""
        if not len(vectors):
            return
        with self._path.open("ab") as file:
            file.write(np.ascontiguousarray(vectors, np.int8).tobytes())
        self._open(self.rows + len(vectors))

    def close(self) -> None:
        """Unmap the file. There are no rows afterwards."""
        self._content = np.empty((0, self.dimensions), np.int8)
        self.rows = 0

    def row(self, number: int) -> Bytes:
        found: Bytes = self._content[number]
        return found

    def score(self, query: Floats, rows: Rows) -> Floats:
        """The cosine of the query, a unit vector, with each of the rows."""
        scores = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), SCORED_BLOCK_ROWS):
            some = rows[start : start + SCORED_BLOCK_ROWS]
            scores[start : start + SCORED_BLOCK_ROWS] = self._content[some].astype(np.float32) @ query
        scores /= np.maximum(self._lengths[rows], 1e-6)
        return scores

    def candidates(self, query: Floats, count: int, *, within: Mask | None = None) -> Rows:
        """Rows that contain the `count` nearest with high probability, ascending; all rows in `within` if they are few.

        `within` is a mask with one value per row.
        """
        asked = self.rows if within is None else int(np.count_nonzero(within))
        count = max(2 * count, MIN_SCORED, int(SHARE_SCORED * asked))
        if asked <= max(MAX_EXACT_ROWS, count):
            return np.arange(self.rows) if within is None else np.flatnonzero(within)
        far = self._weigh_disagreement(query)
        if within is not None:
            far[~within] = np.iinfo(far.dtype).max
        limit = np.searchsorted(np.cumsum(np.bincount(far)), count)
        return np.flatnonzero(far <= limit)

    def find_nearest(self, query: Floats, count: int, *, within: Mask | None = None) -> tuple[Rows, Floats]:
        """(rows, cosines) of the `count` nearest rows, nearest first."""
        rows = self.candidates(query, count, within=within)
        scores = self.score(query, rows)
        best = np.argsort(-scores, kind="stable")[:count]
        return rows[best], scores[best]

    def _weigh_disagreement(self, query: Floats) -> NDArray[np.uint16]:
        """For each row, the total weight of the dimensions in which its sign bit differs from the query's."""
        sides = self._update_sign_bits()
        sought = _pack_bits(query[None, :] > 0)[:, 0]
        levels = np.clip(np.round(np.abs(query) * (2 / max(float(query.std()), 1e-9))), 0, 2**_PLANES - 1)
        planes = [_pack_bits((levels.astype(np.int64) >> plane & 1)[None, :] == 1)[:, 0] for plane in range(_PLANES)]
        total = np.empty(self.rows, np.uint16)
        for start in range(0, self.rows, BLOCK_ROWS):
            end = min(self.rows, start + BLOCK_ROWS)
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
        for start in range(self.rows, rows, BLOCK_ROWS):
            wide = self._content[start : min(rows, start + BLOCK_ROWS)].astype(np.float32)
            self._lengths[start : start + len(wide)] = np.sqrt(np.einsum("ij,ij->i", wide, wide))
        self.rows = rows

    def _update_sign_bits(self) -> NDArray[np.uint64]:
        if self._mean is None or self.rows >= GROWTH * self._rows_at_mean:
            sample = self._content[:: max(1, self.rows // SAMPLE_ROWS)].astype(np.float32)
            self._mean = sample.mean(axis=0)
            self._rows_at_mean = self.rows
            self._bits = np.zeros((self._words, 0), np.uint64)
        done = self._bits.shape[1]
        if done < self.rows:
            new = [
                _pack_bits(self._content[s : s + BLOCK_ROWS] > self._mean) for s in range(done, self.rows, BLOCK_ROWS)
            ]
            self._bits = np.concatenate([self._bits, *new], axis=1)
        return self._bits


def _pack_bits(truths: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack booleans into 64-bit words, one column per vector."""
    return np.ascontiguousarray(np.packbits(truths, axis=1).view(np.uint64).T)
