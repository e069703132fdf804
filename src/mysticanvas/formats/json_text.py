"""Reads JSON as generators write it: bounded in depth and tolerant of their mistakes."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
# No seed is longer.
MAX_DIGITS = 40
_LARGEST = 10**MAX_DIGITS
_SIZE = re.compile(r"\D{0,3}(\d{1,6})\D{1,4}(\d{1,6})\D{0,3}", re.ASCII)
_INTEGER = re.compile(r"\s*-?\d{1,40}(?:\.0{1,20})?\s*", re.ASCII)


class JsonTextError(ValueError):
    """The text is not JSON, or is nested deeper than `MAX_DEPTH`."""


def load(text: str) -> Any:
    """Decode JSON. NaN and Infinity become None, and a number that is too large for a float remains text. NULs and
    byte order marks around it are ignored.

    Raises `JsonTextError`.
    """
    try:
        value = _DECODER.decode(text.strip("\0\ufffd\ufeff \t\r\n"))
    except (ValueError, RecursionError) as error:
        raise JsonTextError(str(error)) from error
    if _is_too_deep(value):
        raise JsonTextError("nested too deeply")
    return value


def load_object(text: str) -> dict[str, Any] | None:
    """Decode a JSON object; None for anything else."""
    if not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return None
    try:
        value = load(text)
    except JsonTextError:
        return None
    return value if isinstance(value, dict) else None


def decode_at(text: str, at: int) -> tuple[Any, int] | None:
    """(value, end offset) of the JSON value that begins at `at`; None when there is none."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    return None if _is_too_deep(value) else (value, end)


def _parse_float(text: str) -> float | str:
    """What JSON can represent again: for SQLite, Infinity is not JSON."""
    value = float(text)
    return value if math.isfinite(value) else text


_DECODER = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_parse_float, strict=False)


_CONTAINERS = frozenset((dict, list))


def _is_too_deep(value: Any) -> bool:
    """Whether a decoded value is nested deeper than `MAX_DEPTH`. Iterates level by level."""
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _CONTAINERS
        ]
    return True


def to_integer(value: Any) -> int | None:
    """Convert a JSON number or text to an exact integer; None when it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else None
    if isinstance(value, float):
        return int(value) if abs(value) < _LARGEST and value == int(value) else None
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value.partition(".")[0])
    return None


def to_int32(value: Any) -> int | None:
    """As `to_integer`, limited to 32 bits, which database columns expect."""
    number = to_integer(value)
    return number if number is not None and abs(number) < 1 << 31 else None


def to_number(value: Any) -> float | None:
    """Convert a JSON number or text to a finite float; None when it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def to_string(value: Any) -> str | None:
    """The value if it is a non-empty string, else None."""
    return value if isinstance(value, str) and value else None


def to_name(value: Any) -> str | None:
    """The value if it is a name; None for anything else and for placeholders such as "None"."""
    return value if isinstance(value, str) and value.strip().lower() not in _PLACEHOLDER_NAMES else None


_PLACEHOLDER_NAMES = frozenset(("", "none", "null", "undefined", "n/a", "(none)", "@none"))


def parse_size(text: Any) -> tuple[int | None, int | None]:
    """(width, height) of "(1024, 768)", "1024 x 768" or "1024×768"; (None, None) for anything else."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) and len(text) < 60 else None
    return (int(match[1]), int(match[2])) if match else (None, None)


class FieldReader:
    """Reads fields of a JSON object and tracks which are used; `rest` has the others.

    Each method uses the first of the keys with a value of its type; None when there is none.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        self.all = fields
        self._taken: set[str] = set()

    def text(self, *keys: str) -> str | None:
        """A string, possibly empty."""
        for key in keys:
            value = self.all.get(key)
            if isinstance(value, str):
                self._taken.add(key)
                return value
        return None

    def name(self, *keys: str) -> str | None:
        for key in keys:
            value = to_name(self.all.get(key))
            if value is not None:
                self._taken.add(key)
                return value
        return None

    def integer(self, *keys: str) -> int | None:
        for key in keys:
            value = to_integer(self.all.get(key))
            if value is not None:
                self._taken.add(key)
                return value
        return None

    def int32(self, *keys: str) -> int | None:
        value = self.integer(*keys)
        return value if value is not None and abs(value) < 1 << 31 else None

    def number(self, *keys: str) -> float | None:
        for key in keys:
            value = to_number(self.all.get(key))
            if value is not None:
                self._taken.add(key)
                return value
        return None

    def object(self, key: str) -> dict[str, Any]:
        """An object; {} for any other value. The key stays in `rest`."""
        value = self.all.get(key)
        return value if isinstance(value, dict) else {}

    def list(self, key: str) -> list[Any]:
        """A list; [] for any other value. The key stays in `rest`."""
        value = self.all.get(key)
        return value if isinstance(value, list) else []

    def take(self, *keys: str) -> None:
        """Mark keys as used."""
        self._taken.update(keys)

    @property
    def rest(self) -> dict[str, Any]:
        return {key: value for key, value in self.all.items() if key not in self._taken}
