"""Splits images that are alike into groups of duplicates.

Two images are no duplicates, however alike, when one was made from the other (an upscale and its source), or when their
generation data shows two generations (another seed, prompt or setting: variations). No group contains such a pair.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mysticanvas.db.database import Database
from mysticanvas.search import image_hashes
from mysticanvas.search.image_hashes import Origin

IMAGES_PER_READ = 5_000
READ_LIMIT_MS = 60_000
# Real images have fewer ancestors.
MAX_ANCESTORS = 1_000

# (image, image, how many bits of their hashes differ)
Pair = tuple[int, int, int]


@dataclass(slots=True)
class Cluster:
    """Images of which no two exclude each other. `settings` are those known from any of them."""

    images: set[int]
    settings: dict[str, Any]
    ancestors: set[int]
    bits: int = 0

    def excludes(self, other: "Cluster") -> bool:
        small, large = sorted((self.settings, other.settings), key=len)
        if any(large.get(name, value) != value for name, value in small.items()):
            return True
        return not (self.images.isdisjoint(other.ancestors) and other.images.isdisjoint(self.ancestors))

    def absorb(self, other: "Cluster") -> None:
        self.images |= other.images
        self.settings |= other.settings
        self.ancestors |= other.ancestors
        self.bits = max(self.bits, other.bits)


@dataclass(slots=True)
class Clusters:
    """Every image starts as a cluster of its own."""

    settings: Mapping[int, dict[str, Any]]
    ancestors: Mapping[int, Sequence[int]]
    _of: dict[int, Cluster] = field(default_factory=dict)

    def join(self, one: int, other: int, bits: int = 0) -> bool:
        """Whether both images are in one cluster now. Join the closest pairs first."""
        here, there = self._get(one), self._get(other)
        if here is not there:
            if here.excludes(there):
                return False
            small, large = sorted((here, there), key=lambda cluster: len(cluster.images))
            large.absorb(small)
            self._of.update(dict.fromkeys(small.images, large))
            here = large
        here.bits = max(here.bits, bits)
        return True

    def list_groups(self) -> list[tuple[list[int], int]]:
        """(images, most bits that differ) of every cluster of at least two images: the newest image first, in the
        group and among groups."""
        distinct = {id(cluster): cluster for cluster in self._of.values() if len(cluster.images) > 1}
        groups = [(sorted(cluster.images, reverse=True), cluster.bits) for cluster in distinct.values()]
        return sorted(groups, reverse=True)

    def _get(self, image: int) -> Cluster:
        if image not in self._of:
            self._of[image] = Cluster({image}, dict(self.settings[image]), set(self.ancestors[image]))
        return self._of[image]


def group_pairs(database: Database, pairs: Sequence[Pair]) -> list[tuple[list[int], int]]:
    """Groups connected through pairs, the closest pairs first."""
    clusters = _read_clusters(database, {image for one, other, _ in pairs for image in (one, other)})
    for one, other, bits in sorted(pairs, key=lambda pair: (pair[2], -pair[0], -pair[1])):
        clusters.join(one, other, bits)
    return clusters.list_groups()


def split_groups(database: Database, groups: Sequence[Sequence[int]]) -> list[tuple[list[int], int]]:
    """Groups of images that have something in common, without those that exclude each other."""
    clusters = _read_clusters(database, {image for group in groups for image in group})
    for group in groups:
        leaders: list[int] = []
        for image in group:
            if not any(clusters.join(leader, image) for leader in leaders):
                leaders.append(image)
    return clusters.list_groups()


def _read_clusters(database: Database, images: set[int]) -> Clusters:
    origins: dict[int, Origin] = {}
    unread = images
    while unread:
        for some in _slices(unread):
            origins |= database.read_within(READ_LIMIT_MS, image_hashes.read_origins, some)
        unread = {one.parent for one in origins.values() if one.parent is not None} - origins.keys()
    ancestors = {image: _list_ancestors(origins, image) for image in images}
    settings = {image: _find_settings(origins, [image, *above]) for image, above in ancestors.items()}
    return Clusters(settings, ancestors)


def _find_settings(origins: Mapping[int, Origin], line: Sequence[int]) -> dict[str, Any]:
    """The settings of the first image of a line that has generation data: an upscale may have none of its own."""
    found = (origins[image].settings for image in line if image in origins)
    return next((settings for settings in found if settings.keys() & {"seed", "prompt"}), {})


def _slices(images: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(images)
    return (ordered[start : start + IMAGES_PER_READ] for start in range(0, len(ordered), IMAGES_PER_READ))


def _list_ancestors(origins: Mapping[int, Origin], image: int) -> list[int]:
    """The nearest first."""
    found: dict[int, None] = {}
    above = _get_parent(origins, image)
    while above is not None and above not in found and len(found) < MAX_ANCESTORS:
        found[above] = None
        above = _get_parent(origins, above)
    return list(found)


def _get_parent(origins: Mapping[int, Origin], image: int) -> int | None:
    return origins[image].parent if image in origins else None
