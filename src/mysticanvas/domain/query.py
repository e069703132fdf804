"""A query as a tree: what is searched for, independent of its syntax and of how it is evaluated.

Build trees with `all_of`, `any_of` and `negation`, which keep them in canonical form: no list nested in a list of
the same kind, no list of one part, no double negation. So equal queries are equal trees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Union


class Field(StrEnum):
    """The fields of the query language. Saved searches contain the values; `written` is the documented name, as shown
    before the colon."""

    PROMPT = "prompt"
    NEGATIVE = "negative"
    NOTES = "notes"
    MODEL = "model"
    LORA = "lora"
    VAE = "vae"
    REFINER = "refiner"
    EMBEDDING = "embedding"
    CONTROLNET = "controlnet"
    UPSCALER = "upscaler"
    TAG = "tag"
    COLLECTION = "collection"
    RATING = "rating"
    IS = "is"
    HAS = "has"
    DATE = "date"
    ADDED = "added"
    SIZE = "size"
    MP = "mp"
    SEED = "seed"
    STEPS = "steps"
    CFG = "cfg"
    ENGINE = "engine"
    SAMPLER = "sampler"
    PATH = "path"
    ID = "id"
    LIKE = "like"
    LOOKS = "looks"
    EXPLICIT = "explicit"
    SORT = "sort"

    @property
    def written(self) -> str:
        return {Field.ENGINE: "generator", Field.EXPLICIT: "nsfw"}.get(self, self.value)


# Other names that the language accepts for a field.
SYNONYMS = {
    "checkpoint": Field.MODEL,
    "folder": Field.PATH,
    "in": Field.COLLECTION,
    "uuid": Field.ID,
    "similar": Field.LIKE,
    "fav": Field.IS,
    "generator": Field.ENGINE,
    "nsfw": Field.EXPLICIT,
    "tool": Field.ENGINE,
    "neg": Field.NEGATIVE,
    "stars": Field.RATING,
    "order": Field.SORT,
    "imported": Field.ADDED,
}


class State(StrEnum):
    """What an image can be: `is:favorite`. Saved searches contain the values; `written` is the documented word."""

    FAVORITE = "favourite"
    MISSING = "missing"
    DAMAGED = "damaged"
    TOO_LARGE = "too-large"
    ANIMATED = "animated"
    GRID = "grid"
    DUPLICATE = "duplicate"

    @property
    def written(self) -> str:
        return "favorite" if self is State.FAVORITE else self.value


class Thing(StrEnum):
    """What an image can have: `has:workflow`."""

    WORKFLOW = "workflow"
    PROMPT = "prompt"
    NEGATIVE = "negative"
    NOTES = "notes"
    SEED = "seed"
    MODEL = "model"
    LORA = "lora"
    VAE = "vae"
    TAG = "tag"
    PARENT = "parent"
    RATING = "rating"


class Shape(StrEnum):
    PORTRAIT = "portrait"
    LANDSCAPE = "landscape"
    SQUARE = "square"


class Order(StrEnum):
    """Each order is total: ties are ordered newest first (in OLDEST, oldest first). ADDED begins with the image that
    was imported last. MANUAL is the order that the user gave the first collection in the query; images outside it come
    last. SIMILARITY needs something to be similar to, and is then the default."""

    NEWEST = "newest"
    OLDEST = "oldest"
    ADDED = "added"
    RATING = "rating"
    RANDOM = "random"
    RELEVANCE = "relevance"
    SIZE = "size"
    NAME = "name"
    MANUAL = "manual"
    SIMILARITY = "similarity"


@dataclass(frozen=True, slots=True)
class Text:
    """Adjacent words in this order; a single word is a phrase of one. `field` is PROMPT,
    NEGATIVE or NOTES; None searches all three."""

    text: str
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`; None is unbounded. The ends are included unless `without_low` or `without_high`."""

    low: float | None = None
    high: float | None = None
    without_low: bool = False
    without_high: bool = False


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A model, tag, collection, sampler, generator, folder, seed or uuid with this name; `*` matches any text.
    `weight` only for a LoRA or embedding."""

    field: Field
    value: str
    weight: Interval | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """RATING, STEPS, CFG, MP (millions of pixels) or EXPLICIT (0 to 1) within an interval. An unknown value is
    in no interval."""

    field: Field
    interval: Interval


@dataclass(frozen=True, slots=True)
class MadeBetween:
    """Made from the start of `first` to the end of `last`, in local time; None is unbounded. Each is a year,
    month or day (2026, 2026-08, 2026-08-22), `today`, `yesterday` or a number of days (`30d`)."""

    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class AddedBetween:
    """Imported within this time, as `MadeBetween`; also a number of hours before now (`6h`)."""

    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Size:
    """Compares both sides of the image, in pixels; `operator` is one of =, >=, <=, >, <."""

    operator: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """Width to height, within 1 %."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class HasShape:
    shape: Shape


