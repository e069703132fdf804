"""A limit on wrong sign-in codes. A valid code always works, so wrong codes cannot lock out the owner.

A code has 192 bits and cannot be guessed at any speed. The limit makes attempts visible and keeps their cost low.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from mysticanvas.domain.plurals import format_count
from mysticanvas.http.limits import get_network
from mysticanvas.http.passwords import TooManyAttemptsError

FREE_GUESSES = 20
WINDOW_S = 60.0
_NETWORKS_KEPT = 1_000


class CodeGuesses:
    """Counts the wrong codes from each network. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Of each network: the start of its window, and the wrong codes in it.
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = Lock()

    def count_wrong(self, address: str) -> None:
        """Raises `TooManyAttemptsError` after `FREE_GUESSES` wrong codes from this network within `WINDOW_S`."""
        network = get_network(address)
        with self._lock:
            now_s = self._clock()
            began_s, count = self._wrong.pop(network, (now_s, 0))
            if now_s - began_s >= WINDOW_S:
                began_s, count = now_s, 0
            self._wrong[network] = (began_s, count + 1)
            while len(self._wrong) > _NETWORKS_KEPT:
                self._wrong.popitem(last=False)
        if count >= FREE_GUESSES:
            wait_s = WINDOW_S - (now_s - began_s)
            raise TooManyAttemptsError(
                f"Too many wrong codes. Run mysticanvas open to get a new one, or try again in "
                f"{format_count(max(1, round(wait_s)), 'second')}.",
                wait_s,
            )
