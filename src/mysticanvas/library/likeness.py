"""Near-duplicates and equal recipes (A5, G11): groups to review, and keeping one of a group.

Nothing here deletes: what is not kept is for the caller to move to the Trash, after `keep_one` has given
everything the person wrote to the one that stays.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.job import JobKind, JobPriority
from mysticanvas.pixels import likeness as near
from mysticanvas.store import jobs, likeness
from mysticanvas.store.database import ChangeSet, Database, WriteTx
from mysticanvas.store.jobs import NewJob

# Of 256 bits; chosen in benchmarks/likeness.py, with the ratio of the sides.
NEAR_BITS = 32
JOBS_A_SLICE = 1_000
READ_LIMIT_MS = 60_000


class Likeness(StrEnum):
    PICTURE = "picture"
    RECIPE = "recipe"


@dataclass(frozen=True, slots=True)
class Group:
    """Images that are alike, the newest first. `bits` is how far the two that are least alike of those
    that were compared differ, 0 for recipes."""

    images: list[GenerationId]
    bits: int


@dataclass(frozen=True, slots=True)
class Page:
    """`total` groups there are; `images` are in any of them."""

    groups: list[Group]
    total: int
    images: int


class Likenesses:
    """Thread-safe. Groups are found when they are asked for, and kept until an image changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._found: dict[Likeness, tuple[int, list[Group]]] = {}
        self._version = 0
        database.after_commit(self._on_commit)

    def page(self, by: Likeness, *, start: int, count: int) -> Page:
        """Some groups, the one with the newest image first."""
        groups = self._groups(by)
        return Page(groups[max(0, start) :][: max(0, count)], len(groups), sum(len(one.images) for one in groups))

    def duplicates(self) -> set[int]:
        """Every image that looks like another: what `is:duplicate` finds."""
        return {image for group in self._groups(Likeness.PICTURE) for image in group.images}

    def _groups(self, by: Likeness) -> list[Group]:
        with self._lock:
            version = self._version
            known = self._found.get(by)
            if known is None or known[0] != version:
                known = version, _by_picture(self._database) if by is Likeness.PICTURE else _by_recipe(self._database)
                self._found[by] = known
            return known[1]

    def _on_commit(self, changes: ChangeSet) -> None:
        if changes.added or changes.changed or changes.removed:
            self._version += 1


def _by_picture(database: Database) -> list[Group]:
    ids, ratios, content = database.read_within(READ_LIMIT_MS, likeness.all_hashes)
    hashes = near.hashes_of(content)
    pairs = near.near(hashes, NEAR_BITS)
    pairs = pairs[near.same_shape(np.array(ratios, np.int64), pairs)]
    leaders = near.groups(pairs, len(ids))
    bits = near.differences(hashes[pairs[:, 0]], hashes[pairs[:, 1]])
    widest = np.zeros(len(ids), np.int64)
    np.maximum.at(widest, leaders[pairs[:, 0]], bits)
    members: dict[int, list[GenerationId]] = {}
    for row in np.unique(pairs)[::-1].tolist():
        members.setdefault(int(leaders[row]), []).append(GenerationId(ids[row]))
    return [Group(images, int(widest[leader])) for leader, images in members.items()]


def _by_recipe(database: Database) -> list[Group]:
    found = database.read_within(READ_LIMIT_MS, likeness.same_recipe)
    return [Group([GenerationId(one) for one in images], 0) for images in found]


def hash_missing(database: Database, *, now_ms: Callable[[], int]) -> int:
    """Queue the hash of every image that was taken in before there were any. How many jobs were queued;
    asked again, it goes on."""
    queued, last = 0, 0
    while slice_ := database.read(likeness.without_hash, after=last, limit=JOBS_A_SLICE):
        new = [NewJob(JobKind.PHASH, {"generation": image}, uuid, JobPriority.IDLE) for image, uuid in slice_]
        database.write_bulk(jobs.enqueue_all, new, now_ms=now_ms())
        queued += len(slice_)
        last = slice_[-1][0]
    return queued


# -- keeping one ------------------------------------------------------------------------------


def keep_one(
    tx: WriteTx,
    kept: GenerationId,
    others: Sequence[GenerationId],
    *,
    set_tag: Callable[[WriteTx, GenerationId, int, int | None], None],
    now_ms: int,
) -> dict[str, Any]:
    """Give what the person wrote on `others` to `kept`, and return the inverse for `undo_keep_one`.

    The higher rating and any favourite win, notes are joined, collections and the person's own tags are
    united; what they said of `kept` itself is never changed. `set_tag(tx, image, tag, decision)` says a
    tag on behalf of the person, or with None takes that back; it is the tags' own function.

    Raises `InvalidInputError`, `ConflictError` when one of the images is not there any more.
    """
    if not others or kept in others:
        raise InvalidInputError("Choose one image to keep, and at least one other.")
    marks = {row["id"]: row for row in likeness.marks(tx, [kept, *others])}
    if len(marks) != len({kept, *others}):
        raise ConflictError("One of these images is not there any more.")
    mine = marks[kept]
    _merge_marks(tx, kept, mine, [marks[one] for one in others], now_ms=now_ms)
    joined = likeness.join_collections(tx, kept, likeness.collections_of(tx, others), now_ms=now_ms)
    said = dict(likeness.user_tags_of(tx, [kept]))
    new = [(tag, decision) for tag, decision in likeness.user_tags_of(tx, others) if tag not in said]
    for tag, decision in new:
        set_tag(tx, kept, tag, decision)
    return {"kept": kept, "marks": mine, "collections": joined, "tags": [tag for tag, _ in new]}


def undo_keep_one(
    tx: WriteTx,
    inverse: dict[str, Any],
    *,
    set_tag: Callable[[WriteTx, GenerationId, int, int | None], None],
    now_ms: int,
) -> None:
    kept, marks = GenerationId(inverse["kept"]), inverse["marks"]
    likeness.set_rating_and_favorite(
        tx, kept, rating=marks["rating"], favorite=bool(marks["is_favorite"]), notes=marks["notes"], now_ms=now_ms
    )
    likeness.leave_collections(tx, kept, inverse["collections"])
    for tag in inverse["tags"]:
        set_tag(tx, kept, tag, None)


def _merge_marks(
    tx: WriteTx, kept: GenerationId, mine: dict[str, Any], theirs: list[dict[str, Any]], *, now_ms: int
) -> None:
    every = [mine, *theirs]
    notes = list(dict.fromkeys(one["notes"].strip() for one in every if one["notes"] and one["notes"].strip()))
    likeness.set_rating_and_favorite(
        tx,
        kept,
        rating=max(one["rating"] for one in every),
        favorite=any(one["is_favorite"] for one in every),
        notes="\n\n".join(notes) or None,
        now_ms=now_ms,
    )
