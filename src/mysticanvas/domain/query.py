"""A query as a tree: what is looked for, apart from how it is written or found.

Trees are made by `all_of`, `any_of` and `negation`, which keep them in one form: no list in a list of
the same kind, none of one part, no double negation. So equal queries are equal trees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Union


class Field(StrEnum):
    """The fields of the language, as they are written before the colon."""

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


# What people write for the same field.
SYNONYMS = {
    "checkpoint": Field.MODEL,
    "folder": Field.PATH,
    "in": Field.COLLECTION,
    "uuid": Field.ID,
    "similar": Field.LIKE,
    "fav": Field.IS,
    "generator": Field.ENGINE,
    "tool": Field.ENGINE,
    "neg": Field.NEGATIVE,
    "stars": Field.RATING,
    "order": Field.SORT,
}


class State(StrEnum):
    """What an image can be: `is:favourite`."""

    FAVORITE = "favourite"
    MISSING = "missing"
    DAMAGED = "damaged"
    ANIMATED = "animated"
    GRID = "grid"
    DUPLICATE = "duplicate"


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
    """Each is total: what is equal is ordered newest first (in OLDEST, oldest first). MANUAL is the
    person's own order of the first collection that is named; what is not in it comes last. SIMILARITY goes
    only with something to be similar to, and is then the order unless another is named."""

    NEWEST = "newest"
    OLDEST = "oldest"
    RATING = "rating"
    RANDOM = "random"
    RELEVANCE = "relevance"
    SIZE = "size"
    NAME = "name"
    MANUAL = "manual"
    SIMILARITY = "similarity"


@dataclass(frozen=True, slots=True)
class Text:
    """Words next to each other in this order; one word is a phrase of one. `field` is PROMPT,
    NEGATIVE or NOTES; None looks in all three."""

    text: str
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, None is open; the ends belong to it unless they are left out."""

    low: float | None = None
    high: float | None = None
    without_low: bool = False
    without_high: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A model, tag, collection, sampler, engine, folder, seed or uuid of this name; `*` in it stands for anything.
    `weight` only for a LoRA or embedding."""

    field: Field
    value: str
    weight: Interval | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """RATING, STEPS, CFG, MP (millions of pixels) or EXPLICIT (0 to 1) within an interval. An unknown value is in
    none."""

    field: Field
    interval: Interval


@dataclass(frozen=True, slots=True)
class Made:
    """Made from the begin of `first` to the end of `last`, in local time; None is open. Each is a year,
    month, day (2026, 2026-08, 2026-08-22), `today`, `yesterday` or the last days (`30d`)."""

    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Size:
    """Both sides of the picture against these pixels; `operator` is one of =, >=, <=, >, <."""

    operator: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """Width to height, within a hundredth."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Shaped:
    shape: Shape


@dataclass(frozen=True, slots=True)
class Is:
    state: State


@dataclass(frozen=True, slots=True)
class Has:
    thing: Thing


Term = Text | Named | Number | Made | Size | Ratio | Shaped | Is | Has


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
    """Every part must hold; there is at least one."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, All) else (part,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def any_of(parts: Sequence[Node]) -> Node:
    """One part must hold; there is at least one."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Any) else (part,))]
    return flat[0] if len(flat) == 1 else Any(tuple(flat))


def negation(part: Node) -> Node:
    return part.part if isinstance(part, Not) else Not(part)


@dataclass(frozen=True, slots=True)
class Sort:
    """`seed` only with RANDOM; None lets the snapshot choose one."""

    by: Order
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """Prompts that mean what these words mean."""

    text: str


@dataclass(frozen=True, slots=True)
class LikeImage:
    """Prompts that mean what the prompt of this image means; `uuid` or its beginning."""

    uuid: str


@dataclass(frozen=True, slots=True)
class Looks:
    """Pictures that show what these words say."""

    text: str


@dataclass(frozen=True, slots=True)
class LooksLike:
    """Pictures that look like this image; `uuid` or its beginning."""

    uuid: str


Similar = Meaning | LikeImage | Looks | LooksLike


@dataclass(frozen=True, slots=True)
class Known:
    """What no table of the database says, found out for one query (search/engine.py): ids of images.
    `similar` begins with the most similar one; None where nothing is to be similar."""

    similar: tuple[int, ...] | None = None
    duplicates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What must hold, None for everything; what the images are to be similar to: of those that hold, the
    most similar ones are found; and the order, None for newest (or most similar) first.

    `known` is no part of what is asked.
    """

    where: Node | None = None
    sort: Sort | None = None
    similar: Similar | None = None
    known: Known | None = field(default=None, compare=False, repr=False)

    @property
    def order(self) -> Sort:
        return self.sort or Sort(Order.NEWEST if self.similar is None else Order.SIMILARITY)

    @property
    def parts(self) -> tuple[Node, ...]:
        """What must hold, each on its own: the chips of the gallery."""
        if self.where is None:
            return ()
        return self.where.parts if isinstance(self.where, All) else (self.where,)

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(leaves(self.where)) if self.where is not None else ()


def leaves(node: Node) -> Iterator[Term]:
    """The terms of a tree, left to right."""
    match node:
        case All(parts) | Any(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield node
