"""The registry of background slices: work too large for one transaction that follows from edits.

A feature brings each kind of work; the edit runner does one slice at a time, when no edit is unfinished.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundSlices:
    """`waiting` names the work that waits, None for none: each name has slices of its own size. `run(tx, limit,
    now_ms)` does the next slice of at most `limit` images. The runner wakes when one of `lists` is invalidated.
    `when_quiet`: it waits while images come in, because an import needs the writer more."""

    waiting: Callable[[ReadTx], str | None]
    run: Callable[[WriteTx, int, int], bool]
    lists: frozenset[str]
    when_quiet: bool = False


SLICES: list[BackgroundSlices] = []


def register(slices: Sequence[BackgroundSlices]) -> None:
    """Registering the same work twice changes nothing."""
    SLICES.extend(one for one in slices if one not in SLICES)
