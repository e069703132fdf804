"""The index itself: columns, lists and kept bitmaps of one library, at one moment.

Not thread-safe; `index.py` holds the lock. A mask says for each position whether its image is in.
"""

import heapq
import itertools
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images import word_index
from mysticanvas.db.images.word_index import Phrase
from mysticanvas.search import index_loader
from mysticanvas.search.columns import Codes, Columns, Lists, Mask, Positions, grown, sized
from mysticanvas.search.index_loader import Images, Links

Ids = NDArray[np.int64]
# Bitmaps of words, tags and models that were asked for last; some kilobytes each.
WORDS_KEPT = 256
POSTINGS_KEPT = 1_024
COLLECTIONS_KEPT = 256
# Bitmaps of so many tags are made at once: they are counted in every facet.
COMMON_TAGS = 512
# A reading for so many of them holds the memory down.
TAGS_AT_ONCE = 64
# Past so many images at once, words are read anew when they are next asked for.
WORDS_CHECKED = 2_000
_UNKNOWN_SEED = 0


_epochs = itertools.count(1)


class State:
    """`epoch` names this numbering of positions."""

    def __init__(self) -> None:
        self.epoch = next(_epochs)
        self.columns = Columns()
        self.alive = np.zeros(0, np.bool_)
        self.alive_count = 0
        self.samplers: Codes[str | None] = Codes()
        self.engines: Codes[str | None] = Codes()
        self.folders: Codes[tuple[int, str]] = Codes()
        self.sizes: Codes[tuple[int, int]] = Codes()
        self.tag_lists = Lists(weighted=False)
        self.model_lists = Lists(weighted=True)
        self._ids_in_order = np.zeros(0, np.int64)
        self._order = np.zeros(0, np.int64)
        # Whether every image has come after all that are older, as in a new index.
        self._in_order = True
        self._name_ranks: NDArray[np.int64] | None = None
        self._wide_seeds: dict[int, str] = {}
        self._words: OrderedDict[Phrase, BitMap] = OrderedDict()
        self._postings: OrderedDict[tuple[str, int], BitMap] = OrderedDict()
        self._collections: OrderedDict[int, BitMap] = OrderedDict()

    # -- building -----------------------------------------------------------------------------

    @classmethod
    def of(cls, tx: ReadTx) -> "State":
        """All of the library."""
        state = cls()
        state._reserve(*index_loader.counts(tx))
        after = 0
        while len(run := index_loader.run_of_images(tx, after=after)):
            last = int(run.numbers["id"][-1])
            positions = state._append(run)
            state._link(positions, run.numbers["id"], index_loader.tags_between(tx, after + 1, last),
                        index_loader.uses_between(tx, after + 1, last))  # fmt: skip
            after = last
        state._keep_most_common_tags()
        return state

    def _keep_most_common_tags(self) -> None:
        common = self.tag_lists.most_common(COMMON_TAGS)
        for begin in range(0, len(common), TAGS_AT_ONCE):
            for tag, positions in self.tag_lists.having_each(common[begin : begin + TAGS_AT_ONCE]).items():
                self._postings["tag", tag] = BitMap(positions.astype(np.uint32))

    def _reserve(self, images: int, tags: int, uses: int) -> None:
        self.columns.reserve(images)
        self.alive = sized(self.alive, images)
        self._ids_in_order, self._order = sized(self._ids_in_order, images), sized(self._order, images)
        self.tag_lists.reserve(tags, images)
        self.model_lists.reserve(uses, images)

    def _append(self, images: Images) -> Positions:
        """New images, whose ids ascend."""
        first = self.columns.count
        self.columns.extend(self._kept(images, first))
        positions = np.arange(first, self.columns.count)
        self.alive = grown(self.alive, self.columns.count)
        self.alive[first : self.columns.count] = True
        self.alive_count += len(images)
        self._put_in_order(images.numbers["id"], positions)
        self._name_ranks = None
        return positions

    def _put_in_order(self, ids: Ids, positions: Positions) -> None:
        first, count = self.columns.count - len(ids), self.columns.count
        if len(ids) and first and ids[0] < self._ids_in_order[first - 1]:
            self._in_order = False
            at = np.searchsorted(self._ids_in_order[:first], ids)
            self._ids_in_order = np.insert(self._ids_in_order[:first], at, ids)
            self._order = np.insert(self._order[:first], at, positions)
            return
        self._ids_in_order = grown(self._ids_in_order, count)
        self._order = grown(self._order, count)
        self._ids_in_order[first:count] = ids
        self._order[first:count] = positions

    @property
    def sorted_ids(self) -> Ids:
        """Of all images that were ever there, ascending."""
        return self._ids_in_order[: self.columns.count]

    @property
    def order(self) -> Positions:
        """Parallel to `sorted_ids`."""
        return self._order[: self.columns.count]

    def _kept(self, images: Images, positions: int | Positions) -> dict[str, NDArray[Any]]:
        """Images as they stand in the columns."""
        numbers = images.numbers
        sizes = zip(numbers["width"].tolist(), numbers["height"].tolist(), strict=True)
        folders = zip(numbers["root"].tolist(), images.texts["path"], strict=True)
        at = np.arange(positions, positions + len(images)) if isinstance(positions, int) else positions
        return {name: numbers[name] for name in ("id", "ratio_milli", "favorite", "rating", "flags", "model", "steps",
                                                 "has")} | {
            **images.fractions,
            "seed": self._seeds(images.texts["seed"], at),
            "sampler": self.samplers.of_all(images.texts["sampler"]),
            "engine": self.engines.of_all(images.texts["engine"]),
            "folder": self.folders.of_all((root, (path or "").rpartition("/")[0]) for root, path in folders),
            "size": self.sizes.of_all(sizes),
            "name": np.array([zlib.crc32((path or "").encode()) for path in images.texts["path"]], np.uint32),
        }  # fmt: skip

    def _seeds(self, seeds: list[str | None], positions: Positions) -> NDArray[np.uint64]:
        """Whole numbers up to 64 bits; what is longer, or no number, is kept beside."""
        narrow = [int(s) if s is not None and s.isdecimal() and len(s) < 20 else _UNKNOWN_SEED for s in seeds]
        for position, seed, number in zip(positions.tolist(), seeds, narrow, strict=True):
            if seed is not None and str(number) != seed:
                self._wide_seeds[position] = seed
            elif self._wide_seeds:
                self._wide_seeds.pop(position, None)
        return np.array(narrow, np.uint64)

    def _link(self, positions: Positions, ids: Ids, tags: Links, uses: Links) -> None:
        """The tags and models of images without any. `ids` ascend, parallel to the positions."""
        if len(tags.images):
            self._extend(self.tag_lists, positions, ids, tags)
        if len(uses.images):
            self._extend(self.model_lists, positions, ids, uses)

    @staticmethod
    def _extend(lists: Lists, positions: Positions, ids: Ids, links: Links) -> None:
        """What belongs to an image that is not live is left out."""
        at = np.searchsorted(ids, links.images)
        live = ids[np.minimum(at, len(ids) - 1)] == links.images
        owners = positions[at[live]].astype(np.int32)
        weights = None if links.weights is None else links.weights[live]
        lists.extend(owners, links.codes[live].astype(np.int32), weights)

    # -- following edits ----------------------------------------------------------------------

    def follow(self, tx: ReadTx, ids: Sequence[int]) -> None:
        """Read these images anew: added, changed or gone."""
        wanted = np.unique(np.array(ids, np.int64))
        images = index_loader.images(tx, wanted.tolist())
        live = images.numbers["id"]
        known = self.positions_of(wanted)
        old = known[known >= 0]
        if not self.alive[old].all():
            # Whoever comes back had no place among the names.
            self._name_ranks = None
        self._forget(old)
        self._revive_and_replace(images)
        positions = self.positions_of(live)
        tags, uses = index_loader.tags(tx, live.tolist()), index_loader.uses(tx, live.tolist())
        self._link(positions, live, tags, uses)
        self._repost(positions, live, tags, uses)
        self._recollect(tx, positions, live)
        self._check_words(tx, positions, live)
        self.tag_lists.compact()
        self.model_lists.compact()

    def _forget(self, positions: Positions) -> None:
        """As if the images were gone, with their tags and models."""
        self.alive_count -= int(np.count_nonzero(self.alive[positions]))
        self.alive[positions] = False
        gone = BitMap(positions.astype(np.uint32))
        for kind, lists in (("tag", self.tag_lists), ("model", self.model_lists)):
            for code in set(lists.give_up(positions)):
                bitmap = self._postings.get((kind, code))
                if bitmap is not None:
                    bitmap -= gone

    def _revive_and_replace(self, images: Images) -> None:
        """Known images are written over, new ones appended."""
        positions = self.positions_of(images.numbers["id"])
        is_new = positions < 0
        if not is_new.all():
            here = _part(images, ~is_new)
            at = positions[~is_new]
            kept = self._kept(here, at)
            if (self.columns["name"][at] != kept["name"]).any():
                self._name_ranks = None
            self.columns.replace(at, kept)
            self.alive[at] = True
            self.alive_count += len(at)
        if is_new.any():
            self._append(_part(images, is_new))

    def _repost(self, positions: Positions, ids: Ids, tags: Links, uses: Links) -> None:
        """Kept bitmaps of tags and models learn of the images."""
        place = dict(zip(ids.tolist(), positions.tolist(), strict=True))
        for kind, links in (("tag", tags), ("model", uses)):
            for image, code in zip(links.images.tolist(), links.codes.tolist(), strict=True):
                bitmap = self._postings.get((kind, code))
                if bitmap is not None and image in place:
                    bitmap.add(place[image])

    def _recollect(self, tx: ReadTx, positions: Positions, ids: Ids) -> None:
        """Kept bitmaps of collections learn of the images: one that comes back may have been in them before
        it had a position."""
        if not self._collections or not len(ids):
            return
        place = dict(zip(ids.tolist(), positions.tolist(), strict=True))
        known = BitMap(positions.astype(np.uint32))
        for bitmap in self._collections.values():
            bitmap -= known
        for image, collection in index_loader.collected(tx, ids.tolist()):
            if collection in self._collections:
                self._collections[collection].add(place[image])

    def forget_collections(self, collections: Iterable[int]) -> None:
        """They have other images now; they are read anew when they are next asked for."""
        for collection in collections:
            self._collections.pop(collection, None)

    def _check_words(self, tx: ReadTx, positions: Positions, ids: Ids) -> None:
        """Kept bitmaps of words learn of the images, by the same words as FTS5 has."""
        if len(ids) > WORDS_CHECKED:
            self._words.clear()
        if not self._words or not len(ids):
            return
        texts = word_index.texts_of(tx, ids.tolist())
        for position, image in zip(positions.tolist(), ids.tolist(), strict=True):
            for phrase, bitmap in self._words.items():
                if image in texts and phrase.is_in(texts[image]):
                    bitmap.add(position)
                else:
                    bitmap.discard(position)

    # -- looking up ---------------------------------------------------------------------------

    def positions_of(self, ids: Ids) -> Positions:
        """-1 for an id that was never there. The image may be gone: `alive` says."""
        if not len(self.sorted_ids):
            return np.full(len(ids), -1, np.int64)
        at = np.minimum(np.searchsorted(self.sorted_ids, ids), len(self.sorted_ids) - 1)
        return np.where(self.sorted_ids[at] == ids, self.order[at], -1)

    def ids_ascending(self, mask: Mask, positions: Positions) -> tuple[Ids, Positions]:
        """The images of a mask in order of ids, and where they are; `positions` are those of the mask."""
        if len(positions) * 16 < self.columns.count:
            ids = self.columns["id"][positions]
            by_id = np.argsort(ids)
            return ids[by_id], positions[by_id]
        if self._in_order:
            return self.sorted_ids[mask], positions
        chosen = mask[self.order]
        return self.sorted_ids[chosen], self.order[chosen]

    def between(self, first: int | None, until: int | None) -> Mask:
        """The images whose ids are from `first` on and before `until`."""
        begin = 0 if first is None else int(np.searchsorted(self.sorted_ids, first))
        end = len(self.sorted_ids) if until is None else int(np.searchsorted(self.sorted_ids, until))
        mask = np.zeros(self.columns.count, np.bool_)
        mask[self.order[begin:end]] = True
        return mask

    def with_words(self, tx: ReadTx, phrase: Phrase) -> BitMap:
        bitmap = self._words.get(phrase)
        if bitmap is None:
            positions = self.positions_of(index_loader.images_with_words(tx, phrase.match))
            bitmap = self._words[phrase] = BitMap(positions[positions >= 0].astype(np.uint32))
            if len(self._words) > WORDS_KEPT:
                self._words.popitem(last=False)
        self._words.move_to_end(phrase)
        return bitmap

    def knows_words(self, phrase: Phrase) -> bool:
        return phrase in self._words

    def with_tag(self, tag: int) -> BitMap:
        return self._posting("tag", tag, self.tag_lists)

    def in_collection(self, tx: ReadTx, collection: int) -> BitMap:
        bitmap = self._collections.get(collection)
        if bitmap is None:
            positions = self.positions_of(index_loader.in_collection(tx, collection))
            bitmap = self._collections[collection] = BitMap(positions[positions >= 0].astype(np.uint32))
            if len(self._collections) > COLLECTIONS_KEPT:
                self._collections.popitem(last=False)
        self._collections.move_to_end(collection)
        return bitmap

    def with_model(self, role: str, model: int) -> BitMap:
        return self._posting("model", index_loader.model_code(role, model), self.model_lists)

    def _posting(self, kind: str, code: int, lists: Lists) -> BitMap:
        bitmap = self._postings.get((kind, code))
        if bitmap is None:
            bitmap = self._postings[kind, code] = BitMap(lists.having(code)[0].astype(np.uint32))
            if len(self._postings) > POSTINGS_KEPT:
                self._postings.popitem(last=False)
        self._postings.move_to_end((kind, code))
        return bitmap

    def most_used_tags(self, mask: Mask, positions: Positions, most: int) -> dict[int, int] | None:
        """At least the `most` used tags of these images, with their counts; None when it is quicker to
        count them all.

        From the most common tag of the library down, until one is too rare to be among them.
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

    def with_seed(self, seed: str) -> Mask:
        mask = np.zeros(self.columns.count, np.bool_)
        if len(seed) < 20:
            number = int(seed)
            mask = self.columns["seed"] == np.uint64(number)
            if number == _UNKNOWN_SEED:
                mask &= self.columns["has"] >> list(index_loader.HAS).index("seed") & 1 == 1
            mask[list(self._wide_seeds)] = False
        mask[[position for position, wide in self._wide_seeds.items() if wide == seed]] = True
        return mask

    def name_ranks(self, tx: ReadTx) -> NDArray[np.int64]:
        """By position, the place of the image among all, by the name of its file. Names are too much to
        keep: SQLite sorts them, and the places hold until a name changes."""
        if self._name_ranks is None:
            ranks = np.zeros(self.columns.count, np.int64)
            ids = index_loader.by_name(tx)
            at = self.positions_of(ids)
            ranks[at[at >= 0]] = np.flatnonzero(at >= 0)
            self._name_ranks = ranks
        return self._name_ranks

    def forget(self) -> None:
        """Drop what is kept of former questions, as if there were none yet."""
        self._words.clear()
        self._collections.clear()
        self._postings.clear()
        self._keep_most_common_tags()

    @property
    def bytes(self) -> int:
        arrays = (self.alive, self._ids_in_order, self._order)
        return sum(a.nbytes for a in arrays) + self.columns.bytes + self.tag_lists.bytes + self.model_lists.bytes


def _part(images: Images, chosen: Mask) -> Images:
    return Images(
        {name: column[chosen] for name, column in images.numbers.items()},
        {name: column[chosen] for name, column in images.fractions.items()},
        {name: [t for t, c in zip(texts, chosen.tolist(), strict=True) if c] for name, texts in images.texts.items()},
    )
