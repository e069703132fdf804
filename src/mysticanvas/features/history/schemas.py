"""The requests and responses of the routes for edits."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from mysticanvas.edits.log import EditedImage
from mysticanvas.edits.types import EditResult, EditState, Step
from mysticanvas.http.schemas import MAX_QUERY, SelectionRequest

Names = Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=100)]


class ImageTagsRequest(BaseModel):
    """Tag names. `remove` removes the user's own assignment and rejects tags that another source assigned too;
    `reject` always rejects."""

    add: Names = []
    remove: Names = []
    reject: Names = []


class ImageChangeRequest(BaseModel):
    """What to change of an image. Fields that are not set stay as they are; notes that are null are deleted."""

    favorite: bool | None = None
    rating: int | None = Field(None, ge=0, le=5)
    notes: str | None = Field(None, max_length=100_000)
    tags: ImageTagsRequest | None = None


class ImagesChangeRequest(ImageChangeRequest):
    """The change of an edit: set exactly one field. `collect` and `uncollect` take the UUID of a collection."""

    collect: str | None = Field(None, max_length=64)
    uncollect: str | None = Field(None, max_length=64)
    trash: bool | None = None


class EditRequest(SelectionRequest):
    """The images: a selection from a snapshot, all current matches of a query, or UUIDs. `set` is the change."""

    snapshot: str | None = Field(None, max_length=64)
    query: str | None = Field(None, max_length=MAX_QUERY)
    uuids: list[Annotated[str, Field(max_length=36)]] | None = Field(None, max_length=10_000)
    change: ImagesChangeRequest = Field(alias="set")


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRecord(EditResult):
    """An edit in the history. `at` is its time in milliseconds. `steps` are the first of `steps_total` changes, each
    with its kind and its arguments, and `images` the first images that it changed."""

    at: int
    kind: str
    steps: list[Step]
    steps_total: int
    images: list[EditedImage]


@dataclass(frozen=True, slots=True)
class EditPage:
    """Edits, newest first. `next` is the `before` of the next page; null on the last page."""

    operations: list[EditRecord]
    next: int | None


EXAMPLE_PAGE = EditPage(
    [
        EditRecord(
            operation=12,
            changed=1,
            total=1,
            state=EditState.DONE,
            error=None,
            at=1_787_400_000_000,
            kind="rating",
            steps=[("rating", {"value": 5})],
            steps_total=1,
            images=[EditedImage("0b7c2d4e-5f60-4a1b-9c3d-2e4f6a8b0c1d", None, 0x4A3B7C, 832, 1216, "here")],
        )
    ],
    next=None,
)
