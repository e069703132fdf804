"""JSON as generators write it: bounded in depth, with the slips they make."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
# Longer numbers are no seeds.
MAX_DIGITS = 40
_LARGEST = 10**MAX_DIGITS
_SIZE = re.compile(r"\D{0,3}(\d{1,6})\D{1,4}(\d{1,6})\D{0,3}", re.ASCII)
_INTEGER = re.compile(r"\s*-?\d{1,40}(?:\.0{1,20})?\s*", re.ASCII)


class JsonTextError(ValueError):
    """Not JSON, or deeper than any generator writes."""


def load(text: str) -> Any:
    """The value; NaN and Infinity become None, trailing NULs are ignored. Raises `JsonTextError`."""
    try:
        value = _DECODER.decode(text.strip("\0\ufffd\ufeff \t\r\n"))
    except (ValueError, RecursionError) as error:
        raise JsonTextError(str(error)) from error
    if _is_too_deep(value):
        raise JsonTextError("nested too deeply")
    return value


def load_object(text: str) -> dict[str, Any] | None:
    """The object; None for anything else."""
    if not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return None
    try:
        value = load(text)
    except JsonTextError:
        return None
    return value if isinstance(value, dict) else None


def begins_with(text: str, at: int) -> tuple[Any, int] | None:
    """The value that begins at `at` and where it ends; None when none does."""
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    return None if _is_too_deep(value) else (value, end)


_DECODER = json.JSONDecoder(parse_constant=lambda _: None, strict=False)


_NESTED = frozenset((dict, list))


def _is_too_deep(value: Any) -> bool:
    """Of what the decoder made, level by level."""
    level = [value] if type(value) in _NESTED else []
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return False
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _NESTED
        ]
    return True


def integer(value: Any) -> int | None:
    """An exact integer from what JSON or text holds; None for anything that is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else None
    if isinstance(value, float):
        return int(value) if abs(value) < _LARGEST and value == int(value) else None
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value.partition(".")[0])
    return None


def small_integer(value: Any) -> int | None:
    """An integer that a column holds."""
    number = integer(value)
    return number if number is not None and abs(number) < 1 << 31 else None


def number(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def name_of(value: Any) -> str | None:
    """A name that was chosen: "None" and the like say that none was."""
    return value if isinstance(value, str) and value.strip().lower() not in _NO_NAMES else None


_NO_NAMES = frozenset(("", "none", "null", "undefined", "n/a", "(none)", "@none"))


def size_of(text: Any) -> tuple[int | None, int | None]:
    """Of "(1024, 768)", "1024 x 768", "1024×768"."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) and len(text) < 60 else None
    return (int(match[1]), int(match[2])) if match else (None, None)


class Said:
    """An object being read: `rest` is what nothing was taken from.

    Each method takes the first of the keys that holds a value of its kind; None when none does.
    """

    def __init__(self, said: dict[str, Any]) -> None:
        self.all = said
        self._taken: set[str] = set()

    def text(self, *keys: str) -> str | None:
        """A text, also an empty one."""
        for key in keys:
            value = self.all.get(key)
            if isinstance(value, str):
                self._taken.add(key)
                return value
        return None

    def name(self, *keys: str) -> str | None:
        for key in keys:
            value = name_of(self.all.get(key))
            if value is not None:
                self._taken.add(key)
                return value
        return None

    def integer(self, *keys: str) -> int | None:
        for key in keys:
            value = integer(self.all.get(key))
            if value is not None:
                self._taken.add(key)
                return value
        return None

    def small(self, *keys: str) -> int | None:
        value = self.integer(*keys)
        return value if value is not None and abs(value) < 1 << 31 else None

    def number(self, *keys: str) -> float | None:
        for key in keys:
            value = number(self.all.get(key))
            if value is not None:
                self._taken.add(key)
                return value
        return None

    def object(self, key: str) -> dict[str, Any]:
        """Also {} for what is no object; it stays in the rest."""
        value = self.all.get(key)
        return value if isinstance(value, dict) else {}

    def list(self, key: str) -> list[Any]:
        """Also [] for what is no list; it stays in the rest."""
        value = self.all.get(key)
        return value if isinstance(value, list) else []

    def take(self, *keys: str) -> None:
        """These have been understood otherwise."""
        self._taken.update(keys)

    @property
    def rest(self) -> dict[str, Any]:
        return {key: value for key, value in self.all.items() if key not in self._taken}
