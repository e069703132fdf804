"""What a hook receives, as JSON."""

from datetime import UTC, datetime
from typing import Any

from mysticanvas.domain.event import EventKind
from mysticanvas.features.event_hooks.types import Hook

VERSION = 1
_LISTS = {EventKind.EDIT_DONE: "edits", EventKind.JOB_DONE: "jobs", EventKind.IMPORT_DONE: "imports"}


def build(hook: Hook, payload: dict[str, Any]) -> dict[str, Any]:
    """The same payload always gives the same body, so a repeated delivery is equal to the first. `uuids` is the list of
    images, empty for an event of something else."""
    return {
        "version": VERSION,
        "event": hook.event.value,
        "delivery": payload["delivery"],
        "hook": hook.id,
        "at": datetime.fromtimestamp(payload["at"] / 1000, UTC).isoformat(timespec="milliseconds"),
        "uuids": [],
        _LISTS.get(hook.event, "uuids"): payload["entries"],
    }
