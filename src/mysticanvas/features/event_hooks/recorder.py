"""Records what hooks must be told, in the transaction that changes it: a change and its deliveries are committed
together, so no crash loses a delivery."""

import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from mysticanvas.db.database import ChangeSet, Database, ReadTx, WriteTx
from mysticanvas.db.images import changed_images
from mysticanvas.domain.event import EVENT_OF, IMAGE_EVENTS, EventKind, JobDone
from mysticanvas.features.event_hooks import queries
from mysticanvas.features.event_hooks.hook_file import HookFile, HookFileError
from mysticanvas.features.event_hooks.types import JOB_KIND, MAX_PER_DELIVERY, Hook
from mysticanvas.jobs import queue
from mysticanvas.jobs.queue import NewJob

log = logging.getLogger(__name__)


class HookRecorder:
    """Images that change while a delivery waits are added to it, up to `MAX_PER_DELIVERY`."""

    def __init__(self, file: HookFile, now_ms: Callable[[], int]) -> None:
        self._file = file
        self._now_ms = now_ms
        # The last delivery of each hook.
        self._last: dict[str, str] = {}
        self._reported = ""

    def record(self, tx: WriteTx, changes: ChangeSet) -> None:
        """Called before each commit, on the writer thread."""
        hooks = self._read_hooks()
        if not hooks:
            return
        disabled = queries.list_disabled(tx)
        enabled = [hook for hook in hooks if hook.id not in disabled]
        entries = _list_entries(tx, changes, {hook.event for hook in enabled})
        for hook in enabled:
            self._enqueue(tx, hook, entries.get(hook.event, []))

    def _read_hooks(self) -> list[Hook]:
        try:
            return self._file.read()
        except HookFileError as error:
            if str(error) != self._reported:
                log.warning("hooks are off", extra={"reason": str(error)})
                self._reported = str(error)
            return []

    def _enqueue(self, tx: WriteTx, hook: Hook, entries: Sequence[Any]) -> None:
        rest = self._fill_last(tx, hook, entries)
        for start in range(0, len(rest), MAX_PER_DELIVERY):
            delivery, at_ms = str(uuid.uuid4()), self._now_ms()
            self._last[hook.id] = delivery
            payload = {
                "hook": hook.id,
                "event": hook.event.value,
                "delivery": delivery,
                "at": at_ms,
                "entries": list(rest[start : start + MAX_PER_DELIVERY]),
            }
            queue.enqueue(tx, NewJob(JOB_KIND, payload, delivery), now_ms=at_ms)

    def _fill_last(self, tx: WriteTx, hook: Hook, entries: Sequence[Any]) -> Sequence[Any]:
        """Adds entries to a delivery that still waits. Returns the rest."""
        last = self._last.get(hook.id)
        waiting = None if last is None or not entries else queries.find_open(tx, last)
        if waiting is None:
            return entries
        job, payload = waiting
        known = set(payload["entries"]) if hook.event in IMAGE_EVENTS else set()
        new = [entry for entry in entries if hook.event not in IMAGE_EVENTS or entry not in known]
        room = MAX_PER_DELIVERY - len(payload["entries"])
        if new[:room]:
            queries.set_payload(tx, job, payload | {"entries": payload["entries"] + new[:room]})
        return new[room:]


def _list_entries(tx: ReadTx, changes: ChangeSet, wanted: set[EventKind]) -> dict[EventKind, list[Any]]:
    found: dict[EventKind, list[Any]] = {}
    if wanted.intersection(IMAGE_EVENTS) and (changes.added or changes.changed or changes.removed):
        found |= changed_images.list_changed(tx, changes)
    for one in changes.ended:
        # The end of a delivery is no event: each would cause the next.
        if not (isinstance(one, JobDone) and one.kind == JOB_KIND):
            found.setdefault(EVENT_OF[type(one)], []).append(asdict(one))
    return found


def start_recording(database: Database, file: HookFile, now_ms: Callable[[], int]) -> "nullcontext[None]":
    database.before_commit(HookRecorder(file, now_ms).record)
    return nullcontext()


def open_hook_file(database: Database) -> HookFile:
    return HookFile(database.folder)
