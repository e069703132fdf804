"""Converts from and to local time, including dates before 1970, for which the functions of Windows raise `OSError`."""

import time
from datetime import datetime, timedelta

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local time


def convert_to_local_time(unix_s: int) -> datetime:
    try:
        return datetime.fromtimestamp(unix_s)  # noqa: DTZ006 - local time
    except OSError:
        return _EPOCH + timedelta(seconds=unix_s - time.timezone)


def convert_from_local_time(local: datetime) -> int:
    """The Unix second of a date without a time zone. Raises `OverflowError` for dates at the ends of the calendar."""
    try:
        return int(local.timestamp())
    except OSError:
        return (local - _EPOCH) // timedelta(seconds=1) + time.timezone
