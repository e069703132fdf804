"""The messages of the event stream, as the OpenAPI document describes them."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue, RootModel

from mysticanvas.http.schemas import Index


class ImagesEvent(BaseModel):
    """The data of `image.added`, `image.changed` and `image.removed`."""

    uuids: list[str] | None = Field(
        max_length=1_000,
        description="The images. Null if more than 10,000 images changed at once: search again instead.",
    )
    count: Index = Field(description="The number of images of this message.")
    total: Index = Field(description="The number of images in the library.")


class EditDoneEvent(BaseModel):
    """The data of `edit.done`: the end of an edit, an undo or a redo."""

    id: Index
    kind: str
    state: Literal["done", "undone", "expired"]
    changed: Index = Field(description="The number of images that the edit changed.")
    error: str | None = Field(description="Why the edit, or its undo or redo, was refused.")


class FinishedJob(BaseModel):
    id: Index
    kind: str
    state: Literal["done", "error"]


class JobsDoneEvent(BaseModel):
    """The data of `job.done`: background jobs that are done, or whose attempts have all failed."""

    jobs: list[FinishedJob] = Field(max_length=1_000)


class ImportDoneEvent(BaseModel):
    """The data of `import.done`: the end of an import or a scan."""

    id: str
    state: Literal["done", "cancelled", "failed"]
    folders: list[str]
    imported: Index
    changed: Index
    missing: Index
    failed: Index
    message: str


class ResetEvent(BaseModel):
    """The data of `reset`: messages after your last event ID are lost. Load what you need again."""


class GalleryEvent(RootModel[JsonValue]):
    """The data of the events for the gallery's pages: `hello`, `ping`, `import`, `jobs`, `stale` and `trouble`. They
    may change in any version."""


class StreamEvent(RootModel[ImagesEvent | EditDoneEvent | JobsDoneEvent | ImportDoneEvent | ResetEvent | GalleryEvent]):
    """The `data` of one event, as JSON. The name of the event tells which of these it is."""
