"""Edits by the name of their kind and their fields, as they are stored."""

from collections.abc import Sequence
from typing import Any

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits import apply
from mysticanvas.edits.kinds import decode
from mysticanvas.edits.types import EditResult, Step


def do(
    tx: WriteTx, kind: str, fields: dict[str, Any], images: Sequence[GenerationId] = (), *, now_ms: int
) -> EditResult:
    return apply.apply(tx, decode((kind, fields)), images, now_ms=now_ms)


def do_all(
    tx: WriteTx, kind: str, steps: Sequence[Step], images: Sequence[GenerationId] | None, *, now_ms: int
) -> EditResult:
    return apply.apply_all(tx, kind, [decode(step) for step in steps], images, now_ms=now_ms)
