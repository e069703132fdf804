"""Job `vision`: tags one image with the selected WD tagger."""

from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.wd_tagger import service
from mysticanvas.features.wd_tagger.types import ImageTagged, TagImage
from mysticanvas.jobs import location as job_location

MAX_TAGS = 100


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """None when the file is missing, or when another tagger was selected meanwhile, which has its own jobs."""
    settings, file = service.get_settings(tx), job_location.find_location(tx, payload)
    if settings is None or settings.run != payload["run"] or file is None:
        return None
    return TagImage(
        file.root, file.path_bytes, settings.folder, settings.least_general, settings.least_character, MAX_TAGS
    )


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, ImageTagged)
    if job_location.find_location(tx, payload) is not None:
        service.assign_tags(tx, GenerationId(payload["generation"]), answer.tags, payload["run"], now_ms=now_ms())
