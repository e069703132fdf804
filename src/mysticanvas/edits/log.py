"""The undo log: every edit with its state, its slices and its progress."""

import json
import sys
import uuid
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.event import EditDone
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.types import EditResult, EditState, Step

UUID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Operation:
    id: int
    at: int
    kind: str
    state: EditState
    total: int
    changed: int
    steps: list[Step]
    error: str | None

    @property
    def result(self) -> EditResult:
        return EditResult(self.id, self.changed, self.state, self.total, self.error)


@dataclass(frozen=True, slots=True)
class Slice:
    """`images` are uuids. `changeset` is the one that `edits/changesets.py` recorded."""

    number: int
    images: list[str]
    changeset: bytes


@dataclass(frozen=True, slots=True)
class Progress:
    """`count` is the number of images of the step, None when it has not found them yet; `next` is the position of
    the next image."""

    step: int
    count: int | None
    next: int


def add(tx: WriteTx, *, kind: str, steps: Sequence[Step], state: EditState, total: int, now_ms: int) -> int:
    """Adds an edit and returns its id, with which it can be undone."""
    tx.run(
        """
        INSERT INTO operations (at, kind, state, total, changed, steps_json)
        VALUES (:now_ms, :kind, :state, :total, 0, :steps)
        """,
        kind=kind,
        state=state.value,
        total=total,
        steps=json.dumps(steps, ensure_ascii=False),
        now_ms=now_ms,
    )
    tx.changes.invalidated.add("edits")
    return tx.last_id


_OPERATION = "SELECT id, at, kind, state, total, changed, steps_json, trouble AS error FROM operations"


def find(tx: ReadTx, operation: int) -> Operation:
    """Raises `NotFoundError`."""
    row = tx.one(_OPERATION + " WHERE id = :operation", operation=operation)
    if row is None:
        raise NotFoundError("This edit does not exist, or is too old to be undone.")
    return _build_operation(row)


def list_operations(tx: ReadTx, *, before: int | None, limit: int) -> list[Operation]:
    """Newest first, without those that changed nothing."""
    rows = tx.all(
        _OPERATION
        + """
         WHERE id < coalesce(:before, 9223372036854775807)
           AND NOT (state = 'expired' AND changed = 0 AND trouble IS NULL)
         ORDER BY id DESC
         LIMIT :limit
        """,
        before=before,
        limit=limit,
    )
    return [_build_operation(row) for row in rows]


def find_unfinished(tx: ReadTx) -> int | None:
    """The oldest edit that is being applied, undone or redone; None when there is none."""
    found: int | None = tx.value(
        "SELECT id FROM operations WHERE state IN ('applying', 'undoing', 'redoing') ORDER BY id LIMIT 1"
    )
    return found


def find_last_done(tx: ReadTx) -> int | None:
    """The newest edit that is done: the next one to undo."""
    found: int | None = tx.value("SELECT max(id) FROM operations WHERE state = 'done'")
    return found


def find_last_undone(tx: ReadTx) -> int | None:
    """The edit that was undone last: the next one to redo. None once another edit was made after the undo."""
    found: int | None = tx.value(
        "SELECT id FROM operations WHERE state = 'undone' AND redo_order IS NOT NULL ORDER BY redo_order DESC LIMIT 1"
    )
    return found


def offer_redo(tx: WriteTx, operation: int) -> None:
    """Makes an edit the next one to redo."""
    tx.run(
        "UPDATE operations SET redo_order = (SELECT coalesce(max(redo_order), 0) + 1 FROM operations) WHERE id = :id",
        id=operation,
    )


def drop_redo(tx: WriteTx, operation: int | None = None) -> None:
    """No longer offers to redo an edit (None: any edit), which the history can still redo by its number."""
    tx.run(
        "UPDATE operations SET redo_order = NULL WHERE redo_order IS NOT NULL AND id = coalesce(:id, id)", id=operation
    )


