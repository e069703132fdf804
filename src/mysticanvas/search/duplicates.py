"""Groups of similar images, of images with the same settings and seed, and of identical files (docs/adr/0013).
An image and what was made from it, and variations of one prompt, are no duplicates (`duplicate_groups.py`).

Computed on request and cached until an image is added, removed or changed.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mysticanvas.db.database import ChangeSet, Database
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.similarity import DuplicateKind
from mysticanvas.imaging import hash_search
from mysticanvas.imaging.perceptual_hash import MINIATURE_BYTES
from mysticanvas.search import duplicate_groups, image_hashes
from mysticanvas.search.duplicate_groups import Pair

# Of 256 bits. Measured by a benchmark, like the limit of the aspect ratio (docs/adr/0013). The second
# applies while an image has no signature to confirm the match.
NEAR_BITS = 56
NEAR_BITS_UNCONFIRMED = 32
SIGNATURES_PER_READ = 20_000
READ_LIMIT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Group:
    """Duplicate images, newest first. `bits` is the largest difference between two hashes that were compared; 0 if
    hashes were not compared."""

    images: list[GenerationId]
    bits: int


@dataclass(frozen=True, slots=True)
class Page:
    """`total` is the number of all groups, `images` the number of images in them."""

    groups: list[Group]
    total: int
    images: int


class Duplicates:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._found: dict[DuplicateKind, tuple[int, list[Group]]] = {}
        self._versions = dict.fromkeys(DuplicateKind, 0)
        # Comparing hashes takes seconds in a large library, so the pairs outlive changes to other data of the images.
        self._pairs: tuple[int, list[Pair]] | None = None
        self._pairs_version = 0
        database.after_commit(self._on_commit)

    def page(self, by: DuplicateKind, *, start: int, count: int) -> Page:
        """`count` groups from `start` on, the one with the newest image first."""
        groups = self._groups(by)
        return Page(groups[max(0, start) :][: max(0, count)], len(groups), sum(len(one.images) for one in groups))

    def all(self) -> set[int]:
        """Every image that is similar to another: the matches of `is:duplicate`."""
        return {image for group in self._groups(DuplicateKind.PICTURE) for image in group.images}

    def _groups(self, by: DuplicateKind) -> list[Group]:
        with self._lock:
            version = self._versions[by]
            known = self._found.get(by)
            if known is None or known[0] != version:
                known = version, self._find(by)
                self._found[by] = known
            return known[1]

    def _find(self, by: DuplicateKind) -> list[Group]:
        match by:
            case DuplicateKind.PICTURE:
                return _build_groups(duplicate_groups.group_pairs(self._database, self._find_pairs()))
            case DuplicateKind.RECIPE:
                return _find_same_settings(self._database)
            case _:
                return _find_identical(self._database)

    def _find_pairs(self) -> list[Pair]:
        version = self._pairs_version
        if self._pairs is None or self._pairs[0] != version:
            self._pairs = version, _find_similar(self._database)
        return self._pairs[1]

    def _on_commit(self, changes: ChangeSet) -> None:
        moved = bool(changes.added or changes.removed)
        if moved or image_hashes.SIGNATURES_CHANGED in changes.invalidated:
            self._pairs_version += 1
            self._versions[DuplicateKind.PICTURE] += 1
        elif changes.changed:
            self._versions[DuplicateKind.PICTURE] += 1
        if moved or changes.changed:
            self._versions[DuplicateKind.RECIPE] += 1
            self._versions[DuplicateKind.BYTES] += 1


def _find_similar(database: Database) -> list[Pair]:
    ids, ratios, content = database.read_within(READ_LIMIT_MS, image_hashes.read_hashes)
    hashes = hash_search.unpack_hashes(content)
    pairs = hash_search.find_near_pairs(hashes, NEAR_BITS)
    pairs = pairs[hash_search.have_same_shape(np.array(ratios, np.int64), pairs)]
    pairs = pairs[_confirm_pairs(database, np.array(ids, np.int64), hashes, pairs)]
    bits = hash_search.count_differences(hashes[pairs[:, 0]], hashes[pairs[:, 1]])
    found = zip(pairs.tolist(), bits.tolist(), strict=True)
    return [(ids[one], ids[other], int(differing)) for (one, other), differing in found]


def _confirm_pairs(
    database: Database, ids: NDArray[np.int64], hashes: hash_search.Hashes, pairs: hash_search.Pairs
) -> NDArray[np.bool_]:
    """Which pairs are confirmed by their signatures, or by a stricter limit if a signature is not known yet."""
    rows = np.unique(pairs)
    looks = np.zeros((len(rows), MINIATURE_BYTES), np.uint8)
    known = np.zeros(len(rows), bool)
    for start in range(0, len(rows), SIGNATURES_PER_READ):
        some = rows[start : start + SIGNATURES_PER_READ]
        found = database.read_within(READ_LIMIT_MS, image_hashes.read_signatures, ids[some].tolist())
        for place, image in enumerate(ids[some].tolist(), start):
            if image in found:
                looks[place], known[place] = hash_search.unpack_miniatures(found[image])[0], True
    one, other = np.searchsorted(rows, pairs[:, 0]), np.searchsorted(rows, pairs[:, 1])
    confirmed = np.zeros(len(pairs), bool)
    for start in range(0, len(pairs), SIGNATURES_PER_READ):
        part = slice(start, start + SIGNATURES_PER_READ)
        confirmed[part] = hash_search.have_same_content(looks[one[part]], looks[other[part]])
    near_enough = hash_search.count_differences(hashes[pairs[:, 0]], hashes[pairs[:, 1]]) <= NEAR_BITS_UNCONFIRMED
    return np.where(known[one] & known[other], confirmed, near_enough)


def _find_same_settings(database: Database) -> list[Group]:
    found = database.read_within(READ_LIMIT_MS, image_hashes.group_same_settings)
    return _build_groups(duplicate_groups.split_groups(database, found))


def _find_identical(database: Database) -> list[Group]:
    found = database.read_within(READ_LIMIT_MS, image_hashes.list_identical_files)
    return [Group([image], 0) for image in found]


def _build_groups(groups: Sequence[tuple[list[int], int]]) -> list[Group]:
    return [Group([GenerationId(image) for image in images], bits) for images, bits in groups]
