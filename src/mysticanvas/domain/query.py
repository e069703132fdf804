"""A query as a tree: what is looked for, apart from how it is written or found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Words next to each other in this order; one word is a phrase of one."""

    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """Made with the checkpoint of this name."""

    name: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """Made from `first_ms` on and before `until_ms`, in Unix milliseconds; None is open.
    `written` is how the person put it."""

    first_ms: int | None
    until_ms: int | None
    written: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Favorite:
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Rating:
    """`operator` is one of =, >=, <=, >, <."""

    operator: str
    stars: int
    negated: bool = False


Term = Text | Model | Made | Favorite | Rating


@dataclass(frozen=True, slots=True)
class Query:
    """Every term must hold. No term at all finds everything."""

    terms: tuple[Term, ...] = ()
