"""The library's log: append-only, in the transaction of what it tells (I6)."""

import json
from dataclasses import dataclass
from typing import Any

from mysticanvas.store.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class LogEntry:
    id: int
    at: int
    level: str
    kind: str
    subject: str | None
    data: dict[str, Any]


def append(tx: WriteTx, *, level: str, kind: str, subject: str | None, data: dict[str, Any], now_ms: int) -> None:
    """`level` is info, warning or error."""
    tx.run(
        """
        INSERT INTO events (at, level, kind, subject, data_json)
        VALUES (:now_ms, :level, :kind, :subject, :data)
        """,
        level=level,
        kind=kind,
        subject=subject,
        data=json.dumps(data, ensure_ascii=False),
        now_ms=now_ms,
    )
    tx.changes.events = True


def newest(tx: ReadTx, *, before: int | None, level: str | None, kind: str | None, limit: int) -> list[LogEntry]:
    """The newest entries before the id `before`, newest first."""
    rows = tx.all(
        """
        SELECT id, at, level, kind, subject, data_json
          FROM events
         WHERE id < coalesce(:before, 9223372036854775807)
           AND (:level IS NULL OR level = :level)
           AND (:kind IS NULL OR kind = :kind)
         ORDER BY id DESC
         LIMIT :limit
        """,
        before=before,
        level=level,
        kind=kind,
        limit=limit,
    )
    return [LogEntry(data=json.loads(row.pop("data_json")), **row) for row in rows]
