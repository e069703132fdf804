"""One picture, looked at by the tagger that the person chose."""

from typing import Any

from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, PictureTagged, TagPicture, Task
from mysticanvas.library import vision
from mysticanvas.library.jobs import location
from mysticanvas.store.database import ReadTx, WriteTx

MOST_TAGS = 100


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """None when another tagger was chosen meanwhile: its own jobs do it then."""
    wanted, file = vision.wishes(tx), location.of(tx, payload)
    if wanted is None or wanted.run != payload["run"] or file is None:
        return None
    return TagPicture(
        file.root, file.path_bytes, wanted.folder, wanted.least_general, wanted.least_character, MOST_TAGS
    )


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, PictureTagged)
    if location.of(tx, payload) is not None:
        vision.say(tx, GenerationId(payload["generation"]), answer.tags, payload["run"], now_ms=now_ms())
