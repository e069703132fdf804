"""Days and months of what was found, in the person's own time: ids begin with their second."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mysticanvas.domain.generation import SECONDS_OF_2010

Ids = NDArray[np.int64]
# A list that is in no order of time is cut into blocks, which the gallery lays out one by one.
BLOCK = 2_000


@dataclass(frozen=True, slots=True)
class Section:
    """The images of one local day, or of one block (`day` is ""): `count` of them from `start` on."""

    day: str
    start: int
    count: int


def days(ids: Ids) -> list[Section]:
    """Of ids that descend: newest first; every image is in exactly one."""
    found = []
    begin = 0
    ascending = ids[::-1]
    while begin < len(ids):
        midnight = _local(int(ids[begin])).replace(hour=0, minute=0, second=0)
        end = max(begin + 1, len(ids) - int(np.searchsorted(ascending, _first_id(midnight))))
        found.append(Section(midnight.strftime("%Y-%m-%d"), begin, end - begin))
        begin = end
    return found


def days_ascending(ids: Ids) -> list[Section]:
    """Of ids that ascend: oldest first."""
    return [Section(s.day, len(ids) - s.start - s.count, s.count) for s in reversed(days(ids[::-1]))]


def blocks(total: int) -> list[Section]:
    return [Section("", start, min(BLOCK, total - start)) for start in range(0, total, BLOCK)]


def months(ascending: Ids) -> list[tuple[str, int]]:
    """(month, how many) of ids that ascend, newest first, without empty months."""
    found = []
    end = len(ascending)
    while end > 0:
        first = _local(int(ascending[end - 1])).replace(day=1, hour=0, minute=0, second=0)
        begin = min(end - 1, int(np.searchsorted(ascending, _first_id(first))))
        found.append((first.strftime("%Y-%m"), end - begin))
        end = begin
    return found


def _local(image: int) -> datetime:
    return datetime.fromtimestamp((image >> 8) + SECONDS_OF_2010)  # noqa: DTZ006 - the person's own days


def _first_id(moment: datetime) -> int:
    return (int(moment.timestamp()) - SECONDS_OF_2010) << 8
