"""The registry of background slices: derived updates that are too large for one transaction.

Features provide them; the edit runner runs one slice at a time while no edit is unfinished.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundSlices:
    """`waiting` returns the name of the pending work, None for none; slice sizes adapt for each name. `run(tx, limit,
    now_ms)` does the next slice of at most `limit` images. The runner wakes when one of `lists` is invalidated.
    `when_quiet`: waits while images are being imported, because an import needs the writer more."""

    waiting: Callable[[ReadTx], str | None]
    run: Callable[[WriteTx, int, int], bool]
    lists: frozenset[str]
    when_quiet: bool = False


SLICES: list[BackgroundSlices] = []


def register(slices: Sequence[BackgroundSlices]) -> None:
    """Registering the same work twice changes nothing."""
    SLICES.extend(one for one in slices if one not in SLICES)
