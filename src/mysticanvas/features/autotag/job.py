"""Job `autotag`: requests tags for a prompt or an image, and assigns them to one or more images."""

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
from mysticanvas.fs.thumbnail_cache import SHORT_EDGES_PX, ThumbCache
from mysticanvas.ml.prompts import extract_words

# The number of tag names that are sent to the worker, which selects those most similar to the prompt.
VOCABULARY_SIZE = 400


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """None when auto-tagging was turned off meanwhile, or no image is left to tag."""
    look_at = LookAt(payload["look_at"])
    images = _list_images(tx, payload)
    prompt = _read_prompt(tx, payload["prompt"]) if look_at is not LookAt.PICTURE else None
    if service.get_settings(tx) is None or not images or (look_at is LookAt.PROMPT and not prompt):
        return None
    return AskForTags(
        Endpoint(**payload["endpoint"]),
        prompt,
        picture=None if look_at is LookAt.PROMPT else read_picture(tx, images[0]),
        vocabulary=list_vocabulary(tx),
        key=keys.read_key(tx.library, payload["endpoint"]["base_url"]),
    )


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, TagsSuggested)
    model_tags.assign_tags(
        tx,
        _list_images(tx, payload),
        answer.tags,
        source=service.get_source(LookAt(payload["look_at"])),
        run=payload["run"],
        instead_of=service.get_run_prefix(Endpoint(**payload["endpoint"])),
        now_ms=now_ms(),
    )


def list_vocabulary(tx: ReadTx) -> list[str]:
    """The names of the most used tags, the most used first."""
    return [tag.name for tag in tag_queries.autocomplete(tx, containing="", limit=VOCABULARY_SIZE)]


def read_picture(tx: ReadTx, image: GenerationId) -> bytes:
    """The content of the largest thumbnail. Raises `NotFoundError` without one."""
    name = model_tags_queries.get_content_hash(tx, image)
    cache = ThumbCache(tx.library / "thumbs", SHORT_EDGES_PX)
    try:
        return cache.path(name or "", SHORT_EDGES_PX[-1]).read_bytes()
    except OSError as error:
        raise NotFoundError("This image has no thumbnail yet. Try again after its thumbnail is created.") from error


def _read_prompt(tx: ReadTx, prompt: int | None) -> str | None:
    text = None if prompt is None else model_tags_queries.get_prompt_text(tx, prompt)
    return (extract_words(text) or None) if text else None


def _list_images(tx: ReadTx, payload: dict[str, Any]) -> list[GenerationId]:
    if payload["images"] is not None:
        return model_tags_queries.filter_live(tx, payload["images"])
    # Includes images with this prompt that were imported after the job was queued.
    all_images = model_tags_queries.filter_live(tx, model_tags_queries.list_images_of_prompt(tx, payload["prompt"]))
    tagged = model_tags_queries.find_tagged_images(
        tx,
        all_images,
        source=service.get_source(LookAt(payload["look_at"])),
        runs=service.get_run_prefix(Endpoint(**payload["endpoint"])),
    )
    return [image for image in all_images if image not in tagged]
