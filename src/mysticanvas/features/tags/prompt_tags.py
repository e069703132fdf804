"""Tags from prompts, without a model: phrases that are tags already, and phrases that recur.

Their source is `prompt`. Removing all of them loses nothing, as they can be derived from the prompts again.
"""

from collections.abc import Sequence

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import BEFORE_ALL_IDS, GenerationId
from mysticanvas.domain.tag import Assertion, TagId, TagName, TagSource, TagState, parse_tag_name
from mysticanvas.features.hooks import NewImage
from mysticanvas.features.tags import assertion_queries, image_tag_queries, phrase_queries, queries
from mysticanvas.features.tags.phrase_queries import Phrase
from mysticanvas.features.tags.prompt_phrases import extract_phrases

ENABLED_KEY = "prompt_tags.wanted"
REMOVING_KEY = "prompt_tags.removing"
# A phrase that is not a tag yet becomes one once this many images have it.
MIN_IMAGES = 5
# Limits on tags created from phrases, and on phrases counted until they become tags.
MAX_TAGS = 5_000
MAX_PHRASES = 50_000
IDS_PER_ROW = 10_000

_ASSERTION = Assertion(TagSource.PROMPT)


def is_enabled(tx: ReadTx) -> bool:
    return bool(settings_store.get(tx, ENABLED_KEY, True))


def queue_images(tx: WriteTx, images: Sequence[GenerationId]) -> None:
    """Queue new images, so that their prompts are searched for tags once the import is idle."""
    if images and is_enabled(tx):
        phrase_queries.add_to_backlog(tx, images)


def on_prompts_added(tx: WriteTx, images: Sequence[NewImage], *, now_ms: int) -> None:
    """Queue new images that have a prompt, in the transaction that imports them."""
    queue_images(tx, [one.id for one in images if one.recipe.prompt])


def start(database: Database) -> int:
    """Turn on tags from prompts and queue all images with a prompt; returns how many."""
    database.write(_set_enabled, True)
    queued, last = 0, BEFORE_ALL_IDS
    while slice_ := database.read(phrase_queries.list_images_with_prompt, after=last, limit=IDS_PER_ROW):
        database.write_bulk(phrase_queries.add_to_backlog, slice_)
        queued, last = queued + len(slice_), slice_[-1]
    return queued


def stop(tx: WriteTx) -> None:
    """Turn off tags from prompts. Slices then remove the assignments, and tags that nothing else uses."""
    _set_enabled(tx, False)
    phrase_queries.delete_all(tx)
    settings_store.put(tx, REMOVING_KEY, BEFORE_ALL_IDS)
    tx.changes.invalidated.add("prompts")


def _set_enabled(tx: WriteTx, value: bool) -> None:
    settings_store.put(tx, ENABLED_KEY, value)
    if value:
        settings_store.put(tx, REMOVING_KEY, None)


def run_slice(tx: WriteTx, *, limit: int, now_ms: int) -> bool:
    """Run the next slice; False if nothing is left to do."""
    after = settings_store.get(tx, REMOVING_KEY, None)
    if after is not None:
        return _remove_slice(tx, after, limit)
    images = phrase_queries.take_from_backlog(tx, limit=limit)
    if not images:
        return False
    tag_images(tx, images, now_ms=now_ms)
    return True


def is_waiting(tx: ReadTx) -> bool:
    return settings_store.get(tx, REMOVING_KEY, None) is not None or phrase_queries.has_backlog(tx)


# -- tagging images -------------------------------------------------------------------------------


def tag_images(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    found: dict[str, tuple[TagName, list[GenerationId]]] = {}
    for image, prompt in phrase_queries.list_prompts(tx, images):
        for phrase in extract_phrases(prompt):
            if (name := _parse_name(phrase)) is not None:
                found.setdefault(name.key, (name, []))[1].append(image)
    known = queries.find_ids(tx, list(found))
    pairs = [(image, tag) for key, tag in known.items() for image in found[key][1]]
    unknown = {key: one for key, one in found.items() if key not in known}
    pairs += _promote_recurring(tx, unknown, now_ms)
    assertion_queries.record(tx, [(image, tag, _ASSERTION) for image, tag in sorted(pairs)], now_ms=now_ms)
    image_tag_queries.derive_pairs(tx, pairs)


def _parse_name(phrase: str) -> TagName | None:
    try:
        return parse_tag_name(phrase)
    except InvalidInputError:
        return None


def _promote_recurring(
    tx: WriteTx, unknown: dict[str, tuple[TagName, list[GenerationId]]], now_ms: int
) -> list[tuple[GenerationId, TagId]]:
    """Create tags for phrases that recurred often enough; returns the new (image, tag) pairs."""
    room = MAX_TAGS - queries.count_by_origin(tx, TagSource.PROMPT)
    before = phrase_queries.find_phrases(tx, list(unknown))
    pairs: list[tuple[GenerationId, TagId]] = []
    remembered: list[Phrase] = []
    made: list[str] = []
    for key, (name, images) in unknown.items():
        earlier = before[key].images if key in before else []
        every = sorted({*earlier, *images})
        if len(every) < MIN_IMAGES or len(made) >= room:
            remembered.append(Phrase(key, name.shown, every[:MIN_IMAGES]))
            continue
        tag = queries.add(tx, name, category=None, state=TagState.KNOWN, origin=TagSource.PROMPT, now_ms=now_ms)
        made.append(key)
        pairs += [(image, tag) for image in _filter_existing(tx, every)]
    phrase_queries.save_phrases(tx, remembered, now_ms=now_ms)
    phrase_queries.delete_phrases(tx, made)
    phrase_queries.delete_oldest_phrases(tx, keep=MAX_PHRASES)
    return pairs


def _filter_existing(tx: ReadTx, images: Sequence[GenerationId]) -> list[GenerationId]:
    return [image for image, _ in phrase_queries.list_prompts(tx, images)]


def _remove_slice(tx: WriteTx, after: int, limit: int) -> bool:
    images = phrase_queries.list_images_with_prompt(tx, after=after, limit=limit)
    if images:
        image_tag_queries.derive_pairs(tx, assertion_queries.remove_source(tx, TagSource.PROMPT, images))
        settings_store.put(tx, REMOVING_KEY, images[-1])
        return True
    image_tag_queries.forget_tags(tx, queries.remove_unused(tx, TagSource.PROMPT))
    settings_store.put(tx, REMOVING_KEY, None)
    return False
