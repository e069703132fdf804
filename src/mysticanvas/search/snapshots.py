"""Snapshots: stored answers to queries, so that any part of a result can be shown while images arrive.

A snapshot is ordered and never changes. Rows are read with each page; a row that was removed leaves a hole.
"""

import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.errors import InvalidInputError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.query import Order, Query, Sort
from mysticanvas.search import language, timeline, trash_list
from mysticanvas.search.duplicates import Duplicates
from mysticanvas.search.engine import Answer, Finder
from mysticanvas.search.index import Index
from mysticanvas.search.paging import Ids
from mysticanvas.search.similarity import Similarity
from mysticanvas.search.timeline import Section

# The maximum number of images in all snapshots (8 bytes each). SNAPSHOTS_KEPT_AT_LEAST takes precedence.
IMAGES_KEPT = 8_000_000
SNAPSHOTS_KEPT = 64
SNAPSHOTS_KEPT_AT_LEAST = 4
MAX_ITEMS = 512
PROMPT_SHOWN = 80


class SnapshotGoneError(NotFoundError):
    """The snapshot was dropped in favor of newer ones. Run the query again."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`ids` are in the order of the query. If `trashed`, they are the images in Trash, and `query` is empty."""

    token: str
    query: Query
    answer: Answer
    sections: list[Section]
    trashed: bool = False

    @property
    def ids(self) -> Ids:
        return self.answer.ids

    @property
    def total(self) -> int:
        return len(self.answer.ids)


class Snapshots:
    """Thread-safe. The least recently used snapshots are dropped."""

    def __init__(
        self,
        database: Database,
        index: Index | None = None,
        *,
        similarity: Similarity | None = None,
        looks: Similarity | None = None,
        duplicates: Duplicates | None = None,
    ) -> None:
        self._database = database
        self.finder = Finder(database, index, similarity=similarity, looks=looks, duplicates=duplicates)
        self._kept: OrderedDict[str, Snapshot] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, text: str) -> Snapshot:
        """Open a snapshot of the current matches. Raises `QueryError`."""
        query = self.finder.prepare(language.parse(text))
        if query.order == Sort(Order.RANDOM):
            query = replace(query, sort=Sort(Order.RANDOM, secrets.randbelow(1_000_000)))
        answer = self.finder.all(query)
        return self._keep(Snapshot(secrets.token_urlsafe(12), query, answer, _build_sections(query.order, answer.ids)))

    def open_trash(self) -> Snapshot:
        """Open a snapshot of the images in Trash."""
        ids, sections = self._database.read(trash_list.list_trash)
        return self._keep(Snapshot(secrets.token_urlsafe(12), Query(), Answer(ids), sections, trashed=True))

    def narrow(
        self, snapshot: Snapshot, ranges: Sequence[tuple[int, int]], excluded: Sequence[int], text: str
    ) -> Snapshot:
        """Open a snapshot of some images of a snapshot, in the same order, that match the query `text` too. Raises
        `QueryError`."""
        ids = np.array(self.select_images(snapshot, ranges, excluded), np.int64)
        if text.strip():
            ids = ids[np.isin(ids, self.finder.all(language.parse(text)).ids)]
        sections = timeline.split_blocks(len(ids))
        return self._keep(Snapshot(secrets.token_urlsafe(12), snapshot.query, Answer(ids), sections, snapshot.trashed))

    def geometry(self, snapshot: Snapshot) -> bytes:
        """Like `Finder.geometry`."""
        if snapshot.trashed:
            return self._database.read(trash_list.read_ratios, snapshot.ids).astype("<u2").tobytes()
        return self.finder.geometry(snapshot.ids)

    def _keep(self, snapshot: Snapshot) -> Snapshot:
        with self._lock:
            self._kept[snapshot.token] = snapshot
            self._drop_oldest()
        return snapshot

    def get(self, token: str) -> Snapshot:
        """Raises `SnapshotGoneError`."""
        with self._lock:
            snapshot = self._kept.get(token)
            if snapshot is None:
                raise SnapshotGoneError("These search results have expired. Search again.")
            self._kept.move_to_end(token)
            return snapshot

    def count_newer(self, snapshot: Snapshot) -> int:
        """The number of current matches that arrived after the snapshot was opened."""
        if snapshot.trashed:
            return 0
        return self.finder.count_arrivals(snapshot.query, snapshot.answer)

    def select_images(
        self, snapshot: Snapshot, ranges: Sequence[tuple[int, int]], excluded: Sequence[int]
    ) -> list[GenerationId]:
        """The images at the indices in `ranges` [from, to), without the indices in `excluded`, in order.

        Raises `InvalidInputError` for a range outside of the snapshot.
        """
        chosen = np.zeros(snapshot.total, dtype=bool)
        for first, end in ranges:
            if not 0 <= first <= end <= snapshot.total:
                raise InvalidInputError(f"The range {first} to {end} is not in these search results. Search again.")
            chosen[first:end] = True
        chosen[[index for index in excluded if 0 <= index < snapshot.total]] = False
        return [GenerationId(i) for i in snapshot.ids[chosen].tolist()]

    def _drop_oldest(self) -> None:
        images = sum(snapshot.total for snapshot in self._kept.values())
        while len(self._kept) > SNAPSHOTS_KEPT_AT_LEAST and (len(self._kept) > SNAPSHOTS_KEPT or images > IMAGES_KEPT):
            images -= self._kept.popitem(last=False)[1].total


