"""An edit that changes several things of one image at once."""

from collections.abc import Sequence
from typing import ClassVar

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.kinds import Edit, decode
from mysticanvas.edits.types import Step


class ChangeImage(Edit, frozen=True, kw_only=True):
    """Apply several edits of images as one. Each step is an edit in stored form."""

    kind: ClassVar[str] = "image.edit"
    at_once: ClassVar[int] = 300
    steps: Sequence[Step]

    def apply(self, tx: WriteTx, images: Sequence[GenerationId], now_ms: int) -> int:
        return max((decode(step).apply(tx, images, now_ms) for step in self.steps), default=0)

    def finish(self, tx: WriteTx, now_ms: int) -> None:
        for step in self.steps:
            decode(step).finish(tx, now_ms)


EDITS = (ChangeImage,)
