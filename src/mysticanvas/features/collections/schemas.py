"""The requests and responses of the routes for collections."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from mysticanvas.features.collections.queries import Collection
from mysticanvas.http.schemas import MAX_QUERY

Uuid = Annotated[str, Field(max_length=64)]


class CollectionCreationRequest(BaseModel):
    """A collection with a `query` is a smart collection."""

    name: str = Field(max_length=400)
    query: str | None = Field(None, max_length=MAX_QUERY)
    notes: str | None = Field(None, max_length=20_000)
    parent: Uuid | None = None


class CollectionEditRequest(BaseModel):
    """Omitted fields are not changed; null removes the parent or the cover."""

    name: str = Field("", max_length=400)
    query: str = Field("", max_length=MAX_QUERY)
    notes: str | None = Field(None, max_length=20_000)
    parent: Uuid | None = None
    cover: Uuid | None = None
    position: float | None = Field(None, ge=-1e9, le=1e9)


class ReorderRequest(BaseModel):
    """Move `images`, in this order, before the image with the UUID `before`, or to the end if `before` is null."""

    images: list[Uuid] = Field(min_length=1, max_length=1_000)
    before: Uuid | None = None


@dataclass(frozen=True, slots=True)
class CollectionDetail:
    """A collection. `query` is the search of a smart collection, and null for a manual one. `images` is null if the
    search is invalid or takes too long. `parent` and `cover` are UUIDs, and `thumb` is the name of the thumbnails of
    the cover or of the first image. `text` is the search that opens the collection."""

    id: int
    uuid: str
    name: str
    kind: Literal["manual", "smart"]
    query: str | None
    parent: str | None
    cover: str | None
    thumb: str | None
    notes: str | None
    position: float
    images: int | None
    text: str


@dataclass(frozen=True, slots=True)
class CollectionList:
    """All collections, siblings together and by position."""

    collections: list[CollectionDetail]


@dataclass(frozen=True, slots=True)
class CollectionItems:
    """The images of a manual collection, in order."""

    uuids: list[str]


def get_editable_fields(one: Collection) -> list[object]:
    """What a user can change of a collection, for its ETag."""
    return [one.uuid, one.kind, one.name, one.query, one.notes, one.parent, one.cover, one.position]


UUID = "7b1f0c52-3c1e-4d2a-9a5e-0f6b8d7c4e21"
EXAMPLE = CollectionDetail(
    id=3,
    uuid=UUID,
    name="Best",
    kind="manual",
    query=None,
    parent=None,
    cover=None,
    thumb=None,
    notes="For the wall",
    position=1.0,
    images=12,
    text="collection:Best sort:manual",
)
EXAMPLE_ITEMS = CollectionItems(["0b7c2d4e-5f60-4a1b-9c3d-2e4f6a8b0c1d"])
