"""The edit that changes the exclude patterns of a folder. It has two steps: hide images, and show others again."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import excludes as queries
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.kinds import Edit
from mysticanvas.features.folders.exclude_rules import list_shown, load_rules


class ExcludeFiles(Edit, frozen=True, kw_only=True):
    """Hide images, and replace the exclude patterns of a folder. `folder` is its path, for display."""

    kind: ClassVar[str] = "folder.exclude"
    at_once: ClassVar[int] = 200
    root: int
    folder: str
    patterns: list[str]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return queries.hide(tx, images, now_ms=now_ms)

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        queries.set_patterns(tx, self.root, self.patterns)


class IncludeFiles(Edit, frozen=True, kw_only=True):
    """Show images again that the patterns of a folder no longer exclude."""

    kind: ClassVar[str] = "folder.include"
    at_once: ClassVar[int] = 200
    finds_images: ClassVar[bool] = True
    root: int

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return len(queries.show(tx, images, now_ms=now_ms))

    def targets(self, tx: ReadTx) -> list[GenerationId]:
        return list_shown(tx, load_rules(tx), self.root)


EDITS = (
    ExcludeFiles,
    IncludeFiles,
)
