"""What a person's deed changes, as SQLite's session extension records it, and how it is taken back.

A changeset holds the old and the new value of every column that changed, so that applying it notices
a row that has become something else since. Derived tables are not recorded: triggers and the hooks of
edits/undo.py keep them.
"""

import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import apsw

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.errors import ConflictError

# Say when or how often something happened, not what: two deeds may both have changed them.
VOLATILE = frozenset(("updated_at", "uses"))
# A tag that a deed made may be in use by others when the deed is taken back: then it stays.
KEPT_WHILE_USED = "tags"


@dataclass(slots=True)
class Recording:
    """`changeset` is b"" until the recording has ended, and when nothing changed."""

    changeset: bytes = b""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row: `before` and `after` are by column and hold what changed and the key; None: no row."""

    table: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    def value(self, column: str) -> Any:
        return (self.before or {}).get(column, (self.after or {}).get(column))


@contextmanager
def recording(tx: WriteTx, tables: Collection[str]) -> Iterator[Recording]:
    """What the block changes in `tables`, triggers and cascades included."""
    session = apsw.Session(tx.connection, "main")
    recorded = Recording()
    try:
        for table in tables:
            session.attach(table)
        yield recorded
        recorded.changeset = b"" if session.is_empty else zlib.compress(session.changeset(), 1)
    finally:
        session.close()


def changes_in(tx: WriteTx, changeset: bytes, *, inverted: bool) -> list[RowChange]:
    """The rows of a changeset as they change when it is applied."""
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
    """With the key, which an update does not repeat."""
    after = _row(names, change.new)
    if after is not None and change.old is not None:
        after |= {names[i]: change.old[i] for i in change.pk_columns}
    return after


def apply(tx: WriteTx, changeset: bytes, *, inverted: bool) -> None:
    """Raises `ConflictError` when a row is not what it was; then nothing is changed."""
    if not changeset:
        return
    judge = _ConflictHandler(tx)
    plain = _decompress(changeset, inverted)
    try:
        apsw.Changeset.apply(
            plain,
            tx.connection,
            filter_change=judge.wants,
            conflict=judge.judge,
            # A row that others hang on by now must not take them along.
            flags=apsw.SQLITE_CHANGESETAPPLY_FKNOACTION,
        )
    except (apsw.AbortError, apsw.ConstraintError) as error:
        raise ConflictError(judge.reason or _MOVED_ON) from error
    for tag, name in judge.put_off:
        _remove_unused_tag(tx, tag, name)


def _decompress(changeset: bytes, inverted: bool) -> bytes:
    plain = zlib.decompress(changeset) if changeset else b""
    return apsw.Changeset.invert(plain) if inverted and plain else plain


_MOVED_ON = "What this changed has been changed again since. Undo the later changes first."
_GONE = "What this changed is gone by now. Undo what removed it first."
_TAKEN = "Another one has taken its place since. Undo that first."
_DEPENDED_ON = "Others hang on what this made by now, or what it hung on is gone. Undo the later changes first."


@dataclass(slots=True)
class _ConflictHandler:
    """Decides what to do about a row that is not what it was. `reason` is why nothing can be done."""

    tx: WriteTx
    reason: str | None = None
    put_off: list[tuple[int, str]] = field(default_factory=list)

    def wants(self, change: apsw.TableChange) -> bool:
        if change.name == KEPT_WHILE_USED and change.op == "DELETE" and change.old is not None:
            row = _row(list_columns(self.tx, change.name), change.old) or {}
            self.put_off.append((row["id"], row["normalized_name"]))
            return False
        return True

    def judge(self, why: int, change: apsw.TableChange) -> int:
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


Hook = Callable[[WriteTx, list[RowChange]], None]
