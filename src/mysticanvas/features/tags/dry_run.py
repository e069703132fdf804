"""What a bulk edit of tags would change: its edits are applied in a savepoint, which is rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import make_tag_key
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.tags import assertion_queries, queries, relation_queries
from mysticanvas.features.tags.bulk_script import Line
from mysticanvas.features.tags.edits import AddImplication, EnsureTag, RenameTag

# The dry run blocks all other writes. Beyond this many images, assignments are counted but not moved, so the counts
# of later lines may be too low.
MAX_MOVED = 5_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """`images` counts the images whose assignments would change. A `conflict` says why the line, and with it the
    bulk edit, would fail; a `remark` is only a hint."""

    line: int
    text: str
    images: int
    conflict: str | None = None
    remark: str | None = None


class _RollBackError(Exception):
    """Rolls back the transaction and carries the outcomes out of it."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


def try_all(database: Database, lines: Sequence[Line]) -> list[Outcome]:
    """The outcome of each line, applied after the lines before it. Changes nothing."""
    try:
        database.write_bulk(_try_and_roll_back, lines)
    except _RollBackError as rolled_back:
        return rolled_back.outcomes
    raise AssertionError("a dry run always rolls back")


def _try_and_roll_back(tx: WriteTx, lines: Sequence[Line]) -> None:
    outcomes, moved = [], 0
    for line in lines:
        try:
            with tx.savepoint():
                images = _list_images(tx, line.edit)
                remark = _find_remark(tx, line.edit)
                moved += len(images)
                _apply(tx, line.edit, images if moved <= MAX_MOVED else [])
            outcomes.append(Outcome(line.number, line.text, len(images), None, remark))
        except MystiCanvasError as error:
            outcomes.append(Outcome(line.number, line.text, 0, str(error)))
    raise _RollBackError(outcomes)


def _apply(tx: WriteTx, edit: Edit, images: Sequence[GenerationId]) -> None:
    edit.apply(tx, images if edit.finds_images else [], now_ms=0)
    edit.finish(tx, now_ms=0)


def _list_images(tx: WriteTx, edit: Edit) -> list[GenerationId]:
    name: str | None = getattr(edit, "tag", None)
    if name is None or isinstance(edit, EnsureTag | RenameTag):
        return []
    found = queries.find(tx, make_tag_key(name))
    return [] if found is None else assertion_queries.list_images(tx, found.id)


def _find_remark(tx: WriteTx, edit: Edit) -> str | None:
    if not isinstance(edit, AddImplication):
        return None
    tag, implied = queries.find(tx, make_tag_key(edit.tag)), queries.find(tx, make_tag_key(edit.implies))
    if tag is None or implied is None or not relation_queries.load_graph(tx).is_redundant(tag.id, implied.id):
        return None
    return "Other implications already have this effect."
