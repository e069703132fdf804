"""Changesets of edits, as SQLite's session extension records and applies them.

A changeset holds the old and the new value of every changed column, so applying it detects rows that
changed since. Derived tables are not recorded: triggers and `edits/derived.py` update them.
"""

import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import apsw

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.errors import ConflictError

# Columns that two changes may both set without a conflict: when or how often something happened, and whether an image
# is excluded, which an import resets when it finds the image elsewhere.
VOLATILE = frozenset(("updated_at", "uses", "excluded_at"))
# A tag that an edit created may be used by others when the edit is undone: then the tag is kept.
KEPT_WHILE_USED = "tags"


@dataclass(slots=True)
class Recording:
    """`changeset` is b"" until the recording ends, and when nothing changed."""

    changeset: bytes = b""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One changed row. `before` and `after` map the changed columns and the key to values; None: no row."""

    table: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    def value(self, column: str) -> Any:
        return (self.before or {}).get(column, (self.after or {}).get(column))


@contextmanager
def record_changes(tx: WriteTx, tables: Collection[str]) -> Iterator[Recording]:
    """Records the changes of the block in `tables`, including those by triggers and cascades."""
    session = apsw.Session(tx.connection, "main")
    recorded = Recording()
    try:
        for table in tables:
            session.attach(table)
        yield recorded
        recorded.changeset = b"" if session.is_empty else zlib.compress(session.changeset(), 1)
    finally:
        session.close()


def list_changes(tx: WriteTx, changeset: bytes, *, inverted: bool) -> list[RowChange]:
    """The changes that applying the changeset makes."""
    names: dict[str, list[str]] = {}
    found = []
    for change in apsw.Changeset.iter(_decompress(changeset, inverted)):
        table = change.name
        if table not in names:
            names[table] = list_columns(tx, table)
        found.append(RowChange(table, _row(names[table], change.old), _row_after(names[table], change)))
    return found


def list_columns(tx: WriteTx, table: str) -> list[str]:
    return tx.column("SELECT name FROM pragma_table_info(:name) ORDER BY cid", name=table)


def _row(names: list[str], values: tuple[Any, ...] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {name: value for name, value in zip(names, values, strict=False) if value is not apsw.no_change}


def _row_after(names: list[str], change: apsw.TableChange) -> dict[str, Any] | None:
    """The new values with the key, which an update does not repeat."""
    after = _row(names, change.new)
    if after is not None and change.old is not None:
        after |= {names[i]: change.old[i] for i in change.pk_columns}
    return after


def apply(tx: WriteTx, changeset: bytes, *, inverted: bool) -> None:
    """Applies or, with `inverted`, reverts a changeset. Raises `ConflictError` when a row changed since; then
    nothing is changed."""
    if not changeset:
        return
    handler = _ConflictHandler(tx)
    plain = _decompress(changeset, inverted)
    try:
        apsw.Changeset.apply(
            plain,
            tx.connection,
            filter_change=handler.accepts,
            conflict=handler.resolve,
            # Rows that refer to a removed row must not be removed with it.
            flags=apsw.SQLITE_CHANGESETAPPLY_FKNOACTION,
        )
    except (apsw.AbortError, apsw.ConstraintError) as error:
        raise ConflictError(handler.reason or _MOVED_ON) from error
    for tag, name in handler.deferred:
        _remove_unused_tag(tx, tag, name)


def _decompress(changeset: bytes, inverted: bool) -> bytes:
    plain = zlib.decompress(changeset) if changeset else b""
    return apsw.Changeset.invert(plain) if inverted and plain else plain


_MOVED_ON = "The edited item was changed again later. Undo the later edits first."
_GONE = "The edited item was removed later. Undo the removal first."
_TAKEN = "A new item was created in place of the edited item. Undo its creation first."
_DEPENDED_ON = "Later edits depend on this edit, or an item that it needs was removed. Undo the later edits first."


@dataclass(slots=True)
class _ConflictHandler:
    """Decides about rows that changed since. `reason` is why the changeset cannot be applied."""

    tx: WriteTx
    reason: str | None = None
    deferred: list[tuple[int, str]] = field(default_factory=list)

    def accepts(self, change: apsw.TableChange) -> bool:
        if change.name == KEPT_WHILE_USED and change.op == "DELETE" and change.old is not None:
            row = _row(list_columns(self.tx, change.name), change.old) or {}
            self.deferred.append((row["id"], row["normalized_name"]))
            return False
        return True

    def resolve(self, why: int, change: apsw.TableChange) -> int:
        if why == apsw.SQLITE_CHANGESET_DATA:
            if self._only_volatile(change):
                return apsw.SQLITE_CHANGESET_REPLACE
            self.reason = _MOVED_ON
        elif why == apsw.SQLITE_CHANGESET_NOTFOUND:
            self.reason = _GONE
        elif why == apsw.SQLITE_CHANGESET_CONFLICT:
            if change.conflict is not None and change.new == change.conflict:
                return apsw.SQLITE_CHANGESET_OMIT
            self.reason = _TAKEN
        elif why == apsw.SQLITE_CHANGESET_CONSTRAINT:
            self.reason = _TAKEN
        else:
            self.reason = _DEPENDED_ON
        return apsw.SQLITE_CHANGESET_ABORT

    def _only_volatile(self, change: apsw.TableChange) -> bool:
        if change.old is None or change.conflict is None:
            return False
        names = list_columns(self.tx, change.name)
        unlike = {
            name
            for name, old, now in zip(names, change.old, change.conflict, strict=False)
            if old is not apsw.no_change and old != now
        }
        return unlike <= VOLATILE


def _remove_unused_tag(tx: WriteTx, tag: int, normalized_name: str) -> None:
    tx.run(
        """
        DELETE FROM tags
         WHERE id = :tag AND normalized_name = :normalized_name
           AND NOT EXISTS (SELECT 1 FROM tag_assertions WHERE tag_id = :tag)
           AND NOT EXISTS (SELECT 1 FROM tag_alias_edges WHERE tag_id = :tag OR target_id = :tag)
           AND NOT EXISTS (SELECT 1 FROM tag_implications WHERE tag_id = :tag OR implied_id = :tag)
           AND NOT EXISTS (SELECT 1 FROM tag_thresholds WHERE tag_id = :tag)
        """,
        tag=tag,
        normalized_name=normalized_name,
    )
