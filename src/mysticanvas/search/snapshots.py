"""Snapshots: the answer to a query, kept, so that any part of it can be shown while images arrive.

A snapshot is ordered, newest first, and never changes. Rows are read when a page of it is; a row that
is gone by then leaves a hole.
"""

import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mysticanvas.domain.errors import InvalidInputError, NotFoundError
from mysticanvas.domain.generation import SECONDS_OF_2010, GenerationId
from mysticanvas.domain.query import Query
from mysticanvas.search import language, sql
from mysticanvas.store.database import ChangeSet, Database, ReadTx

SNAPSHOTS_KEPT = 32
# A million ids are read in about half a second.
BUILD_LIMIT_MS = 20_000
MAX_ITEMS = 512
PROMPT_SHOWN = 80

Ids = NDArray[np.int64]


class SnapshotGoneError(NotFoundError):
    """It was dropped for newer ones; ask the query again."""


@dataclass(frozen=True, slots=True)
class Section:
    """The images of one local day: `count` of them from `start` on."""

    day: str
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`ids` descend; `ratios_milli` (width / height × 1000) is parallel to them."""

    token: str
    query: Query
    ids: Ids
    ratios_milli: NDArray[np.uint16]
    sections: list[Section]

    @property
    def total(self) -> int:
        return len(self.ids)


class Snapshots:
    """Thread-safe. The least recently used are dropped."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[str, Snapshot] = OrderedDict()
        self._lock = threading.Lock()
        self._everything: tuple[Ids, NDArray[np.uint16]] | None = None
        self._version = 0
        database.after_commit(self._on_commit)

    def open(self, text: str) -> Snapshot:
        """A snapshot of what the query finds now. Raises `QueryError`."""
        query = language.parse(text)
        ids, ratios = self._found(query)
        snapshot = Snapshot(secrets.token_urlsafe(12), query, ids, ratios, sections_of(ids))
        with self._lock:
            self._kept[snapshot.token] = snapshot
            while len(self._kept) > SNAPSHOTS_KEPT:
                self._kept.popitem(last=False)
        return snapshot

    def get(self, token: str) -> Snapshot:
        """Raises `SnapshotGoneError`."""
        with self._lock:
            snapshot = self._kept.get(token)
            if snapshot is None:
                raise SnapshotGoneError("This view is not kept any more; open it again.")
            self._kept.move_to_end(token)
            return snapshot

    def newer(self, snapshot: Snapshot) -> int:
        """How many images the query finds now that are newer than the snapshot's newest."""
        newest = int(snapshot.ids[0]) if snapshot.total else 0
        return self._database.read(_count_newer, snapshot.query, newest)

    def picked(
        self, snapshot: Snapshot, ranges: Sequence[tuple[int, int]], left_out: Sequence[int]
    ) -> list[GenerationId]:
        """The images of some ranges [from, to) less single ones, newest first.

        Raises `InvalidInputError` for a range outside of the snapshot.
        """
        chosen = np.zeros(snapshot.total, dtype=bool)
        for first, end in ranges:
            if not 0 <= first <= end <= snapshot.total:
                raise InvalidInputError(f"This view has no images from {first} to {end}.")
            chosen[first:end] = True
        chosen[[index for index in left_out if 0 <= index < snapshot.total]] = False
        return [GenerationId(i) for i in snapshot.ids[chosen].tolist()]

    def _found(self, query: Query) -> tuple[Ids, NDArray[np.uint16]]:
        if query.terms:
            return self._database.read_within(BUILD_LIMIT_MS, _read_ids, query)
        with self._lock:
            everything, version = self._everything, self._version
        if everything is None:
            everything = self._database.read_within(BUILD_LIMIT_MS, _read_ids, query)
            with self._lock:
                if version == self._version:
                    self._everything = everything
        return everything

    def _on_commit(self, changes: ChangeSet) -> None:
        if changes.added or changes.removed or changes.changed:
            with self._lock:
                self._version += 1
                self._everything = None


def sections_of(ids: Ids) -> list[Section]:
    """The local days of descending ids, newest first; every image is in exactly one."""
    if not len(ids):
        return []
    sections = []
    start = 0
    while start < len(ids):
        midnight = datetime.fromtimestamp((int(ids[start]) >> 8) + SECONDS_OF_2010).replace(  # noqa: DTZ006
            hour=0, minute=0, second=0
        )
        first_id = (int(midnight.timestamp()) - SECONDS_OF_2010) << 8
        end = max(start + 1, len(ids) - int(np.searchsorted(ids[::-1], first_id)))
        sections.append(Section(midnight.strftime("%Y-%m-%d"), start, end - start))
        start = end
    return sections


def _read_ids(tx: ReadTx, query: Query) -> tuple[Ids, NDArray[np.uint16]]:
    condition, values = sql.where(query)
    row = tx.one(
        f"""
        SELECT group_concat(id) AS ids, group_concat(ratio_milli) AS ratios
          FROM (SELECT id, ratio_milli
                  FROM live_generations
                 WHERE {condition}
                 ORDER BY id DESC)
        """,  # noqa: S608 - a condition of search/sql.py
        **values,
    )
    if row is None or row["ids"] is None:
        return np.empty(0, np.int64), np.empty(0, np.uint16)
    return np.fromstring(row["ids"], np.int64, sep=","), np.fromstring(row["ratios"], np.uint16, sep=",")


def _count_newer(tx: ReadTx, query: Query, newest: int) -> int:
    condition, values = sql.where(query)
    return int(
        tx.value(
            f"SELECT count(*) FROM live_generations WHERE id > :newest AND {condition}",  # noqa: S608
            newest=newest,
            **values,
        )
    )


def items(tx: ReadTx, snapshot: Snapshot, start: int, count: int) -> dict[str, Any]:
    """A slice as columns, each parallel to the ids from `start` on; None in every column for a hole."""
    ids = snapshot.ids[max(0, start) : max(0, start) + min(count, MAX_ITEMS)].tolist()
    rows = tx.all(
        """
        SELECT l.id, l.uuid, lower(hex(l.content_hash)) AS thumb, l.color_rgb AS color, l.is_favorite AS favorite,
               l.rating, l.flags, l.width_px AS width, l.height_px AS height, g.timestamp,
               substr(g.prompt, 1, :prompt_shown) AS prompt
          FROM json_each(:ids) AS wanted
               JOIN live_generations AS l ON l.id = wanted.value
               JOIN generations AS g ON g.id = l.id
        """,
        ids=json.dumps(ids),
        prompt_shown=PROMPT_SHOWN,
    )
    by_id = {row["id"]: row for row in rows}
    columns = ("uuid", "thumb", "color", "favorite", "rating", "flags", "width", "height", "timestamp", "prompt")
    page: dict[str, Any] = {"start": start}
    for column in columns:
        page[column] = [by_id[i][column] if i in by_id else None for i in ids]
    page["thumb"] = [thumb or None for thumb in page["thumb"]]
    return page


def position_of(snapshot: Snapshot, image: GenerationId) -> int | None:
    """The index of an image, None when the snapshot does not have it."""
    index = snapshot.total - 1 - int(np.searchsorted(snapshot.ids[::-1], image))
    return index if 0 <= index < snapshot.total and int(snapshot.ids[index]) == image else None
