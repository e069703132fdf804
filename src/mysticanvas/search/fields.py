"""The fields of the query language: how their values are parsed, and the errors for invalid values."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from mysticanvas.domain.errors import QueryError
from mysticanvas.domain.query import (
    SYNONYMS,
    Field,
    Has,
    HasShape,
    Interval,
    Is,
    LooksLikeImage,
    LooksLikeText,
    NamedValue,
    Node,
    Number,
    Order,
    Ratio,
    Shape,
    SimilarPrompt,
    Size,
    Sort,
    State,
    Text,
    Thing,
)
from mysticanvas.search import days

Choice = TypeVar("Choice", bound=StrEnum)

_NUMBER = r"-?(?:\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})"
_COMPARED = re.compile(rf"(>=|<=|>|<|=)?\s*({_NUMBER})", re.ASCII)
_BETWEEN = re.compile(rf"({_NUMBER})\.\.({_NUMBER})", re.ASCII)
_WEIGHED = re.compile(rf"(.+?)(>=|<=|>|<|=)\s*({_NUMBER})", re.ASCII | re.DOTALL)
_SIZE = re.compile(r"(>=|<=|>|<|=)?\s*(\d{1,6})\s*[x×]\s*(\d{1,6})", re.IGNORECASE)
_RATIO = re.compile(r"(\d{1,4}):(\d{1,4})", re.ASCII)
_SEED = re.compile(r"\d{1,40}", re.ASCII)
_UUID = re.compile(r"[0-9a-f-]{4,36}", re.ASCII | re.IGNORECASE)
_RANDOM = re.compile(r"random:(\d{1,9})", re.ASCII)

# Common synonyms, after the documented words.
_STATES = {state.written: state for state in State} | {
    "favourite": State.FAVORITE,
    "fav": State.FAVORITE,
    "too_large": State.TOO_LARGE,
}
_THINGS = {thing.value: thing for thing in Thing} | {"tags": Thing.TAG, "loras": Thing.LORA, "note": Thing.NOTES}
WEIGHED = (Field.LORA, Field.EMBEDDING)
_LIMITS = {
    Field.RATING: (0, 5),
    Field.STEPS: (0, 1e9),
    Field.CFG: (-1e6, 1e6),
    Field.MP: (0, 1e6),
    Field.EXPLICIT: (0, 1),
}


@dataclass(frozen=True, slots=True)
class RawTerm:
    """A field and its value. `name` is the field as typed, which may be an alias; `position` is that of the term."""

    field: Field
    name: str
    value: str
    position: int
    quoted: bool


def require_value(given: RawTerm) -> None:
    if not given.value:
        raise QueryError(f"{given.name}: requires a value.", given.position, EXAMPLES[given.field])


def read(given: RawTerm) -> Node:
    """Parse the value of a field. Raises `QueryError`."""
    return _READERS[given.field](given)


def read_sort(given: RawTerm) -> Sort:
    if match := _RANDOM.fullmatch(given.value.lower()):
        return Sort(Order.RANDOM, int(match[1]))
    return Sort(_read_choice({order.value: order for order in Order}, given))


def read_like(given: RawTerm) -> SimilarPrompt:
    if not _UUID.fullmatch(given.value):
        raise QueryError(f"{given.name}: requires the ID of an image, or the beginning of an ID.", given.position)
    return SimilarPrompt(given.value.lower())


def read_looks(given: RawTerm) -> LooksLikeText | LooksLikeImage:
    """An unquoted ID refers to an image. Anything else describes the content."""
    if not given.quoted and _UUID.fullmatch(given.value):
        return LooksLikeImage(given.value.lower())
    return LooksLikeText(given.value)


def build_unknown_error(name: str, value: str, position: int) -> QueryError:
    """The error for an unknown field, with a suggestion."""
    sentence = f"There is no search field “{name}:”."
    if re.fullmatch(_NUMBER, value.rstrip(")")):
        # Prompt emphasis such as masterpiece:1.2, pasted from a prompt.
        return QueryError(sentence, position, name)
    documented = {field.value: field.written for field in Field}
    nearest = get_close_matches(name.lower(), [*documented, *SYNONYMS], 1, 0.6)
    if nearest:
        return QueryError(sentence, position, f"{documented.get(nearest[0], nearest[0])}:{value}")
    suggestion = '"{}"'.format(f"{name}:{value}".replace('"', ""))
    return QueryError(sentence, position, suggestion)


def format_interval(interval: Interval) -> str:
    """The text that parses to this interval."""
    low, high = interval.low, interval.high
    if low is not None and high is not None:
        return _format_number(low) if low == high else f"{_format_number(low)}..{_format_number(high)}"
    if low is not None:
        return f"{'>' if interval.without_low else '>='}{_format_number(low)}"
    return f"{'<' if interval.without_high else '<='}{_format_number(high or 0.0)}"


def _format_number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.9f}".rstrip("0")


def _read_words(given: RawTerm) -> Node:
    return Text(given.value, given.field)


def _read_name(given: RawTerm) -> Node:
    if given.field in WEIGHED and not given.quoted and (match := _WEIGHED.fullmatch(given.value)):
        return NamedValue(given.field, match[1].rstrip(), _build_interval(match[2], float(match[3])))
    return NamedValue(given.field, given.value)


def _read_path(given: RawTerm) -> Node:
    folder = given.value.replace("\\", "/").rstrip("/")
    if not folder:
        raise QueryError(f"{given.name}: requires the name of a folder.", given.position, EXAMPLES[Field.PATH])
    return NamedValue(Field.PATH, folder)


def _read_seed(given: RawTerm) -> Node:
    if not _SEED.fullmatch(given.value):
        raise QueryError("A seed is a whole number, for example seed:342898.", given.position, EXAMPLES[Field.SEED])
    return NamedValue(Field.SEED, given.value.lstrip("0") or "0")


def _read_uuid(given: RawTerm) -> Node:
    if not _UUID.fullmatch(given.value):
        raise QueryError("An ID is the UUID of an image, or the beginning of a UUID.", given.position)
    return NamedValue(Field.ID, given.value.lower())


def _read_amount(given: RawTerm) -> Node:
    """A number, a comparison or a range, within the limits of the field."""
    low_limit, high_limit = _LIMITS[given.field]
    if between := _BETWEEN.fullmatch(given.value):
        low, high = float(between[1]), float(between[2])
        interval = Interval(low, high)
        ok = low <= high and low_limit <= low and high <= high_limit
    elif compared := _COMPARED.fullmatch(given.value):
        interval = _build_interval(compared[1] or "=", float(compared[2]))
        ok = low_limit <= float(compared[2]) <= high_limit
    else:
        ok = False
    if not ok or (given.field is Field.RATING and not _is_whole(interval)):
        sentence = {
            Field.RATING: "A rating is a number from 0 to 5, for example rating:>=3 or rating:2..4.",
            Field.STEPS: "A step count is a number, for example steps:30, steps:>=20 or steps:20..40.",
            Field.CFG: "The CFG scale is a number, for example cfg:7, cfg:>=4.5 or cfg:4..8.",
            Field.MP: "mp: is the size in megapixels, for example mp:>=2.",
            Field.EXPLICIT: "The NSFW score is a number from 0 to 1, for example nsfw:>=0.7.",
        }[given.field]
        raise QueryError(sentence, given.position, EXAMPLES[given.field])
    return Number(given.field, interval)


def _is_whole(interval: Interval) -> bool:
    return all(end is None or end == int(end) for end in (interval.low, interval.high))


def _build_interval(operator: str, value: float) -> Interval:
    value = value or 0.0  # -0 and 0 are one number
    match operator:
        case "=":
            return Interval(value, value)
        case ">=" | ">":
            return Interval(low=value, without_low=operator == ">")
        case _:
            return Interval(high=value, without_high=operator == "<")


def _read_size(given: RawTerm) -> Node:
    value = given.value.lower()
    if match := _SIZE.fullmatch(value):
        return Size(match[1] or "=", int(match[2]), int(match[3]))
    if (match := _RATIO.fullmatch(value)) and int(match[1]) and int(match[2]):
        return Ratio(int(match[1]), int(match[2]))
    if value in set(Shape):
        return HasShape(Shape(value))
    raise QueryError(
        "A size is given in pixels, as a ratio or as a shape: size:>=1024x1024, size:16:9, size:portrait.",
        given.position,
        _find_nearest(value, (f"size:{shape}" for shape in Shape)) or EXAMPLES[Field.SIZE],
    )


def _read_date(given: RawTerm) -> Node:
    try:
        return days.read(given.value.lower())
    except ValueError as error:
        sentence = "A date is a year, month or day: date:2026, date:2026-08..2026-09, date:today, date:30d."
        raise QueryError(sentence, given.position, EXAMPLES[Field.DATE]) from error


def _read_added(given: RawTerm) -> Node:
    try:
        return days.read_added(given.value.lower())
    except ValueError as error:
        sentence = (
            "The time of import is a date or a time before now: added:today, added:>=2026-08, added:7d, added:6h."
        )
        raise QueryError(sentence, given.position, EXAMPLES[Field.ADDED]) from error


def _read_is(given: RawTerm) -> Node:
    return Is(_read_choice(_STATES, given))


def _read_has(given: RawTerm) -> Node:
    return Has(_read_choice(_THINGS, given))


def _read_choice(choices: dict[str, Choice], given: RawTerm) -> Choice:
    found = choices.get(given.value.lower())
    if found is None:
        # The first word for each choice is the documented one.
        words = {choice: word for word, choice in reversed(choices.items())}
        values = ", ".join(dict.fromkeys(words[choice] for choice in choices.values()))
        nearest = _find_nearest(given.value.lower(), choices)
        suggestion = f"{given.field.written}:{words[choices[nearest]]}" if nearest else None
        sentence = f"{given.name}: does not accept “{given.value}”. Use one of: {values}."
        raise QueryError(sentence, given.position, suggestion)
    return found


def _find_nearest(value: str, choices: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(value, list(choices), 1, 0.6)), None)


_READERS: dict[Field, Callable[[RawTerm], Node]] = {
    Field.PROMPT: _read_words,
    Field.NEGATIVE: _read_words,
    Field.NOTES: _read_words,
    Field.MODEL: _read_name,
    Field.LORA: _read_name,
    Field.VAE: _read_name,
    Field.REFINER: _read_name,
    Field.EMBEDDING: _read_name,
    Field.CONTROLNET: _read_name,
    Field.UPSCALER: _read_name,
    Field.TAG: _read_name,
    Field.COLLECTION: _read_name,
    Field.RATING: _read_amount,
    Field.IS: _read_is,
    Field.HAS: _read_has,
    Field.DATE: _read_date,
    Field.ADDED: _read_added,
    Field.SIZE: _read_size,
    Field.MP: _read_amount,
    Field.EXPLICIT: _read_amount,
    Field.SEED: _read_seed,
    Field.STEPS: _read_amount,
    Field.CFG: _read_amount,
    Field.ENGINE: _read_name,
    Field.SAMPLER: _read_name,
    Field.PATH: _read_path,
    Field.ID: _read_uuid,
}

# One example per field, for errors, autocomplete and the guide.
EXAMPLES: dict[Field, str] = {
    Field.PROMPT: 'prompt:"over the sea"',
    Field.NEGATIVE: "negative:blurry",
    Field.NOTES: "notes:print",
    Field.MODEL: "model:flux1-dev",
    Field.LORA: "lora:film_grain>=0.5",
    Field.VAE: "vae:ae",
    Field.REFINER: "refiner:sd_xl_refiner*",
    Field.EMBEDDING: "embedding:easynegative",
    Field.CONTROLNET: "controlnet:*canny*",
    Field.UPSCALER: "upscaler:4x*",
    Field.TAG: "tag:lighthouse",
    Field.COLLECTION: "collection:best",
    Field.RATING: "rating:>=3",
    Field.IS: "is:favorite",
    Field.HAS: "has:workflow",
    Field.DATE: "date:2026-08",
    Field.ADDED: "added:7d",
    Field.SIZE: "size:>=1024x1024",
    Field.MP: "mp:>=2",
    Field.SEED: "seed:342898",
    Field.STEPS: "steps:>=20",
    Field.CFG: "cfg:4..8",
    Field.ENGINE: "generator:comfyui",
    Field.SAMPLER: 'sampler:"dpm++ 2m"',
    Field.PATH: "path:2026/",
    Field.ID: "id:4f9c0d2e",
    Field.LIKE: "like:4f9c0d2e",
    Field.LOOKS: "looks:4f9c0d2e",
    Field.EXPLICIT: "nsfw:<0.7",
    Field.SORT: "sort:newest",
}
SIMILAR_EXAMPLE = '~"sad robot"'