def _build_sections(order: Sort, ids: Ids) -> list[Section]:
    match order.by:
        case Order.NEWEST:
            return timeline.split_days(ids)
        case Order.OLDEST:
            return timeline.split_days_ascending(ids)
        case _:
            return timeline.split_blocks(len(ids))


def read_items(tx: ReadTx, snapshot: Snapshot, start: int, count: int) -> dict[str, Any]:
    """A slice of the snapshot as columns, parallel to the IDs from `start` on; None in every column for a hole."""
    ids = snapshot.ids[max(0, start) : max(0, start) + min(count, MAX_ITEMS)].tolist()
    read = trash_list.read_rows if snapshot.trashed else _read_live_rows
    by_id = {row["id"]: row for row in read(tx, ids, prompt_shown=PROMPT_SHOWN)}
    columns = (
        "uuid",
        "thumb",
        "color",
        "favorite",
        "rating",
        "flags",
        "width",
        "height",
        "timestamp",
        "prompt",
        "explicit",
    )
    page: dict[str, Any] = {"start": start}
    for column in columns:
        page[column] = [by_id[i][column] if i in by_id else None for i in ids]
    # A file that is damaged or too large may have no thumbnail. It then has no color either.
    lacks = [
        flags is not None and flags & 10 and color is None
        for flags, color in zip(page["flags"], page["color"], strict=True)
    ]
    page["thumb"] = [None if lack else thumb or None for thumb, lack in zip(page["thumb"], lacks, strict=True)]
    return page


def _read_live_rows(tx: ReadTx, images: Sequence[int], *, prompt_shown: int) -> list[dict[str, Any]]:
    return tx.all(
        """
        SELECT l.id, l.uuid, lower(hex(l.content_hash)) AS thumb, l.color_rgb AS color, l.is_favorite AS favorite,
               l.rating, l.flags, l.width_px AS width, l.height_px AS height, g.timestamp,
               substr(g.prompt, 1, :prompt_shown) AS prompt, p.explicit
          FROM json_each(:ids) AS wanted
               JOIN live_generations AS l ON l.id = wanted.value
               JOIN generations AS g ON g.id = l.id
               LEFT JOIN pictures AS p ON p.content_hash = l.content_hash
        """,
        ids=json.dumps(list(images)),
        prompt_shown=prompt_shown,
    )


def find_position(snapshot: Snapshot, image: GenerationId) -> int | None:
    """The index of an image; None if the snapshot does not contain it."""
    places = np.flatnonzero(snapshot.ids == image)
    return int(places[0]) if len(places) else None
