"""JSON as generators write it: bounded in depth, with the slips they make."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
# Longer numbers are no seeds, and Python refuses to read them.
MAX_DIGITS = 400
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


class JsonTextError(ValueError):
    """Not JSON, or deeper than any generator writes."""


def load(text: str) -> Any:
    """The value; NaN and Infinity become None, trailing NULs are ignored. Raises `JsonTextError`."""
    text = text.strip("\0\ufffd \t\r\n")
    if _depth(text) > MAX_DEPTH:
        raise JsonTextError("nested too deeply")
    try:
        return json.loads(text, parse_constant=lambda _: None, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise JsonTextError(str(error)) from error


def load_object(text: str) -> dict[str, Any] | None:
    """The object; None for anything else."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = load(text)
    except JsonTextError:
        return None
    return value if isinstance(value, dict) else None


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", _STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            break
    return deepest


def integer(value: Any) -> int | None:
    """An exact integer from what JSON or text holds; None for anything that is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value == int(value) else None
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,40}\s*", value, re.ASCII):
        return int(value)
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
