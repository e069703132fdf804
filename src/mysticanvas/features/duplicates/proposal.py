"""Which image of a group to keep, why, and what merging would copy or lose.

The image to keep is the first in this order: its file exists, more generation data, more images made from it, favorite,
higher rating, more notes, tags and collections, more pixels, larger file, older, lower id. Generation data comes before
pixels, because pixels can be made again from it. Nothing is proposed where merging would lose something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.plurals import format_count
from mysticanvas.features.duplicates.generation_data import GenerationData, fill_gaps, list_contradictions

MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """One image of a group. `tags` are the user's own decisions by tag; `parent` and `children` are its lineage.
    `inherited` is the generation data of the image that it was made from, where it has none of its own."""

    image: GenerationId
    uuid: str
    name: str
    missing: bool = False
    data: GenerationData = field(default_factory=GenerationData)
    inherited: GenerationData = field(default_factory=GenerationData)
    parent: GenerationId | None = None
    children: int = 0
    favorite: bool = False
    rating: int = 0
    notes: str | None = None
    collections: int = 0
    tags: Mapping[str, bool] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    bytes: int = 0
    timestamp: int = 0

    @property
    def rank(self) -> tuple[int, ...]:
        """In the order of `_REASONS`; the image with the highest is kept."""
        return (
            not self.missing,
            len(self.data.list_known()),
            self.children,
            self.favorite,
            self.rating,
            bool(self.notes) + self.collections + len(self.tags),
            self.width * self.height,
            self.bytes,
            -self.timestamp,
            -self.image,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What merging does if an image is kept: `data` is its generation data then, `sources` are the images from which
    some is copied, `copied` says what. `lost` says what no image would have afterwards; usually nothing."""

    data: GenerationData
    sources: Sequence[Candidate]
    copied: Sequence[str]
    lost: Sequence[str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """`kept` is None where keeping any image would lose something, so that the user must select one. `reasons` says in
    words why the image that ranks first ranks before each other one, by image."""

    kept: GenerationId | None
    reasons: Mapping[GenerationId, str]
    outcomes: Mapping[GenerationId, Outcome]


def propose(images: Sequence[Candidate]) -> Proposal:
    ranked = sorted(images, key=lambda one: one.rank, reverse=True)
    outcomes = {one.image: work_out(one, [other for other in images if other is not one]) for one in images}
    first = ranked[0]
    kept = None if outcomes[first.image].lost else first.image
    reasons = {first.image: _explain_kept(first, ranked[1:])}
    reasons |= {one.image: _explain_trashed(first, one) for one in ranked[1:]}
    return Proposal(kept, reasons, outcomes)


def work_out(kept: Candidate, others: Sequence[Candidate]) -> Outcome:
    """What merging the others into `kept` copies and loses."""
    data, sources, copied, lost = kept.data, [], [], []
    for other in sorted(others, key=lambda one: one.rank, reverse=True):
        contradictions = list_contradictions(data if data.list_known() else kept.inherited, other.data)
        if contradictions:
            lost.append(f"The generation data of {other.name}: it has a different {_join(contradictions)}.")
            continue
        filled = fill_gaps(data, other.data)
        if filled != data:
            sources.append(other)
            new = [name for name in filled.list_known() if name not in data.list_known()] or ["size and generator"]
            copied.append(f"Generation data from {other.name}: {_join(new)}")
        data = filled
    lost += [text for other in others for text in _list_lost_lineage(kept, other)]
    return Outcome(data, sources, copied, [*lost, *_list_lost_tags(kept, others)])


def _list_lost_lineage(kept: Candidate, other: Candidate) -> list[str]:
    """Lists the links to sources that merging would lose. An image and its source are not duplicates, but the user can
    select both."""
    if kept.parent == other.image:
        return [f"The source of the image you keep: it was made from {other.name}."]
    if other.parent == kept.image:
        return [f"An image that was made from the image you keep: {other.name}."]
    if None not in (kept.parent, other.parent) and kept.parent != other.parent:
        return [f"The source of {other.name}: it differs from the source of the image you keep."]
    return []


def _list_lost_tags(kept: Candidate, others: Sequence[Candidate]) -> list[str]:
    """Lists tags that the user assigned to another image but rejected for the image to keep."""
    assigned = {tag for other in others for tag, decision in other.tags.items() if decision}
    rejected = sorted(tag for tag in assigned if kept.tags.get(tag) is False)
    return [f"Tags that you rejected for the image you keep: {_join(rejected)}."] if rejected else []


def _join(names: Sequence[str]) -> str:
    if len(names) > MAX_NAMED:
        return f"{', '.join(names[:MAX_NAMED])} and {len(names) - MAX_NAMED} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


# -- reasons --------------------------------------------------------------------------------------


def _explain_kept(first: Candidate, others: Sequence[Candidate]) -> str:
    """Explains why an image is kept, by the first criterion in which it is better than another image."""
    at = min((_find_difference(first, other) for other in others), default=len(first.rank) - 1)
    alone = not any(other.rank[at] for other in others)
    texts = (
        "The only image with an existing file" if alone else "Its file exists",
        "The only image with generation data" if alone else "Most complete generation data",
        f"Source of {format_count(first.children, 'other image')}",
        "Favorite",
        "Highest rating",
        "Most notes, tags and collections",
        f"Largest: {first.width} × {first.height}",
        "Largest file",
        "Oldest",
        "No other differences; added first",
    )
    return texts[at]


def _explain_trashed(first: Candidate, other: Candidate) -> str:
    """By the first thing in which the other one is better."""
    texts = (
        "Its file is missing",
        "Less generation data" if other.rank[1] else "No generation data",
        f"Source of {format_count(other.children, 'other image')}" if other.children else "No images were made from it",
        "Not a favorite",
        "Lower rating" if other.rating else "Not rated",
        "Fewer notes, tags and collections",
        f"Smaller: {other.width} × {other.height}",
        "Smaller file",
        "Newer",
        "No other differences; added later",
    )
    return texts[_find_difference(first, other)]


def _find_difference(first: Candidate, other: Candidate) -> int:
    pairs = zip(first.rank, other.rank, strict=True)
    return next(at for at, (one, another) in enumerate(pairs) if one != another)
