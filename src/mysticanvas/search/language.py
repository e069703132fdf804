"""The query language: text to tree and back.

Words are ANDed; "quotes" make a phrase; a leading minus excludes. Fields: `model:`, `date:` (a year,
month, day, or two of them joined by ..), `is:favourite`, `rating:` (3, >=3 …). Values may be quoted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from mysticanvas.domain.errors import QueryError
from mysticanvas.domain.query import Favorite, Made, Model, Query, Rating, Term, Text

MAX_CHARACTERS = 2_000
MAX_TERMS = 64
FIELDS = ("model", "date", "is", "rating")

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_RATING = re.compile(r"(>=|<=|>|<|=)?\s*([0-5])", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Token:
    position: int
    negated: bool
    field: str | None
    value: str


def parse(text: str) -> Query:
    """Raises `QueryError`, which points at the place."""
    if len(text) > MAX_CHARACTERS:
        raise QueryError(f"A search is at most {MAX_CHARACTERS:,} characters long.", MAX_CHARACTERS)
    terms = tuple(_term(token) for token in _tokens(text))
    if len(terms) > MAX_TERMS:
        raise QueryError(f"A search has at most {MAX_TERMS} terms.", 0)
    return Query(terms)


def write(query: Query) -> str:
    """The text that parses to this query."""
    return " ".join(("-" if term.negated else "") + written(term) for term in query.terms)


def written(term: Term) -> str:
    """One term as text, without its minus."""
    match term:
        case Text():
            return _quoted(term.text, always=bool(re.search(r"[\s:\-]", term.text)))
        case Model():
            return "model:" + _quoted(term.name)
        case Made():
            return "date:" + term.written
        case Favorite():
            return "is:favourite"
        case Rating():
            return f"rating:{'' if term.operator == '=' else term.operator}{term.stars}"


def _quoted(value: str, *, always: bool = False) -> str:
    return f'"{value}"' if always or re.search(r"\s", value) or not value else value


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        start = at
        negated = text[at] == "-" and at + 1 < len(text) and not text[at + 1].isspace()
        at += negated
        field = None
        if match := re.compile(r"([A-Za-z]+):").match(text, at):
            field, at = match[1].lower(), match.end()
        value, at = _value(text, at)
        if value or field is not None:
            yield _Token(start, negated, field, value)


def _value(text: str, at: int) -> tuple[str, int]:
    if at < len(text) and text[at] == '"':
        end = text.find('"', at + 1)
        if end < 0:
            raise QueryError("This quotation mark is never closed.", at)
        return text[at + 1 : end].strip(), end + 1
    end = at
    while end < len(text) and not text[end].isspace() and text[end] != '"':
        end += 1
    return text[at:end], end


def _term(token: _Token) -> Term:
    match token.field:
        case None:
            return Text(token.value, token.negated)
        case "model":
            return Model(_given(token), token.negated)
        case "date":
            return _made(token)
        case "is":
            if _given(token).lower() not in ("favourite", "favorite"):
                raise QueryError(f"is: knows “favourite”, not “{token.value}”.", token.position, "is:favourite")
            return Favorite(token.negated)
        case "rating":
            return _rating(token)
    nearest = get_close_matches(token.field, FIELDS, 1)
    suggestion = f"{nearest[0]}:{token.value}" if nearest else f'"{token.field}:{token.value}"'
    raise QueryError(f"There is no field “{token.field}:”.", token.position, suggestion)


def _given(token: _Token) -> str:
    if not token.value:
        raise QueryError(f"{token.field}: needs a value after it.", token.position)
    return token.value


def _rating(token: _Token) -> Rating:
    match = _RATING.fullmatch(_given(token))
    if match is None:
        raise QueryError("A rating is 0 to 5, such as rating:>=3.", token.position, "rating:>=3")
    return Rating(match[1] or "=", int(match[2]), token.negated)


def _made(token: _Token) -> Made:
    first, dots, last = _given(token).partition("..")
    try:
        begin = _span(first)[0] if first else None
        end = (_span(last)[1] if last else None) if dots else _span(first)[1]
    except (ValueError, OverflowError, OSError) as error:
        sentence = "A date is a year, a month or a day, such as 2026, 2026-08 or 2026-08-22..2026-09."
        raise QueryError(sentence, token.position, "date:2026-08") from error
    if begin is None and end is None:
        raise QueryError("This span of dates is open on both sides.", token.position)
    return Made(begin, end, token.value, token.negated)


def _span(date: str) -> tuple[int, int]:
    """The year, month or day in local time: its first millisecond and the first one after it."""
    match = _DATE.fullmatch(date)
    if match is None:
        raise ValueError(date)
    year, month, day = int(match[1]), match[2] and int(match[2]), match[3] and int(match[3])
    first = datetime(year, month or 1, day or 1)  # noqa: DTZ001 - the person's own days
    if day:
        after = datetime.fromordinal(first.toordinal() + 1)
    elif month:
        after = datetime(year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001
    else:
        after = datetime(year + 1, 1, 1)  # noqa: DTZ001
    return int(first.timestamp() * 1000), int(after.timestamp() * 1000)
