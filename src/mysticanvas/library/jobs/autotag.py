"""One question to the model about one prompt, and its tags for every image that has it."""

from typing import Any

from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.machine import Endpoint, Provenance
from mysticanvas.domain.task import Answer, AskForTags, TagsSuggested, Task
from mysticanvas.endpoints.tagging import MAX_VOCABULARY, PROMPT_VERSION
from mysticanvas.library import autotagging
from mysticanvas.meaning.prompts import spoken
from mysticanvas.store import machine_tags
from mysticanvas.store.database import ReadTx, WriteTx


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """None when auto-tagging was switched off meanwhile, or nothing is left to tag."""
    text = machine_tags.prompt_text(tx, payload["prompt"])
    if autotagging.endpoint(tx) is None or text is None or not (said := spoken(text)):
        return None
    names = machine_tags.vocabulary(tx, limit=MAX_VOCABULARY)
    return AskForTags(Endpoint(**payload["endpoint"]), said, vocabulary=names, key=autotagging.read_key(tx.library))


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, TagsSuggested)
    images = machine_tags.still_there(tx, payload["images"])
    provenance = Provenance(payload["endpoint"]["model"], PROMPT_VERSION, payload["run"])
    machine_tags.take_in(tx, images, answer.tags, provenance, now_ms=now_ms())
