"""The columns of the index: values by position, as NumPy arrays. Names are stored as codes.

A position is the index of an image in every column. Positions are assigned in order of arrival and never reused, so
a new image is always appended, whatever its creation time (docs/adr/0005).
"""

from collections.abc import Hashable, Iterable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Mask = NDArray[np.bool_]
T = TypeVar("T", bound=Hashable)

NONE = int(np.iinfo(np.int64).min)
"""The value that represents an unknown integer."""

# Unused entries of `Lists` before they are compacted.
MAX_UNUSED = 10_000

# The columns and their types.
DTYPES: dict[str, type[np.generic]] = {
    "id": np.int64,
    "ratio_milli": np.uint16,
    "favorite": np.bool_,
    "rating": np.uint8,
    "flags": np.uint8,
    "model": np.int32,
    "seed": np.uint64,
    "steps": np.int64,
    "cfg": np.float64,
    "explicit": np.float64,
    "sampler": np.int32,
    "engine": np.int32,
    "folder": np.int32,
    "size": np.int32,
    "has": np.uint8,
    "name": np.uint32,
    "added": np.int64,
}


def grow(array: NDArray[Any], room: int) -> NDArray[Any]:
    """The array, or a copy of it with at least `room` entries and space to grow."""
    if len(array) >= room:
        return array
    return resize(array, max(room, len(array) + len(array) // 4 + 1_024))


def resize(array: NDArray[Any], room: int) -> NDArray[Any]:
    """A copy with exactly `room` entries, or the array if it has that many."""
    if len(array) >= room:
        return array
    larger = np.zeros(room, array.dtype)
    larger[: len(array)] = array
    return larger


class Codes(Generic[T]):
    """Numbers distinct values from 0 in order of arrival."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._of: dict[T, int] = {}

    def __len__(self) -> int:
        return len(self.values)

    def of(self, value: T) -> int:
        code = self._of.get(value)
        if code is None:
            code = self._of[value] = len(self.values)
            self.values.append(value)
        return code

    def of_all(self, values: Iterable[T]) -> NDArray[np.int32]:
        return np.array([self.of(value) for value in values], np.int32)


class Columns:
    """`self[name]` is a column up to the last position."""

    def __init__(self) -> None:
        self.count = 0
        self._arrays: dict[str, NDArray[Any]] = {name: np.zeros(0, kind) for name, kind in DTYPES.items()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name][: self.count]

    def reserve(self, room: int) -> None:
        """Allocate for `room` images. Arrays that grow step by step use more memory than needed."""
        for name, array in self._arrays.items():
            self._arrays[name] = resize(array, room)

    def extend(self, rows: dict[str, NDArray[Any]]) -> None:
        """Append new images."""
        first, self.count = self.count, self.count + len(rows["id"])
        for name, values in rows.items():
            self._arrays[name] = grow(self._arrays[name], self.count)
            self._arrays[name][first : self.count] = values

    def replace(self, positions: Positions, rows: dict[str, NDArray[Any]]) -> None:
        for name, values in rows.items():
            self._arrays[name][positions] = values

    @property
    def bytes(self) -> int:
        return sum(array.nbytes for array in self._arrays.values())


class Lists:
    """A list of codes for each image (its tags, or its models with weights), with reverse lookup.

    The codes of one image are adjacent. A changed list is appended at the end; its old entries are unused (owner -1)
    until `compact`.
    """

    def __init__(self, *, weighted: bool) -> None:
        self._used = 0
        self._given_up = 0
        self._owner = np.zeros(0, np.int32)
        self._code = np.zeros(0, np.int32)
        self._weight = np.zeros(0, np.float64) if weighted else None
        self._start = np.zeros(0, np.int64)
        self._length = np.zeros(0, np.int32)
        self._totals = np.zeros(0, np.int64)

    def extend(self, owners: NDArray[np.int32], codes: NDArray[np.int32], weights: NDArray[np.float64] | None) -> None:
        """Add lists for images without a list. The codes of one image must be adjacent."""
        first, self._used = self._used, self._used + len(codes)
        self._owner = grow(self._owner, self._used)
        self._code = grow(self._code, self._used)
        self._owner[first : self._used] = owners
        self._code[first : self._used] = codes
        if self._weight is not None and weights is not None:
            self._weight = grow(self._weight, self._used)
            self._weight[first : self._used] = weights
        if not len(codes):
            return
        begins = np.flatnonzero(np.diff(owners, prepend=-1))
        images = owners[begins]
        self._make_room(int(images.max()) + 1)
        self._start[images] = first + begins
        self._length[images] = np.diff(begins, append=len(owners))
        self._totals = grow(self._totals, int(codes.max()) + 1)
        self._totals[: int(codes.max()) + 1] += np.bincount(codes)

    def reserve(self, room: int, images: int) -> None:
        """Allocate for `room` codes of `images` images."""
        self._owner, self._code = resize(self._owner, room), resize(self._code, room)
        self._start, self._length = resize(self._start, images), resize(self._length, images)
        if self._weight is not None:
            self._weight = resize(self._weight, room)

    def give_up(self, positions: Positions) -> list[int]:
        """Remove the lists of these images. Returns their codes."""
        had: list[int] = []
        for position in positions[positions < len(self._start)].tolist():
            start, length = int(self._start[position]), int(self._length[position])
            if length:
                codes = self._code[start : start + length]
                had += codes.tolist()
                np.subtract.at(self._totals, codes, 1)
                self._owner[start : start + length] = -1
                self._length[position] = 0
                self._given_up += length
        return had

    def compact(self) -> None:
        """Free memory if at least half of the entries are unused."""
        if self._given_up < MAX_UNUSED or self._given_up < self._used // 2:
            return
        kept = np.flatnonzero(self._owner[: self._used] >= 0)
        owners, codes = self._owner[kept], self._code[kept]
        weights = None if self._weight is None else self._weight[kept]
        self._used = self._given_up = 0
        self._length[:] = 0
        self._totals[:] = 0
        self.extend(owners, codes, weights)

    def _make_room(self, positions: int) -> None:
        self._start = grow(self._start, positions)
        self._length = grow(self._length, positions)

    def find_with(self, code: int) -> tuple[Positions, NDArray[np.float64] | None]:
        """The images whose lists contain the code, and the weights (NaN: unknown; None: unweighted)."""
        at = np.flatnonzero(self._code[: self._used] == code)
        at = at[self._owner[at] >= 0]
        return self._owner[at].astype(np.int64), None if self._weight is None else self._weight[at]

    def has_any(self, count: int) -> Mask:
        """Which of the first `count` images have a list."""
        mask = np.zeros(count, np.bool_)
        mask[: len(self._length)] = self._length[:count] > 0
        return mask

    def has_remainder(self, remainder: int, modulus: int, count: int) -> Mask:
        """Which of the first `count` images have a code with this remainder."""
        mask = np.zeros(count + 1, np.bool_)
        like = self._code[: self._used] % modulus == remainder
        # Unused entries (owner -1) are mapped to the extra last entry.
        mask[self._owner[: self._used][like]] = True
        return mask[:count]

    def counts(self, mask: Mask, positions: Positions, alive: int) -> NDArray[np.int64]:
        """The number of images in the mask with each code. `positions` are the positions in the mask; `alive` is the
        total number of images."""
        if len(positions) == alive:
            return self._totals.copy()
        if self.are_few(positions, alive):
            return self._counts_of(positions)
        # Unused entries (owner -1) are mapped to the extra last entry.
        chosen = np.append(mask, False)[self._owner[: self._used]]
        return np.bincount(self._code[: self._used][chosen], minlength=len(self._totals))

    @staticmethod
    def are_few(positions: Positions, alive: int) -> bool:
        """Whether reading these lists one by one is faster than scanning all of them."""
        return len(positions) * 8 < alive

    def most_common(self, most: int) -> list[int]:
        """The `most` most common codes, the most common first."""
        rest = max(0, len(self._totals) - most)
        best = np.argpartition(self._totals, rest)[rest:].tolist() if rest else range(len(self._totals))
        return sorted(best, key=lambda code: -int(self._totals[code]))

    def total(self, code: int) -> int:
        return int(self._totals[code])

    def find_with_each(self, codes: list[int]) -> dict[int, Positions]:
        """The images for each of the codes, in one scan."""
        is_requested = np.zeros(len(self._totals), np.bool_)
        is_requested[codes] = True
        at = np.flatnonzero(is_requested[self._code[: self._used]])
        at = at[self._owner[at] >= 0]
        at = at[np.argsort(self._code[at], kind="stable")]
        sorted_codes = self._code[at]
        ends = np.searchsorted(sorted_codes, codes, side="right")
        begins = np.searchsorted(sorted_codes, codes)
        return {
            code: self._owner[at[begin:end]].astype(np.int64)
            for code, begin, end in zip(codes, begins, ends, strict=True)
        }

    def _counts_of(self, positions: Positions) -> NDArray[np.int64]:
        positions = positions[positions < len(self._start)]
        starts, lengths = self._start[positions], self._length[positions]
        ends = np.cumsum(lengths, dtype=np.int64)
        total = int(ends[-1]) if len(ends) else 0
        at = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
        return np.bincount(self._code[at], minlength=len(self._totals))

    @property
    def bytes(self) -> int:
        arrays = (self._owner, self._code, self._start, self._length, self._totals)
        return sum(array.nbytes for array in arrays) + (0 if self._weight is None else self._weight.nbytes)
