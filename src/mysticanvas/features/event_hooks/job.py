"""The job that delivers an event to a hook."""

from typing import Any

from mysticanvas.db import event_log
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.event_hooks import body, queries
from mysticanvas.features.event_hooks.hook_file import read_hooks
from mysticanvas.features.event_hooks.types import Delivered, DeliverHook, Hook


def prepare(tx: ReadTx, payload: dict[str, Any]) -> DeliverHook | None:
    """None if the hook was removed or turned off. Commands are in the file of the hooks only, never in a job."""
    hook = _find(tx, payload)
    return None if hook is None else DeliverHook(hook, body.build(hook, payload))


def apply(tx: WriteTx, payload: dict[str, Any], answer: Delivered) -> None:
    data = {
        "event": payload["event"],
        "count": len(payload["entries"]),
        "delivery": payload["delivery"],
        "output": answer.output,
    }
    event_log.append(tx, level="info", kind="hook.done", subject=answer.target, data=data, now_ms=now_ms())


def _find(tx: ReadTx, payload: dict[str, Any]) -> Hook | None:
    if payload["hook"] in queries.list_disabled(tx):
        return None
    found = (hook for hook in read_hooks(tx.library) if hook.id == payload["hook"])
    return next((hook for hook in found if hook.event.value == payload["event"]), None)
