"""The requests and responses of the routes for duplicates."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from mysticanvas.features.duplicates.queries import GroupImage

Uuid = Annotated[str, Field(max_length=36)]


class MergeDuplicatesRequest(BaseModel):
    """Copies missing ratings, tags, notes and generation data from the other images to the image to keep, and moves
    the other images to Trash. If something would be lost, the request fails with status 409 unless `accept_loss` is
    true."""

    kept: Uuid
    others: list[Uuid] = Field(min_length=1, max_length=1_000)
    accept_loss: bool = False


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Duplicates of each other. `bits` is the largest difference between the perceptual hashes of two of them. `size`
    counts the images, of which at most 100 are returned. `kept` is the suggested image to keep, which is listed first;
    null if merging would lose something or nothing can be merged."""

    bits: int
    size: int
    kept: str | None
    images: list[GroupImage]


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    """`total` is the number of groups, and `images` the number of images in them. `next` is the `start` of the next
    page; null on the last page."""

    total: int
    images: int
    groups: list[DuplicateGroup]
    next: int | None


EXAMPLE_PAGE = DuplicatePage(
    total=1,
    images=2,
    groups=[
        DuplicateGroup(
            bits=2,
            size=2,
            kept="0b7c2d4e-5f60-4a1b-9c3d-2e4f6a8b0c1d",
            images=[
                GroupImage(
                    uuid="0b7c2d4e-5f60-4a1b-9c3d-2e4f6a8b0c1d",
                    thumb=None,
                    width=832,
                    height=1216,
                    bytes=1_482_201,
                    format="png",
                    rating=5,
                    favorite=True,
                    timestamp=1_787_400_000_000,
                    places=["/home/you/images/lighthouse.png"],
                    reason="It has the most pixels.",
                    copied=["Tags: storm"],
                )
            ],
        )
    ],
    next=None,
)
