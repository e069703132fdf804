"""What an index keeps of former questions: bitmaps of words, tags, models and collections, and the order of names.

Each follows the images that change, or is forgotten and made anew when it is next asked for.
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
# Of each kind, those that were asked for last; some kilobytes each.
WORDS_KEPT = 256
POSTINGS_KEPT = 1_024
COLLECTIONS_KEPT = 256
# Past so many images at once, words are read anew when they are next asked for.
WORDS_CHECKED = 2_000

K = TypeVar("K")


class Bitmaps(OrderedDict[K, BitMap], Generic[K]):
    """At most `limit`; the one that was asked for longest ago goes first."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def of(self, key: K, make: Callable[[], Positions]) -> BitMap:
        """`make` finds the positions of a bitmap that is not kept."""
        bitmap = self.get(key)
        if bitmap is None:
            bitmap = self[key] = bitmap_of(make())
            if len(self) > self._limit:
                self.popitem(last=False)
        self.move_to_end(key)
        return bitmap


class Caches:
    """The key of a posting is "tag" or "model", and a code as in `index_loader.Links`. `name_ranks`: by
    position, the place of the image among all by the name of its file; None until it is asked for."""

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
        """They have other images now; they are read anew when they are next asked for."""
        for collection in collections:
            self.collections.pop(collection, None)

    def remove_postings(self, kind: str, codes: Iterable[int], positions: Positions) -> None:
        """The images have the codes no longer."""
        gone = bitmap_of(positions)
        for code in codes:
            bitmap = self.postings.get((kind, code))
            if bitmap is not None:
                bitmap -= gone

    def follow(self, tx: ReadTx, positions: Positions, ids: Ids, links: dict[str, Links]) -> None:
        """Some live images were read anew, with their links of each kind of posting."""
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
        """An image that comes back may have been in them before it had a position."""
        if not self.collections or not len(ids):
            return
        place = dict(zip(ids.tolist(), positions.tolist(), strict=True))
        known = bitmap_of(positions)
        for bitmap in self.collections.values():
            bitmap -= known
        for image, collection in index_loader.collected(tx, ids.tolist()):
            if collection in self.collections:
                self.collections[collection].add(place[image])

    def _update_words(self, tx: ReadTx, positions: Positions, ids: Ids) -> None:
        """By the same words as FTS5 has."""
        if len(ids) > WORDS_CHECKED:
            self.words.clear()
        if not self.words or not len(ids):
            return
        texts = word_index.texts_of(tx, ids.tolist())
        for position, image in zip(positions.tolist(), ids.tolist(), strict=True):
            for phrase, bitmap in self.words.items():
                if image in texts and phrase.is_in(texts[image]):
                    bitmap.add(position)
                else:
                    bitmap.discard(position)


def bitmap_of(positions: Positions) -> BitMap:
    return BitMap(positions.astype(np.uint32))
