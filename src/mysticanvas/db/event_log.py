"""The event log: append-only, written in the transaction of the event it records."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mysticanvas.db.database import ReadTx, WriteTx

# Kinds of events that every page shows until they are dismissed.
NOTICES = ("journal.replaced", "journal.kept")
EventLevel = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An event. `subject` is what the event is about, such as a path; null if there is nothing to name. The fields of
    `data` depend on the kind."""

    id: int
    at: int
    level: EventLevel
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


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Selects entries of these levels and kinds (empty: all), from `since_ms` to before `until_ms`."""

    levels: Sequence[str] = ()
    kinds: Sequence[str] = ()
    since_ms: int | None = None
    until_ms: int | None = None


EVERYTHING = EntryFilter()


def list_newest(tx: ReadTx, *, before: int | None, wanted: EntryFilter = EVERYTHING, limit: int) -> list[LogEntry]:
    """The newest entries before the id `before`, newest first."""
    rows = tx.all(
        """
        SELECT id, at, level, kind, subject, data_json
          FROM events
         WHERE id < coalesce(:before, 9223372036854775807)
           AND (:any_level OR level IN (SELECT value FROM json_each(:levels)))
           AND (:any_kind OR kind IN (SELECT value FROM json_each(:kinds)))
           AND at >= coalesce(:since_ms, at) AND at < coalesce(:until_ms, 9223372036854775807)
         ORDER BY id DESC
         LIMIT :limit
        """,
        before=before,
        any_level=not wanted.levels,
        levels=json.dumps(list(wanted.levels)),
        any_kind=not wanted.kinds,
        kinds=json.dumps(list(wanted.kinds)),
        since_ms=wanted.since_ms,
        until_ms=wanted.until_ms,
        limit=limit,
    )
    return [LogEntry(data=json.loads(row.pop("data_json")), **row) for row in rows]


def find_last(tx: ReadTx, kind: str) -> LogEntry | None:
    row = tx.one(
        """
        SELECT id, at, level, kind, subject, data_json
          FROM events
         WHERE kind = :kind
         ORDER BY id DESC
         LIMIT 1
        """,
        kind=kind,
    )
    return None if row is None else LogEntry(data=json.loads(row.pop("data_json")), **row)


def count_by_kind(tx: ReadTx) -> dict[str, int]:
    """The number of entries of each kind."""
    return {row["kind"]: row["entries"] for row in tx.all("SELECT kind, count(*) AS entries FROM events GROUP BY kind")}


def find_notice(tx: ReadTx, *, since_ms: int) -> LogEntry | None:
    """The newest entry that every page shows, None without one since then."""
    found = list_newest(tx, before=None, wanted=EntryFilter(kinds=NOTICES, since_ms=since_ms), limit=1)
    return found[0] if found else None