def _build_operation(row: dict[str, object]) -> Operation:
    steps = [(kind, args) for kind, args in json.loads(str(row.pop("steps_json")))]
    state = EditState(str(row.pop("state")))
    return Operation(steps=steps, state=state, **row)  # type: ignore[arg-type]


def set_state(tx: WriteTx, operation: int, state: EditState, *, error: str | None = None) -> None:
    tx.run(
        "UPDATE operations SET state = :state, trouble = :error WHERE id = :operation",
        operation=operation,
        state=state.value,
        error=error,
    )
    tx.changes.invalidated.add("edits")
    if not state.is_moving:
        ended = find(tx, operation)
        tx.changes.ended.append(EditDone(operation, ended.kind, state.value, ended.changed, error))


def add_changed(tx: WriteTx, operation: int, changed: int) -> None:
    """Adds to the number of changed images; negative for an undo."""
    sql = "UPDATE operations SET changed = changed + :changed WHERE id = :operation"
    tx.run(sql, operation=operation, changed=changed)
    tx.changes.invalidated.add("edits")


def set_total(tx: WriteTx, operation: int, total: int) -> None:
    tx.run("UPDATE operations SET total = :total WHERE id = :operation", operation=operation, total=total)


@dataclass(frozen=True, slots=True)
class EditedImage:
    """An image of an edit. `thumb` is the hash of its content in hex. `state` is "gone" once it is deleted
    permanently."""

    uuid: str
    thumb: str | None
    color: int | None
    width: int | None
    height: int | None
    state: Literal["here", "trashed", "gone"]


def list_touched_images(tx: ReadTx, operation: int, *, limit: int) -> list[EditedImage]:
    """The first images of an edit, including deleted ones; empty for an edit of no images."""
    packed = tx.value(
        "SELECT substr(images, 1, :most) FROM operation_slices WHERE operation_id = :operation ORDER BY number LIMIT 1",
        operation=operation,
        most=limit * UUID_BYTES,
    )
    names = _unpack_uuids(packed or b"")
    rows = tx.all(
        """
        SELECT g.uuid, nullif(lower(hex(f.blake3)), '') AS thumb, f.color_rgb AS color, f.width, f.height,
               CASE WHEN g.deleted_at IS NULL THEN 'here' ELSE 'trashed' END AS state
          FROM json_each(:names) AS n
               JOIN generations AS g ON g.uuid = n.value
               LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
        """,
        names=json.dumps(names),
    )
    known = {row["uuid"]: EditedImage(**row) for row in rows}
    return [known.get(name, EditedImage(name, None, None, None, None, "gone")) for name in names]


# -- slices ---------------------------------------------------------------------------------------


def add_slice(tx: WriteTx, operation: int, images: Sequence[GenerationId], changeset: bytes) -> None:
    tx.run(
        """
        INSERT INTO operation_slices (operation_id, number, images, changeset)
        SELECT :operation, coalesce(max(number), 0) + 1, :images, :changeset
          FROM operation_slices
         WHERE operation_id = :operation
        """,
        operation=operation,
        images=b"".join(uuid.UUID(one).bytes for one in _list_uuids(tx, images)),
        changeset=changeset,
    )


def has_changes(tx: ReadTx, operation: int) -> bool:
    """Whether a slice of the edit changed a row."""
    sql = "SELECT EXISTS (SELECT 1 FROM operation_slices WHERE operation_id = :operation AND length(changeset) > 0)"
    return bool(tx.value(sql, operation=operation))


def next_slice(tx: ReadTx, operation: int, *, applied: bool) -> Slice | None:
    """The last slice that is applied, or the first that is not; None when there is none."""
    order = "DESC" if applied else "ASC"
    row = tx.one(
        f"""
        SELECT number, images, changeset FROM operation_slices
         WHERE operation_id = :operation AND applied = :applied
         ORDER BY number {order} LIMIT 1
        """,  # noqa: S608 - one of two words
        operation=operation,
        applied=int(applied),
    )
    if row is None:
        return None
    return Slice(row["number"], _unpack_uuids(row["images"]), row["changeset"])


