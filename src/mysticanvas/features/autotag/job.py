"""One question to a model, about a prompt or an image, and its tags for every image that was meant."""

from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.autotag import keys, service
from mysticanvas.features.autotag.types import AskForTags, Endpoint, LookAt, TagsSuggested
from mysticanvas.features.tags import model_tags, model_tags_queries
from mysticanvas.features.tags import queries as tag_queries
from mysticanvas.imaging.thumbnail_cache import SHORT_EDGES_PX, ThumbCache
from mysticanvas.ml.prompts import spoken

# Names of the library's own that are sent to the worker, which chooses the nearest.
VOCABULARY = 400


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """None when auto-tagging was switched off meanwhile, or nothing is left to ask."""
    look_at = LookAt(payload["look_at"])
    images = _images(tx, payload)
    said = _said(tx, payload["prompt"]) if look_at is not LookAt.PICTURE else None
    if service.wishes(tx) is None or not images or (look_at is LookAt.PROMPT and not said):
        return None
    return AskForTags(
        Endpoint(**payload["endpoint"]),
        said,
        picture=None if look_at is LookAt.PROMPT else picture(tx, images[0]),
        vocabulary=vocabulary(tx),
        key=keys.read_key(tx.library, payload["endpoint"]["base_url"]),
    )


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, TagsSuggested)
    model_tags.say(
        tx,
        _images(tx, payload),
        answer.tags,
        source=service.source_of(LookAt(payload["look_at"])),
        run=payload["run"],
        instead_of=service.runs_of(Endpoint(**payload["endpoint"])),
        now_ms=now_ms(),
    )


def vocabulary(tx: ReadTx) -> list[str]:
    """The names of known tags that most images have."""
    return [tag.name for tag in tag_queries.largest(tx, containing="", limit=VOCABULARY)]


def picture(tx: ReadTx, image: GenerationId) -> bytes:
    """The large thumbnail. Raises `NotFoundError`."""
    name = model_tags_queries.content_hash(tx, image)
    cache = ThumbCache(tx.library / "thumbs", SHORT_EDGES_PX)
    try:
        return cache.path(name or "", SHORT_EDGES_PX[-1]).read_bytes()
    except OSError as error:
        raise NotFoundError("This image has no thumbnail yet that a model could look at.") from error


def _said(tx: ReadTx, prompt: int | None) -> str | None:
    text = None if prompt is None else model_tags_queries.prompt_text(tx, prompt)
    return (spoken(text) or None) if text else None


def _images(tx: ReadTx, payload: dict[str, Any]) -> list[GenerationId]:
    if payload["images"] is not None:
        return model_tags_queries.still_live(tx, payload["images"])
    # What came in with this prompt since it was asked for is meant, too.
    every = model_tags_queries.still_live(tx, model_tags_queries.images_of_prompt(tx, payload["prompt"]))
    told = model_tags_queries.told(
        tx,
        every,
        source=service.source_of(LookAt(payload["look_at"])),
        runs=service.runs_of(Endpoint(**payload["endpoint"])),
    )
    return [image for image in every if image not in told]
