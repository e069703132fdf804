"""Events that scripts can react to, through the event stream and hooks (docs/events.md)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class EventKind(StrEnum):
    """The kinds of events. The values are part of the API."""

    IMAGE_ADDED = "image.added"
    IMAGE_CHANGED = "image.changed"
    IMAGE_REMOVED = "image.removed"
    EDIT_DONE = "edit.done"
    JOB_DONE = "job.done"
    IMPORT_DONE = "import.done"


IMAGE_EVENTS = (EventKind.IMAGE_ADDED, EventKind.IMAGE_CHANGED, EventKind.IMAGE_REMOVED)


@dataclass(frozen=True, slots=True)
class EditDone:
    """The end of an edit, an undo or a redo. `state` is "done", "undone", or "expired" for an edit that can be neither
    completed nor undone. `changed` is the number of images, or other things, that the edit changed. `error` is why it
    was refused, null if it was not."""

    id: int
    kind: str
    state: str
    changed: int
    error: str | None


@dataclass(frozen=True, slots=True)
class JobDone:
    """The end of a background job. `state` is "error" once all of its attempts have failed."""

    id: int
    kind: str
    state: Literal["done", "error"]


@dataclass(frozen=True, slots=True)
class ImportDone:
    """The end of an import or a scan of folders. A scan after a change in a watched folder is reported only if it found
    something. `message` is why it failed, or which folders were offline."""

    id: str
    state: Literal["done", "cancelled", "failed"]
    folders: list[str]
    imported: int
    changed: int
    missing: int
    failed: int
    message: str


Ended = EditDone | JobDone | ImportDone
EVENT_OF: dict[type[Ended], EventKind] = {
    EditDone: EventKind.EDIT_DONE,
    JobDone: EventKind.JOB_DONE,
    ImportDone: EventKind.IMPORT_DONE,
}
