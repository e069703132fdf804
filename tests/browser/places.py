"""Where the gallery should draw every image: its rule of justified rows, written down a second time.

Lengths in CSS pixels from the top left of the list. What the page draws is held against this.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.faults.serving import Served

GAP = 4
HEADING = 44
MAX_STRETCH = 1.4
TOLERANCE_PX = 1.5

DRAWN = """() => {
  const grid = document.getElementById('grid');
  const box = grid.firstElementChild.getBoundingClientRect();
  const base = Number(grid.dataset.base);
  const tiles = [...grid.querySelectorAll('[role=gridcell]')].map((tile) => {
    const at = tile.getBoundingClientRect();
    return [Number(tile.dataset.index), at.left - box.left, at.top - box.top + base, at.width, at.height];
  });
  const [first, end] = [base, base + box.height];
  return { y: base + grid.scrollTop, height: grid.clientHeight, width: Math.floor(box.width), first, end, tiles };
}"""


@dataclass(frozen=True, slots=True)
class Row:
    first: int
    end: int
    top: float
    height: float


class Places:
    """The rows of a view, at a width and a wanted height of rows."""

    def __init__(self, served: Served, width: int, *, query: str = "", target: float = 220) -> None:
        view = served.post("/api/v1/snapshots", {"q": query})
        raw = served.http.get(f"/api/v1/snapshots/{view['snapshot']}/geometry").raise_for_status().content
        self._ratios = [
            min(4.0, max(0.25, (low + 256 * high) / 1000)) for low, high in zip(raw[::2], raw[1::2], strict=True)
        ]
        self.total = int(view["total"])
        self.rows: list[Row] = []
        top = 0.0
        for section in view["sections"]:
            top = self._lay_out(section["start"], section["start"] + section["count"], top + HEADING, width, target)
        self.height = top
        self._tops = [row.top for row in self.rows]
        self._firsts = [row.first for row in self.rows]

    def _lay_out(self, first: int, end: int, top: float, width: int, target: float) -> float:
        total = 0.0
        for index in range(first, end):
            total += self._ratios[index]
            height = (width - (index - first) * GAP) / total
            last = index == end - 1
            if height > target and not last:
                continue
            if last:
                height = min(height, target * (1 if height > target * MAX_STRETCH else MAX_STRETCH))
            self.rows.append(Row(first, index + 1, top, height))
            top += height + GAP
            first, total = index + 1, 0.0
        return top

    def of(self, index: int) -> tuple[float, float, float, float]:
        """Left, top, width and height of an image."""
        row = self.rows[bisect_right(self._firsts, index) - 1]
        left = sum(self._ratios[i] * row.height + GAP for i in range(row.first, index))
        return left, row.top, row.height * self._ratios[index], row.height

    def between(self, top: float, bottom: float) -> range:
        """The images whose rows are wholly or partly there."""
        first = max(0, bisect_right(self._tops, top) - 1)
        if self.rows[first].top + self.rows[first].height < top:
            first += 1
        last = bisect_right(self._tops, bottom) - 1
        return range(self.rows[first].first, self.rows[last].end) if first <= last else range(0)


def drawn(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(DRAWN)
    return found


def misplaced(places: Places, found: dict[str, Any]) -> list[tuple[int, list[float], tuple[float, ...]]]:
    """Tiles that are not where they are computed to be: index, drawn, computed.

    The focused row is kept for the keyboard, however far away it is: out of the box that is drawn in.
    """
    wrong = []
    for index, *at in found["tiles"]:
        meant = places.of(index)
        if not found["first"] <= meant[1] <= found["end"]:
            if not found["first"] <= at[1] <= found["end"]:
                continue
            wrong.append((index, at, meant))
        if any(abs(is_at - meant_at) > TOLERANCE_PX for is_at, meant_at in zip(at, meant, strict=True)):
            wrong.append((index, at, meant))
    return wrong


def lacking(places: Places, found: dict[str, Any]) -> set[int]:
    """Images that should be in view and are not drawn."""
    meant = places.between(found["y"] + 1, found["y"] + found["height"] - 1)
    return set(meant) - {int(index) for index, *_ in found["tiles"]}
