"""The current time, in the unit that the database stores."""

import time


def now_ms() -> int:
    """Unix milliseconds, UTC."""
    return time.time_ns() // 1_000_000
