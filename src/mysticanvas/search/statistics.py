"""Statistics of the matches of a query, for the statistics page."""

import json
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.query import Field, Order, Query, Sort
from mysticanvas.domain.text import split_words
from mysticanvas.search.engine import Finder
from mysticanvas.search.facets import FacetValue

MOST = 25
MONTHS = 1_200
WORDS = 60
# Words are counted in at most this number of images: exact up to it, an evenly spread sample above it.
WORDS_READ_IN = 4_000
READ_LIMIT_MS = 5_000
# Frequent words without meaning.
_DULL = frozenset(
    ("a", "an", "and", "at", "by", "for", "from", "her", "his", "in", "is", "it", "its", "no", "of", "on", "or", "the",
     "to", "with")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WordCount:
    word: str
    count: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """`words` are counts of images, in a sample of `words_of` images. `months` are oldest first."""

    total: int
    months: list[FacetValue]
    models: list[FacetValue]
    loras: list[FacetValue]
    samplers: list[FacetValue]
    engines: list[FacetValue]
    sizes: list[FacetValue]
    ratings: list[FacetValue]
    tags: list[FacetValue]
    words: list[WordCount]
    words_of: int


def compute_statistics(database: Database, finder: Finder, asked: Query) -> Statistics:
    query = finder.prepare(asked)
    fields = (Field.MODEL, Field.LORA, Field.SAMPLER, Field.ENGINE, Field.SIZE, Field.RATING, Field.TAG)
    counts = finder.facets(query, fields, limit=MOST)
    months = finder.facets(query, [Field.DATE], limit=MONTHS)[Field.DATE]
    ids = finder.all(replace(query, sort=Sort(Order.NEWEST))).ids
    step = max(1, -(-len(ids) // WORDS_READ_IN))
    sample = np.ascontiguousarray(ids[::step]).tolist()
    found = database.read_within(READ_LIMIT_MS, _count_words, sample)
    return Statistics(
        total=len(ids),
        months=months[::-1],
        models=counts[Field.MODEL],
        loras=counts[Field.LORA],
        samplers=counts[Field.SAMPLER],
        engines=counts[Field.ENGINE],
        sizes=counts[Field.SIZE],
        ratings=counts[Field.RATING],
        tags=counts[Field.TAG],
        words=found,
        words_of=len(sample),
    )


def _count_words(tx: ReadTx, images: list[int]) -> list[WordCount]:
    counts: Counter[str] = Counter()
    rows = tx.rows(
        "SELECT g.prompt FROM json_each(:images) AS wanted JOIN generations AS g ON g.id = wanted.value",
        images=json.dumps(images),
    )
    for (prompt,) in rows:
        counts.update({word for word in split_words(prompt or "") if _is_significant(word)})
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [WordCount(word, count) for word, count in best[:WORDS]]


def _is_significant(word: str) -> bool:
    """Whether the word is not a number, a single letter or a frequent word."""
    return not word.isdecimal() and word not in _DULL and (len(word) > 1 or not word.isascii())
