"""Dates in the query language, in local time."""

import re
import time
from datetime import date, datetime, timedelta

from mysticanvas.domain.local_time import convert_from_local_time
from mysticanvas.domain.query import AddedBetween, Interval, MadeBetween

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_LAST_DAYS = re.compile(r"(\d{1,4})d", re.ASCII)
_LAST_HOURS = re.compile(r"(\d{1,4})h", re.ASCII)
_COMPARED = re.compile(r"(>=|<=|>|<|=)?\s*(.+)", re.DOTALL)


def read(text: str) -> MadeBetween:
    """Parse `2026`, `2026-08..2026-09`, `..2026`, `>=2026-08`, `today`, `30d` and so on. Raises `ValueError`."""
    match = _COMPARED.fullmatch(text)
    if match is None:
        raise ValueError(text)
    operator, value = match[1], match[2]
    first, dots, last = value.partition("..")
    if operator and dots:
        raise ValueError(text)
    if operator:
        made = _parse_comparison(operator, value)
    else:
        made = MadeBetween(first or None, (last or None) if dots else first)
    if (made.first is None and made.last is None) or any(_LAST_HOURS.fullmatch(end or "") for end in (first, last)):
        raise ValueError(text)
    to_seconds(made)
    return made


def read_added(text: str) -> AddedBetween:
    """Like `read`; also parses `6h`, `>=6h` and so on. Raises `ValueError`."""
    if hours := re.fullmatch(r"(>=|=)?\s*(\d{1,4}h)", text, re.ASCII):
        return AddedBetween(hours[2], None if hours[1] == ">=" else hours[2])
    first, dots, last = text.partition("..")
    if dots and (_LAST_HOURS.fullmatch(first) or _LAST_HOURS.fullmatch(last)):
        added = AddedBetween(first or None, last or None)
        to_seconds(added)
        return added
    made = read(text)
    return AddedBetween(made.first, made.last)


def write(made: MadeBetween | AddedBetween) -> str:
    """The text that `read` or `read_added` parses to this."""
    return str(made.first) if made.first == made.last else f"{made.first or ''}..{made.last or ''}"


def to_seconds(made: MadeBetween | AddedBetween) -> tuple[int | None, int | None]:
    """The Unix seconds [first, until); None for an open end. Raises `ValueError` for an invalid date."""
    first = None if made.first is None else _find_period_s(made.first)[0]
    until = None if made.last is None else _find_period_s(made.last)[1]
    return first, until


def to_interval_ms(added: AddedBetween) -> Interval:
    """The Unix milliseconds. Raises `ValueError` for an invalid date."""
    low, high = (None if end is None else end * 1000.0 for end in to_seconds(added))
    return Interval(low, high, without_high=high is not None)


def _find_period_s(text: str) -> tuple[int, int]:
    """The Unix seconds [first, until)."""
    if match := _LAST_HOURS.fullmatch(text):
        now_s = int(time.time())
        return now_s - int(match[1]) * 3600, now_s + 1
    first, after = _parse_days(text)
    return _find_midnight_s(first), _find_midnight_s(after)


def _parse_comparison(operator: str, value: str) -> MadeBetween:
    first, after = _parse_days(value)
    match operator:
        case "=":
            return MadeBetween(value, value)
        case ">=":
            return MadeBetween(value, None)
        case "<=":
            return MadeBetween(None, value)
        case ">":
            return MadeBetween(after.isoformat(), None)
        case _:
            return MadeBetween(None, (first - timedelta(days=1)).isoformat())


def _parse_days(text: str) -> tuple[date, date]:
    """The first day, and the first day after the period. Raises `ValueError`."""
    try:
        return _parse_calendar_days(text)
    except OverflowError as error:
        raise ValueError(text) from error


def _parse_calendar_days(text: str) -> tuple[date, date]:
    today = date.today()  # noqa: DTZ011 - local time
    if text in ("today", "yesterday"):
        day = today - timedelta(days=text == "yesterday")
        return day, day + timedelta(days=1)
    if match := _LAST_DAYS.fullmatch(text):
        return today - timedelta(days=max(0, int(match[1]) - 1)), today + timedelta(days=1)
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day_of = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    first = date(year, month, day_of)
    if match[3]:
        return first, first + timedelta(days=1)
    if match[2]:
        return first, date(year + month // 12, month % 12 + 1, 1)
    return first, date(year + 1, 1, 1)


def _find_midnight_s(day: date) -> int:
    try:
        return convert_from_local_time(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - local time
    except (OverflowError, OSError) as error:
        raise ValueError(day) from error
