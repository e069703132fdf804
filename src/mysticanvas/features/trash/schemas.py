"""The requests and responses of the routes for the Trash."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.trash.queries import Protected, TrashedImage
from mysticanvas.fs.trash import DiscardMethod
from mysticanvas.http.schemas import SelectionRequest


class TrashSelectionRequest(SelectionRequest):
    """Images in the Trash: selected by UUID, all of them, those whose retention period has ended, or a selection from a
    snapshot. Images that are not in the Trash are ignored."""

    snapshot: str | None = Field(None, max_length=64)
    uuids: list[Annotated[str, Field(max_length=36)]] | None = Field(None, max_length=10_000)
    which: Literal["all", "expired"] | None = None


class PurgeRequest(TrashSelectionRequest):
    """One request deletes at most 1,000 images; repeat it for the rest."""

    how: DiscardMethod = DiscardMethod.SYSTEM_TRASH
    dry_run: bool = False


class TrashSettingsRequest(BaseModel):
    """`days` is the retention period of images that are moved to Trash after this change."""

    days: int | None = Field(None, ge=1, le=3_650)
    locked: list[Protected] | None = None


@dataclass(frozen=True, slots=True)
class TrashPage:
    """Images in the Trash, those that expire soonest first. `images` and `bytes` count all of them. `days` and
    `locked` are the settings, as in `TrashSettings`. `next` is the `after` of the next page; null on the last page."""

    images: int
    bytes: int
    days: int
    locked: list[Protected]
    items: list[TrashedImage]
    next: int | None


@dataclass(frozen=True, slots=True)
class TrashSettings:
    """`days` until images that are moved to Trash expire. `locked` is what cannot be moved to Trash: favorites, and
    images in collections (collected)."""

    days: int
    locked: list[Protected]


@dataclass(frozen=True, slots=True)
class PurgeResult:
    """The images and files that were, or would be, deleted. `beside` are text files next to the images, which are not
    deleted. `kept` are files that were not deleted, each with the reason. `left` images are in the Trash afterwards."""

    images: int
    files: int
    bytes: int
    beside: list[str]
    kept: list[tuple[str, str]]
    left: int


EXAMPLE_PAGE = TrashPage(
    images=1,
    bytes=1_482_201,
    days=30,
    locked=["favorites"],
    items=[
        TrashedImage(
            id=GenerationId(134_414_080_000),
            uuid="0b7c2d4e-5f60-4a1b-9c3d-2e4f6a8b0c1d",
            deleted_at=1_787_400_000_000,
            purge_after=1_789_992_000_000,
            missing=False,
            thumb=None,
            path="/home/you/images/lighthouse.png",
            bytes=1_482_201,
            width=832,
            height=1216,
            prompt="a lighthouse in a violet storm",
        )
    ],
    next=None,
)
EXAMPLE_SETTINGS = TrashSettings(30, ["favorites"])
EXAMPLE_PURGE = PurgeResult(
    images=1, files=1, bytes=1_482_201, beside=[], kept=[("/home/you/a.png", "The file changed.")], left=0
)