@dataclass(frozen=True, slots=True)
class Is:
    state: State


@dataclass(frozen=True, slots=True)
class Has:
    thing: Thing


Term = Text | NamedValue | Number | MadeBetween | AddedBetween | Size | Ratio | HasShape | Is | Has


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"


Node = Union[Term, All, Any, Not]  # noqa: UP007 - refers to itself


def all_of(parts: Sequence[Node]) -> Node:
    """Every part must match. `parts` is not empty."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, All) else (part,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def any_of(parts: Sequence[Node]) -> Node:
    """At least one part must match. `parts` is not empty."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Any) else (part,))]
    return flat[0] if len(flat) == 1 else Any(tuple(flat))


def negate(part: Node) -> Node:
    return part.part if isinstance(part, Not) else Not(part)


@dataclass(frozen=True, slots=True)
class Sort:
    """`seed` only with RANDOM; None lets the snapshot choose one."""

    by: Order
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class SimilarMeaning:
    """Prompts with a similar meaning to this text."""

    text: str


@dataclass(frozen=True, slots=True)
class SimilarPrompt:
    """Prompts with a similar meaning to the prompt of this image; `uuid` may be a prefix."""

    uuid: str


@dataclass(frozen=True, slots=True)
class LooksLikeText:
    """Images that show what this text describes."""

    text: str


@dataclass(frozen=True, slots=True)
class LooksLikeImage:
    """Images that look similar to this one; `uuid` may be a prefix."""

    uuid: str


Similar = SimilarMeaning | SimilarPrompt | LooksLikeText | LooksLikeImage


@dataclass(frozen=True, slots=True)
class ComputedImages:
    """Ids of images that SQL alone cannot find, computed for one query (search/engine.py).
    `similar` begins with the most similar one; None when the query has no `similar`."""

    similar: tuple[int, ...] | None = None
    duplicates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """`where` is None for all images. With `similar`, the most similar ones of those that match `where` are found.
    `sort` is None for newest (or most similar) first.

    `known` is filled in before evaluation and is ignored in comparisons.
    """

    where: Node | None = None
    sort: Sort | None = None
    similar: Similar | None = None
    known: ComputedImages | None = field(default=None, compare=False, repr=False)

    @property
    def order(self) -> Sort:
        return self.sort or Sort(Order.NEWEST if self.similar is None else Order.SIMILARITY)

    @property
    def parts(self) -> tuple[Node, ...]:
        """The conditions that must all match, one per filter chip in the gallery."""
        if self.where is None:
            return ()
        return self.where.parts if isinstance(self.where, All) else (self.where,)

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(list_terms(self.where)) if self.where is not None else ()


def list_terms(node: Node) -> Iterator[Term]:
    """The terms of a tree, left to right."""
    match node:
        case All(parts) | Any(parts):
            for part in parts:
                yield from list_terms(part)
        case Not(part):
            yield from list_terms(part)
        case _:
            yield node
