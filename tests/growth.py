"""How much work something is, said so that the answer is the same on every machine: by counts, or by how the work
grows with its size. CPU time of one size stands beside that of a smaller one, never beside a
number of seconds."""

import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import pytest

# Two sizes are compared that are so many doublings apart. Sixteen times the size is about sixteen times the work where
# it grows in proportion, and 256 times where it grows with the square: a busy machine, whose caches others fill, can
# make the longer work three times as slow as it is, and is taken neither for the one nor for the other.
DOUBLINGS, MOST = 4, 48.0
# What a clock of CPU time can tell well; shorter work is repeated until it takes as long.
LEAST_S = 0.004
FIRST_ROUNDS, MOST_ROUNDS = 2, 6


class _Measured:
    """The least CPU time that the work has taken. What else the machine does can only add to it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._times = 1
        self._times = max(1, min(1_000, int(LEAST_S / max(self._spent_s(), 1e-7)) + 1))
        self.least_s = float("inf")

    def again(self) -> None:
        self.least_s = min(self.least_s, self._spent_s() / self._times)

    def _spent_s(self) -> float:
        # The collector's work hangs on what else is alive.
        collected = gc.isenabled()
        gc.disable()
        try:
            began_s = time.process_time()
            for _ in range(self._times):
                self._work()
            return time.process_time() - began_s
        finally:
            if collected:
                gc.enable()


def check_in_proportion(prepare: Callable[[int], Callable[[], object]], sizes: Sequence[int]) -> None:
    """`prepare(size)` gives work of that size. Of `sizes`, which grow, all that are sixteen times another are compared
    with it.

    Two sizes that seem to differ too much are tried more often: other programs can make both look slower than they
    are, so more rounds come nearer to the truth, and what does grow with the square never passes.
    """
    assert sizes[-1] >> DOUBLINGS in sizes
    measured: dict[int, _Measured] = {}
    for size in sizes:
        larger = measured[size] = _Measured(prepare(size))
        for _ in range(FIRST_ROUNDS):
            larger.again()
        if (smaller := measured.get(size >> DOUBLINGS)) is not None:
            _compare(smaller, larger, size)


def _compare(smaller: _Measured, larger: _Measured, size: int) -> None:
    for _ in range(MOST_ROUNDS):
        if larger.least_s < MOST * smaller.least_s:
            return
        smaller.again()
        larger.again()
    times = larger.least_s / smaller.least_s
    pytest.fail(f"size {size:,} takes {times:.0f} times the work of a {2**DOUBLINGS}th of it")


def doublings(last: int, count: int) -> list[int]:
    """Sizes up to `last`, each twice the one before; `count` steps from one to the next."""
    return [last >> step for step in range(count, -1, -1)]


@dataclass(slots=True)
class Calls:
    count: int = 0


@contextmanager
def counted_calls() -> Iterator[Calls]:
    """Counts the calls of Python functions and of built-in ones in the block, on this thread."""
    calls = Calls()

    def count(_: FrameType, event: str, __: Any) -> None:
        if event in ("call", "c_call"):
            calls.count += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(before)
