"""The messages of the event stream, as the OpenAPI document describes them."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue, RootModel

from mysticanvas.http.schemas import Index
from mysticanvas.jobs.progress import KindProgress


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


class JobsEvent(BaseModel):
    """The data of `jobs`: the progress of the background jobs."""

    kinds: list[KindProgress]


class ListsEvent(BaseModel):
    """The data of `stale`: the names of lists (tags, collections, …) whose contents changed."""

    lists: list[str]


class ProblemEvent(BaseModel):
    """The data of `trouble`: why the library or its journal cannot be written. Null when it can be written again."""

    sentence: str | None


class GalleryEvent(RootModel[JobsEvent | ListsEvent | ProblemEvent | JsonValue]):
    """The data of the events for the gallery's pages: `jobs`, `stale`, `trouble`, `import` (an `ImportProgress`),
    `hello` and `ping`. They may change in any version."""


class StreamEvent(RootModel[ImagesEvent | EditDoneEvent | JobsDoneEvent | ImportDoneEvent | ResetEvent | GalleryEvent]):
    """The `data` of one event, as JSON. The name of the event tells which of these it is."""
