"""The registry of edit kinds and of the tables that edits may change. `app/features.py` fills both.

An edit is stored as [kind, fields], so never reuse the name of a kind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.changesets import RowChange
from mysticanvas.edits.types import Step

# An edit of at most this many images is one transaction; a larger one runs in slices.
AT_ONCE = 1_000


class Edit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every undoable change: one class per kind, whose fields are its arguments.

    `at_once` is the largest number of images for one transaction. With `finds_images`, a step without given
    images uses those of `targets`.
    """

    kind: ClassVar[str]
    at_once: ClassVar[int] = AT_ONCE
    finds_images: ClassVar[bool] = False

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        """Changes some of the images, and returns how many things changed. Called once, without
        images, for an edit of no images. Must change rows of recorded tables only."""
        raise NotImplementedError

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        """The images of a step for which none were given."""
        return []

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        """Called at the end of the step, in the transaction of its last slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTables:
    """Tables that edits may change, each with the list that pages reload when one of its rows changes
    (None: no list), and the updates of their derived data.

    `check` raises `ConflictError` where rows are inconsistent, which an undo may cause; it runs when a table of
    `checked` changes. `update` updates derived data, given the changed rows of `tables` and `also`.
    """

    tables: dict[str, str | None]
    also: frozenset[str] = frozenset()
    checked: frozenset[str] = frozenset()
    check: Callable[[ReadTx], None] | None = None
    update: Callable[[WriteTx, list[RowChange]], None] | None = None

    def sees(self, table: str) -> bool:
        return table in self.tables or table in self.also


EDITS: dict[str, type[Edit]] = {}
RECORDED: list[RecordedTables] = []


def register(edits: Sequence[type[Edit]], recorded: Sequence[RecordedTables]) -> None:
    """Registering the same kind twice has no effect. Raises `ValueError` where two kinds share a name."""
    for edit in edits:
        if EDITS.setdefault(edit.kind, edit) is not edit:
            raise ValueError(f"Two edit kinds are named {edit.kind}.")
    RECORDED.extend(one for one in recorded if one not in RECORDED)


def list_recorded_tables() -> list[str]:
    """Every table that edits may change."""
    return list({table: None for one in RECORDED for table in one.tables})


def encode(edit: Edit) -> Step:
    """The form in which an edit is stored."""
    fields: dict[str, Any] = msgspec.to_builtins(edit)
    return edit.kind, fields


def decode(step: Step) -> Edit:
    """Raises `ConflictError` for an unknown kind or unexpected fields."""
    kind, fields = step
    if kind not in EDITS:
        raise ConflictError(f"This version of MystiCanvas does not support the edit “{kind}”. Update MystiCanvas.")
    try:
        return msgspec.convert(fields, EDITS[kind])
    except msgspec.ValidationError as error:
        raise ConflictError(f"This version of MystiCanvas cannot read the edit “{kind}”: {error}.") from error
