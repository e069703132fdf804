"""One picture, looked at by the tagger that the person chose."""

from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.wd_tagger import service
from mysticanvas.features.wd_tagger.types import PictureTagged, TagPicture
from mysticanvas.jobs import location as job_location

MOST_TAGS = 100


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """None when another tagger was chosen meanwhile: its own jobs do it then."""
    wanted, file = service.wishes(tx), job_location.of(tx, payload)
    if wanted is None or wanted.run != payload["run"] or file is None:
        return None
    return TagPicture(
        file.root, file.path_bytes, wanted.folder, wanted.least_general, wanted.least_character, MOST_TAGS
    )


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, PictureTagged)
    if job_location.of(tx, payload) is not None:
        service.say(tx, GenerationId(payload["generation"]), answer.tags, payload["run"], now_ms=now_ms())
