"""Days and months of matches, in local time. IDs begin with the second of creation."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from mysticanvas.domain.generation import SECONDS_OF_2010
from mysticanvas.domain.local_time import convert_from_local_time, convert_to_local_time

Ids = NDArray[np.int64]
# Lists that are not sorted by time are split into blocks, which the gallery lays out one at a time.
BLOCK = 2_000


@dataclass(frozen=True, slots=True)
class Section:
    """`count` images from the index `start` on: those of one local day, or of one block (`day` is "")."""

    day: str
    start: int
    count: int


def split_days(ids: Ids) -> list[Section]:
    """The days of descending IDs, newest first. Every image is in exactly one section."""
    found = []
    begin = 0
    ascending = ids[::-1]
    while begin < len(ids):
        midnight = _to_local(int(ids[begin])).replace(hour=0, minute=0, second=0)
        end = max(begin + 1, len(ids) - int(np.searchsorted(ascending, _find_first_id(midnight))))
        found.append(Section(midnight.strftime("%Y-%m-%d"), begin, end - begin))
        begin = end
    return found


def split_days_ascending(ids: Ids) -> list[Section]:
    """The days of ascending IDs, oldest first."""
    return [Section(s.day, len(ids) - s.start - s.count, s.count) for s in reversed(split_days(ids[::-1]))]


def split_blocks(total: int) -> list[Section]:
    return [Section("", start, min(BLOCK, total - start)) for start in range(0, total, BLOCK)]


def count_months(ascending: Ids) -> list[tuple[str, int]]:
    """(month, count) of ascending IDs, newest first, without empty months."""
    found = []
    end = len(ascending)
    while end > 0:
        first = _to_local(int(ascending[end - 1])).replace(day=1, hour=0, minute=0, second=0)
        begin = min(end - 1, int(np.searchsorted(ascending, _find_first_id(first))))
        found.append((first.strftime("%Y-%m"), end - begin))
        end = begin
    return found


def _to_local(image: int) -> datetime:
    return convert_to_local_time((image >> 8) + SECONDS_OF_2010)


def _find_first_id(moment: datetime) -> int:
    return (convert_from_local_time(moment) - SECONDS_OF_2010) << 8
