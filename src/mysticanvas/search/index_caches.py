"""Cached results of an index: bitmaps of words, tags, models and collections, and the order by file name.

When images change, each cache is either updated or dropped and rebuilt on the next request.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images import word_index
from mysticanvas.db.images.word_index import Phrase
from mysticanvas.search import index_loader
from mysticanvas.search.columns import Positions
from mysticanvas.search.index_loader import Links

Ids = NDArray[np.int64]
# How many bitmaps of each kind are cached; each uses some kilobytes.
WORDS_KEPT = 256
POSTINGS_KEPT = 1_024
COLLECTIONS_KEPT = 256
# Above this number of changed images, the bitmaps of words are dropped instead of updated.
WORDS_CHECKED = 2_000

K = TypeVar("K")


class Bitmaps(OrderedDict[K, BitMap], Generic[K]):
    """An LRU cache of at most `limit` bitmaps."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def of(self, key: K, make: Callable[[], Positions]) -> BitMap:
        """The bitmap of the key. If it is not cached, `make` provides its positions."""
        bitmap = self.get(key)
        if bitmap is None:
            bitmap = self[key] = build_bitmap(make())
            if len(self) > self._limit:
                self.popitem(last=False)
        self.move_to_end(key)
        return bitmap


class Caches:
    """The key of a posting is "tag" or "model" and a code as in `index_loader.Links`. `name_ranks` is, by position, the
    rank of the image by file name; None if not cached."""

    def __init__(self) -> None:
        self.words: Bitmaps[Phrase] = Bitmaps(WORDS_KEPT)
        self.postings: Bitmaps[tuple[str, int]] = Bitmaps(POSTINGS_KEPT)
        self.collections: Bitmaps[int] = Bitmaps(COLLECTIONS_KEPT)
        self.name_ranks: NDArray[np.int64] | None = None

    def forget_bitmaps(self) -> None:
        self.words.clear()
        self.postings.clear()
        self.collections.clear()

    def forget_collections(self, collections: Iterable[int]) -> None:
        """Drop collections whose images changed."""
        for collection in collections:
            self.collections.pop(collection, None)

    def remove_postings(self, kind: str, codes: Iterable[int], positions: Positions) -> None:
        """Remove the images from the postings of these codes."""
        gone = build_bitmap(positions)
        for code in codes:
            bitmap = self.postings.get((kind, code))
            if bitmap is not None:
                bitmap -= gone

    def update(self, tx: ReadTx, positions: Positions, ids: Ids, links: dict[str, Links]) -> None:
        """Update for live images that were read again. `links` are theirs by kind of posting."""
        self._update_postings(positions, ids, links)
        self._update_collections(tx, positions, ids)
        self._update_words(tx, positions, ids)

    def _update_postings(self, positions: Positions, ids: Ids, links: dict[str, Links]) -> None:
        place = dict(zip(ids.tolist(), positions.tolist(), strict=True))
        for kind, some in links.items():
            for image, code in zip(some.images.tolist(), some.codes.tolist(), strict=True):
                bitmap = self.postings.get((kind, code))
                if bitmap is not None and image in place:
                    bitmap.add(place[image])

    def _update_collections(self, tx: ReadTx, positions: Positions, ids: Ids) -> None:
        """A restored image may have been added to collections before it had a position."""
        if not self.collections or not len(ids):
            return
        place = dict(zip(ids.tolist(), positions.tolist(), strict=True))
        updated = build_bitmap(positions)
        for bitmap in self.collections.values():
            bitmap -= updated
        for image, collection in index_loader.list_memberships(tx, ids.tolist()):
            if collection in self.collections:
                self.collections[collection].add(place[image])

    def _update_words(self, tx: ReadTx, positions: Positions, ids: Ids) -> None:
        """Match the same words as FTS5."""
        if len(ids) > WORDS_CHECKED:
            self.words.clear()
        if not self.words or not len(ids):
            return
        texts = word_index.read_words(tx, ids.tolist())
        for position, image in zip(positions.tolist(), ids.tolist(), strict=True):
            for phrase, bitmap in self.words.items():
                if image in texts and phrase.is_in(texts[image]):
                    bitmap.add(position)
                else:
                    bitmap.discard(position)


def build_bitmap(positions: Positions) -> BitMap:
    return BitMap(positions.astype(np.uint32))
