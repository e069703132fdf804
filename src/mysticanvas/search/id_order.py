"""The ids of all images that were ever in an index, ascending, and where each image is in the columns."""

import numpy as np
from numpy.typing import NDArray

from mysticanvas.search.columns import Mask, Positions, grown, sized

Ids = NDArray[np.int64]


class IdOrder:
    """Images that are gone keep their place."""

    def __init__(self) -> None:
        self._count = 0
        self._sorted_ids = np.zeros(0, np.int64)
        self._positions = np.zeros(0, np.int64)
        # Whether every image has come after all that are older, as in a new index.
        self._in_order = True

    def reserve(self, images: int) -> None:
        """So many images are to come."""
        self._sorted_ids, self._positions = sized(self._sorted_ids, images), sized(self._positions, images)

    def append(self, ids: Ids) -> Positions:
        """The next positions, for new images whose ids ascend."""
        first, self._count = self._count, self._count + len(ids)
        positions = np.arange(first, self._count)
        if len(ids) and first and ids[0] < self._sorted_ids[first - 1]:
            self._in_order = False
            at = np.searchsorted(self._sorted_ids[:first], ids)
            self._sorted_ids = np.insert(self._sorted_ids[:first], at, ids)
            self._positions = np.insert(self._positions[:first], at, positions)
            return positions
        self._sorted_ids = grown(self._sorted_ids, self._count)
        self._positions = grown(self._positions, self._count)
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
        """-1 for an id that was never there."""
        if not self._count:
            return np.full(len(ids), -1, np.int64)
        at = np.minimum(np.searchsorted(self.sorted_ids, ids), self._count - 1)
        return np.where(self.sorted_ids[at] == ids, self.positions[at], -1)

    def in_order(self, mask: Mask, positions: Positions) -> tuple[Ids, Positions]:
        """The images of a mask in order of ids, and where they are; `positions` are those of the mask."""
        if self._in_order:
            return self.sorted_ids[mask], positions
        chosen = mask[self.positions]
        return self.sorted_ids[chosen], self.positions[chosen]

    def between(self, first: int | None, until: int | None) -> Mask:
        """The images whose ids are from `first` on and before `until`."""
        begin = 0 if first is None else int(np.searchsorted(self.sorted_ids, first))
        end = self._count if until is None else int(np.searchsorted(self.sorted_ids, until))
        mask = np.zeros(self._count, np.bool_)
        mask[self.positions[begin:end]] = True
        return mask

    @property
    def bytes(self) -> int:
        return self._sorted_ids.nbytes + self._positions.nbytes
