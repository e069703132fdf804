"""The state of the index: columns, lists and caches of one library.

Not thread-safe; `index.py` holds the lock. A mask is a Boolean per position.
"""

import heapq
import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images.word_index import Phrase
from mysticanvas.domain.generation import BEFORE_ALL_IDS
from mysticanvas.search import index_loader
from mysticanvas.search.columns import Lists, Mask, Positions, grow, resize
from mysticanvas.search.id_order import IdOrder
from mysticanvas.search.image_columns import ImageColumns
from mysticanvas.search.index_caches import Caches, build_bitmap
from mysticanvas.search.index_loader import Images, Links

Ids = NDArray[np.int64]
# The bitmaps of the most common tags are cached from the start, because every facet counts them.
COMMON_TAGS = 512
# They are built in batches to limit memory.
TAGS_AT_ONCE = 64


_epochs = itertools.count(1)


class IndexState:
    """`epoch` identifies this assignment of positions."""

    def __init__(self) -> None:
        self.epoch = next(_epochs)
        self.columns = ImageColumns()
        self.alive = np.zeros(0, np.bool_)
        self.alive_count = 0
        self.tag_lists = Lists(weighted=False)
        self.model_lists = Lists(weighted=True)
        self._ids = IdOrder()
        self._caches = Caches()

    # -- building -----------------------------------------------------------------------------

    @classmethod
    def load(cls, tx: ReadTx) -> "IndexState":
        """Load all images of the library."""
        state = cls()
        state._reserve(*index_loader.count_rows(tx))
        after = BEFORE_ALL_IDS
        while len(run := index_loader.read_next_images(tx, after=after)):
            last = int(run.numbers["id"][-1])
            positions = state._append(run)
            state._link(positions, run.numbers["id"], index_loader.read_tags_between(tx, after + 1, last),
                        index_loader.read_uses_between(tx, after + 1, last))  # fmt: skip
            after = last
        state._keep_most_common_tags()
        return state

    def _keep_most_common_tags(self) -> None:
        common = self.tag_lists.most_common(COMMON_TAGS)
        for begin in range(0, len(common), TAGS_AT_ONCE):
            for tag, positions in self.tag_lists.find_with_each(common[begin : begin + TAGS_AT_ONCE]).items():
                self._caches.postings["tag", tag] = build_bitmap(positions)

    def _reserve(self, images: int, tags: int, uses: int) -> None:
        self.columns.reserve(images)
        self.alive = resize(self.alive, images)
        self._ids.reserve(images)
        self.tag_lists.reserve(tags, images)
        self.model_lists.reserve(uses, images)

    def _append(self, images: Images) -> Positions:
        """Add new images. Their IDs must ascend."""
        positions = self._ids.append(images.numbers["id"])
        self.columns.extend(self.columns.rows_of(images, positions))
        self.alive = grow(self.alive, self.columns.count)
        self.alive[positions] = True
        self.alive_count += len(images)
        self._caches.name_ranks = None
        return positions

    def _link(self, positions: Positions, ids: Ids, tags: Links, uses: Links) -> None:
        """Add tags and models to images that have none. `ids` ascend, parallel to the positions."""
        if len(tags.images):
            self._extend(self.tag_lists, positions, ids, tags)
        if len(uses.images):
            self._extend(self.model_lists, positions, ids, uses)

    @staticmethod
    def _extend(lists: Lists, positions: Positions, ids: Ids, links: Links) -> None:
        """Add links to the lists. Links of images that are not in `ids` are skipped."""
        at = np.searchsorted(ids, links.images)
        live = ids[np.minimum(at, len(ids) - 1)] == links.images
        owners = positions[at[live]].astype(np.int32)
        weights = None if links.weights is None else links.weights[live]
        lists.extend(owners, links.codes[live].astype(np.int32), weights)

    # -- updates ------------------------------------------------------------------------------

    def update(self, tx: ReadTx, ids: Sequence[int]) -> None:
        """Read images again that were added, changed or removed."""
        changed = np.unique(np.array(ids, np.int64))
        images = index_loader.read_images(tx, changed.tolist())
        live = images.numbers["id"]
        known = self.positions_of(changed)
        old = known[known >= 0]
        if not self.alive[old].all():
            # A restored image has no rank by name.
            self._caches.name_ranks = None
        self._forget(old)
        self._revive_and_replace(images)
        positions = self.positions_of(live)
        tags, uses = index_loader.read_tags(tx, live.tolist()), index_loader.read_uses(tx, live.tolist())
        self._link(positions, live, tags, uses)
        self._caches.update(tx, positions, live, {"tag": tags, "model": uses})
        self.tag_lists.compact()
        self.model_lists.compact()

    def _forget(self, positions: Positions) -> None:
        """Remove the images with their tags and models."""
        self.alive_count -= int(np.count_nonzero(self.alive[positions]))
        self.alive[positions] = False
        for kind, lists in (("tag", self.tag_lists), ("model", self.model_lists)):
            self._caches.remove_postings(kind, set(lists.give_up(positions)), positions)

    def _revive_and_replace(self, images: Images) -> None:
        """Replace known images and append new ones."""
        positions = self.positions_of(images.numbers["id"])
        is_new = positions < 0
        if not is_new.all():
            here = _select_images(images, ~is_new)
            at = positions[~is_new]
            rows = self.columns.rows_of(here, at)
            if (self.columns["name"][at] != rows["name"]).any():
                self._caches.name_ranks = None
            self.columns.replace(at, rows)
            self.alive[at] = True
            self.alive_count += len(at)
        if is_new.any():
            self._append(_select_images(images, is_new))

    def forget_collections(self, collections: Iterable[int]) -> None:
        """Drop the cached results of collections whose images changed."""
        self._caches.forget_collections(collections)

    # -- lookups ------------------------------------------------------------------------------

    def positions_of(self, ids: Ids) -> Positions:
        """The positions, parallel to `ids`; -1 for an unknown ID. The image may have been removed: see `alive`."""
        return self._ids.positions_of(ids)

    def ids_ascending(self, mask: Mask, positions: Positions) -> tuple[Ids, Positions]:
        """The IDs of a mask, ascending, and their positions. `positions` are the positions in the mask."""
        if len(positions) * 16 < self.columns.count:
            ids = self.columns["id"][positions]
            by_id = np.argsort(ids)
            return ids[by_id], positions[by_id]
        return self._ids.in_order(mask, positions)

    def between(self, first: int | None, until: int | None) -> Mask:
        """The images with `first` <= ID < `until`; None for an open end."""
        return self._ids.between(first, until)

    def with_words(self, tx: ReadTx, phrase: Phrase) -> BitMap:
        return self._caches.words.of(phrase, lambda: self._drop_unknown(index_loader.find_words(tx, phrase.match)))

    def knows_words(self, phrase: Phrase) -> bool:
        return phrase in self._caches.words

    def with_tag(self, tag: int) -> BitMap:
        return self._caches.postings.of(("tag", tag), lambda: self.tag_lists.find_with(tag)[0])

    def in_collection(self, tx: ReadTx, collection: int) -> BitMap:
        return self._caches.collections.of(
            collection, lambda: self._drop_unknown(index_loader.read_collection(tx, collection))
        )

    def with_model(self, role: str, model: int) -> BitMap:
        code = index_loader.encode_model(role, model)
        return self._caches.postings.of(("model", code), lambda: self.model_lists.find_with(code)[0])

    def _drop_unknown(self, ids: Ids) -> Positions:
        positions = self.positions_of(ids)
        return positions[positions >= 0]

    def most_used_tags(self, mask: Mask, positions: Positions, most: int) -> dict[int, int] | None:
        """The counts of at least the `most` most used tags of these images; None if counting all tags is faster.

        Counts from the most common tag of the library down, until a tag is too rare to be in the result.
        """
        lists = self.tag_lists
        if most < 1 or len(positions) == self.alive_count or lists.are_few(positions, self.alive_count):
            return None
        counts: dict[int, int] = {}
        best: list[int] = []
        common = lists.most_common(COMMON_TAGS)
        for tag in common:
            if len(best) == most and lists.total(tag) < best[0]:
                return counts
            counts[tag] = int(np.count_nonzero(mask[np.frombuffer(self.with_tag(tag).to_array(), np.uint32)]))
            heapq.heappush(best, counts[tag])
            if len(best) > most:
                heapq.heappop(best)
        return counts if len(common) < COMMON_TAGS else None

    def name_ranks(self, tx: ReadTx) -> NDArray[np.int64]:
        """The rank of the image by file name, by position. Names would use too much memory, so SQLite sorts them; the
        ranks are cached until a name changes."""
        ranks = self._caches.name_ranks
        if ranks is None:
            ranks = np.zeros(self.columns.count, np.int64)
            ids = index_loader.read_name_order(tx)
            at = self.positions_of(ids)
            ranks[at[at >= 0]] = np.flatnonzero(at >= 0)
            self._caches.name_ranks = ranks
        return ranks

    def forget(self) -> None:
        """Drop all cached results, as after loading."""
        self._caches.forget_bitmaps()
        self._keep_most_common_tags()

    @property
    def bytes(self) -> int:
        lists = self.tag_lists.bytes + self.model_lists.bytes
        return self.alive.nbytes + self._ids.bytes + self.columns.bytes + lists


def _select_images(images: Images, chosen: Mask) -> Images:
    return Images(
        {name: column[chosen] for name, column in images.numbers.items()},
        {name: column[chosen] for name, column in images.fractions.items()},
        {name: [t for t, c in zip(texts, chosen.tolist(), strict=True) if c] for name, texts in images.texts.items()},
    )
