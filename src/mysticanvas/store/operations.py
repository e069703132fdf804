"""Deeds of the person, each with its inverse."""

import json
from dataclasses import dataclass
from typing import Any

from mysticanvas.domain.errors import NotFoundError
from mysticanvas.store.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Operation:
    id: int
    kind: str
    state: str
    changed: int
    inverse: Any


def record(tx: WriteTx, *, kind: str, changed: int, deed: Any, inverse: Any, now_ms: int) -> int:
    """The id under which the deed can be undone."""
    tx.run(
        """
        INSERT INTO operations (at, kind, state, changed, deed_json, inverse_json)
        VALUES (:now_ms, :kind, 'done', :changed, :deed, :inverse)
        """,
        kind=kind,
        changed=changed,
        deed=json.dumps(deed),
        inverse=json.dumps(inverse),
        now_ms=now_ms,
    )
    return tx.last_id


def find(tx: ReadTx, operation: int) -> Operation:
    """Raises `NotFoundError`."""
    row = tx.one(
        "SELECT id, kind, state, changed, inverse_json FROM operations WHERE id = :operation",
        operation=operation,
    )
    if row is None:
        raise NotFoundError("That deed is not known.")
    return Operation(inverse=json.loads(row.pop("inverse_json")), **row)


def mark_undone(tx: WriteTx, operation: int) -> None:
    tx.run("UPDATE operations SET state = 'undone' WHERE id = :operation", operation=operation)
