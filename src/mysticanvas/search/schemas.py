"""The responses of the routes for search results."""

from dataclasses import dataclass
from typing import Any

from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.query import Order
from mysticanvas.search.autocomplete import Completion, Offer
from mysticanvas.search.facets import FacetValue
from mysticanvas.search.paging import ImageSummary
from mysticanvas.search.statistics import Statistics, WordCount
from mysticanvas.search.timeline import Section

UUID = "0b7c2d4e-5f60-4a1b-9c3d-2e4f6a8b0c1d"
THUMB = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
TOKEN = "hV3kPq0dYw1sTn8z"
CREATED_MS = 1_787_400_000_000


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A term of a search. `text` is the term as the query language writes it. `field` is "text" for words and "any"
    for a group; `value` is the text after the colon."""

    text: str
    field: str
    value: str
    negated: bool


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A value that no image has: its term `text`, and in `suggestion` the term with the most similar existing value."""

    field: str
    value: str
    text: str
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class SearchSnapshot:
    """The stored result of a search, which does not change while images arrive. `snapshot` is its ID in other
    requests. `q` is the search in normal form, and `query` its syntax tree. `sections` are the days of the result, or
    blocks of images for other sort orders. `filters` and `words` are the terms of the search."""

    snapshot: str
    q: str
    total: int
    sections: list[Section]
    filters: list[QueryTerm]
    words: list[QueryTerm]
    sort: Order
    query: dict[str, Any]
    unknown: list[UnknownName]


@dataclass(frozen=True, slots=True)
class SnapshotItems:
    """Images of a snapshot as parallel columns, from the index `start` on. An image that was removed since the
    snapshot was opened is null in every column. `thumb` is the name of the thumbnails, and null if there are none.
    `color` is the average color as 0xRRGGBB, and `timestamp` the creation time in milliseconds. `flags` has bit 1 for
    an image without its file, bit 2 for a damaged file, bit 4 for an animation and bit 8 for a file that is too large.
    `explicit` is the NSFW score from 0 to 1, and null for an image that was not analyzed."""

    start: int
    uuid: list[str | None]
    thumb: list[str | None]
    color: list[int | None]
    favorite: list[int | None]
    rating: list[int | None]
    flags: list[int | None]
    width: list[int | None]
    height: list[int | None]
    timestamp: list[int | None]
    prompt: list[str | None]
    explicit: list[float | None]


@dataclass(frozen=True, slots=True)
class SnapshotPosition:
    """The index of an image in a snapshot; null if the snapshot does not contain it."""

    index: int | None


@dataclass(frozen=True, slots=True)
class ImageCount:
    count: int


@dataclass(frozen=True, slots=True)
class Highlights:
    """Where the words of a search occur: pairs [from, to) in characters, in order."""

    prompt: list[tuple[int, int]]
    negative_prompt: list[tuple[int, int]]
    notes: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class FacetValues:
    """The values of one field, most used first."""

    values: list[FacetValue]


@dataclass(frozen=True, slots=True)
class Facets:
    """The values of several fields, most used first."""

    facets: dict[str, list[FacetValue]]


@dataclass(frozen=True, slots=True)
class ImagePage:
    """Images in the order of the search. `total` counts all matches. `next` is the `after` of the next page; null on
    the last page."""

    total: int
    items: list[ImageSummary]
    next: int | None


_VALUE = FacetValue("dreamer_v1", 812, "model:dreamer_v1")
EXAMPLE_SNAPSHOT = SearchSnapshot(
    snapshot=TOKEN,
    q="lighthouse rating:5",
    total=2,
    sections=[Section("2026-08-22", 0, 2)],
    filters=[QueryTerm("rating:5", "rating", "5", negated=False)],
    words=[QueryTerm("lighthouse", "text", "lighthouse", negated=False)],
    sort=Order.NEWEST,
    query={"version": 1, "where": {"text": {"text": "lighthouse"}}},
    unknown=[],
)
EXAMPLE_ITEMS = SnapshotItems(
    start=0,
    uuid=[UUID],
    thumb=[THUMB],
    color=[0x4A3B7C],
    favorite=[1],
    rating=[5],
    flags=[0],
    width=[832],
    height=[1216],
    timestamp=[CREATED_MS],
    prompt=["a lighthouse in a violet storm"],
    explicit=[None],
)
EXAMPLE_HIGHLIGHTS = Highlights(prompt=[(2, 12)], negative_prompt=[], notes=[])
EXAMPLE_VALUES = FacetValues([_VALUE])
EXAMPLE_FACETS = Facets({"model": [_VALUE]})
EXAMPLE_COMPLETION = Completion(0, 6, stands=False, offers=[Offer("model:dreamer_v1", "dreamer_v1", 812)])
EXAMPLE_STATISTICS = Statistics(
    total=812,
    months=[FacetValue("2026-08", 812, "date:2026-08")],
    models=[_VALUE],
    loras=[],
    samplers=[FacetValue("Euler a", 800, 'sampler:"Euler a"')],
    engines=[],
    sizes=[FacetValue("832x1216", 700, "size:832x1216")],
    ratings=[FacetValue("5", 12, "rating:5")],
    tags=[],
    words=[WordCount("lighthouse", 240)],
    words_of=812,
)
EXAMPLE_PAGE = ImagePage(
    total=812,
    items=[
        ImageSummary(
            id=GenerationId(134_414_080_000),
            uuid=UUID,
            path="/home/you/images/lighthouse.png",
            timestamp=CREATED_MS,
            prompt="a lighthouse in a violet storm",
            thumb=THUMB,
            favorite=True,
            rating=5,
        )
    ],
    next=134_414_080_000,
)
