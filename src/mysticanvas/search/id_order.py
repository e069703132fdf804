"""The sorted IDs of all images that were ever in an index, and their positions in the columns."""

import numpy as np
from numpy.typing import NDArray

from mysticanvas.search.columns import Mask, Positions, grow, resize

Ids = NDArray[np.int64]


class IdOrder:
    """Removed images keep their position."""

    def __init__(self) -> None:
        self._count = 0
        self._sorted_ids = np.zeros(0, np.int64)
        self._positions = np.zeros(0, np.int64)
        # Whether images arrived in the order of their IDs, as in a new index. Positions then ascend with IDs.
        self._in_order = True

    def reserve(self, images: int) -> None:
        """Allocate for this number of images."""
        self._sorted_ids, self._positions = resize(self._sorted_ids, images), resize(self._positions, images)

    def append(self, ids: Ids) -> Positions:
        """Assign the next positions to new images. `ids` must ascend."""
        first, self._count = self._count, self._count + len(ids)
        positions = np.arange(first, self._count)
        if len(ids) and first and ids[0] < self._sorted_ids[first - 1]:
            self._in_order = False
            at = np.searchsorted(self._sorted_ids[:first], ids)
            self._sorted_ids = np.insert(self._sorted_ids[:first], at, ids)
            self._positions = np.insert(self._positions[:first], at, positions)
            return positions
        self._sorted_ids = grow(self._sorted_ids, self._count)
        self._positions = grow(self._positions, self._count)
        self._sorted_ids[first : self._count] = ids
        self._positions[first : self._count] = positions
        return positions

    @property
    def sorted_ids(self) -> Ids:
        return self._sorted_ids[: self._count]

    @property
    def positions(self) -> Positions:
        """Parallel to `sorted_ids`."""
        return self._positions[: self._count]

    def positions_of(self, ids: Ids) -> Positions:
        """The positions, parallel to `ids`; -1 for an unknown ID."""
        if not self._count:
            return np.full(len(ids), -1, np.int64)
        at = np.minimum(np.searchsorted(self.sorted_ids, ids), self._count - 1)
        return np.where(self.sorted_ids[at] == ids, self.positions[at], -1)

    def in_order(self, mask: Mask, positions: Positions) -> tuple[Ids, Positions]:
        """The IDs of a mask, ascending, and their positions. `positions` are the positions in the mask."""
        if self._in_order:
            return self.sorted_ids[mask], positions
        chosen = mask[self.positions]
        return self.sorted_ids[chosen], self.positions[chosen]

    def between(self, first: int | None, until: int | None) -> Mask:
        """The images with `first` <= ID < `until`; None for an open end."""
        begin = 0 if first is None else int(np.searchsorted(self.sorted_ids, first))
        end = self._count if until is None else int(np.searchsorted(self.sorted_ids, until))
        mask = np.zeros(self._count, np.bool_)
        mask[self.positions[begin:end]] = True
        return mask

    @property
    def bytes(self) -> int:
        return self._sorted_ids.nbytes + self._positions.nbytes