def _unpack_uuids(names: bytes) -> list[str]:
    return [str(uuid.UUID(bytes=names[i : i + UUID_BYTES])) for i in range(0, len(names), UUID_BYTES)]


def set_applied(tx: WriteTx, operation: int, number: int, applied: bool) -> None:
    tx.run(
        "UPDATE operation_slices SET applied = :applied WHERE operation_id = :operation AND number = :number",
        operation=operation,
        number=number,
        applied=int(applied),
    )


def find_images(tx: ReadTx, names: Sequence[str]) -> list[GenerationId]:
    """The images with these uuids, in the given order, without those that do not exist."""
    sql = "SELECT g.id FROM json_each(:names) AS n CROSS JOIN generations AS g ON g.uuid = n.value ORDER BY n.key"
    return tx.column(sql, names=json.dumps(list(names)))


def _list_uuids(tx: ReadTx, images: Sequence[GenerationId]) -> list[str]:
    sql = "SELECT g.uuid FROM json_each(:images) AS n JOIN generations AS g ON g.id = n.value"
    return tx.column(sql, images=json.dumps(list(images)))


# -- progress -------------------------------------------------------------------------------------


def begin_step(tx: WriteTx, operation: int, step: int, images: Sequence[GenerationId] | None) -> None:
    """`images` is None for a step that has yet to find its images."""
    tx.run(
        """
        INSERT INTO operation_work (operation_id, step, images, next)
        VALUES (:operation, :step, :images, 0)
            ON CONFLICT (operation_id)
            DO UPDATE SET step = excluded.step, images = excluded.images, next = excluded.next
        """,
        operation=operation,
        step=step,
        images=None if images is None else _pack(images),
    )


def set_position(tx: WriteTx, operation: int, position: int) -> None:
    sql = "UPDATE operation_work SET next = :position WHERE operation_id = :operation"
    tx.run(sql, operation=operation, position=position)


def get_progress(tx: ReadTx, operation: int) -> Progress | None:
    row = tx.one(
        "SELECT step, length(images) / 8 AS count, next FROM operation_work WHERE operation_id = :operation",
        operation=operation,
    )
    return Progress(**row) if row else None


def list_planned(tx: ReadTx, operation: int, first: int, limit: int) -> list[GenerationId]:
    """At most `limit` images of the current step, from the position `first` on."""
    packed = tx.value(
        "SELECT substr(images, :first * 8 + 1, :limit * 8) FROM operation_work WHERE operation_id = :operation",
        operation=operation,
        first=first,
        limit=limit,
    )
    return _unpack(packed or b"")


def end_progress(tx: WriteTx, operation: int) -> None:
    tx.run("DELETE FROM operation_work WHERE operation_id = :operation", operation=operation)


def prune(tx: WriteTx, *, before_ms: int, kept: int) -> int:
    """Forgets edits older than `before_ms`, except the newest `kept`. Returns how many."""
    return tx.run(
        """
        DELETE FROM operations
         WHERE at < :before_ms AND state IN ('done', 'undone', 'expired')
           AND id <= (SELECT id FROM operations ORDER BY id DESC LIMIT 1 OFFSET :kept)
        """,
        before_ms=before_ms,
        kept=kept,
    )


def pack_ids(images: Sequence[int]) -> bytes:
    """Compressed; see `unpack_ids`."""
    return zlib.compress(_pack(images), 1)


def unpack_ids(packed: bytes) -> list[GenerationId]:
    return _unpack(zlib.decompress(packed))


def _pack(images: Sequence[int]) -> bytes:
    """Little-endian, 64 bits each."""
    packed = array("q", images)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _unpack(packed: bytes) -> list[GenerationId]:
    images = array("q")
    images.frombytes(packed)
    if sys.byteorder == "big":
        images.byteswap()
    return [GenerationId(image) for image in images]
