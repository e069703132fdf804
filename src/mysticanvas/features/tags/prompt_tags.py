"""Tags from prompts, without any model (A2): phrases that are known tags, and those that recur.

What a prompt says is source `prompt`; it can be taken away again without a trace, because the prompts
are there to say it anew.
"""

from collections.abc import Sequence

from mysticanvas.db import settings_store
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import Assertion, TagId, TagName, TagSource, TagState, tag_name
from mysticanvas.features.hooks import NewImage
from mysticanvas.features.tags import assertion_queries, image_tag_queries, phrase_queries, queries
from mysticanvas.features.tags.phrase_queries import Phrase
from mysticanvas.features.tags.prompt_phrases import extract_phrases

ENABLED_KEY = "prompt_tags.wanted"
REMOVING_KEY = "prompt_tags.removing"
# In so many images a phrase must be before it is a tag, unless it is one already.
MIN_IMAGES = 5
# No more tags than this are made of phrases, and no more phrases are remembered.
MAX_TAGS = 5_000
MAX_PHRASES = 50_000
IDS_PER_ROW = 10_000

_ASSERTION = Assertion(TagSource.PROMPT)


def is_enabled(tx: ReadTx) -> bool:
    return bool(settings_store.get(tx, ENABLED_KEY, True))


def queue_images(tx: WriteTx, images: Sequence[GenerationId]) -> None:
    """New images: their prompts are looked through once the import has time."""
    if images and is_enabled(tx):
        phrase_queries.add_to_backlog(tx, images)


def on_prompts_added(tx: WriteTx, images: Sequence[NewImage], *, now_ms: int) -> None:
    """In the transaction that brought them."""
    queue_images(tx, [one.id for one in images if one.recipe.prompt])


def start(database: Database) -> int:
    """Every prompt is looked through, now and from now on. How many there are."""
    database.write(_set_enabled, True)
    queued, last = 0, 0
    while slice_ := database.read(phrase_queries.list_images_with_prompt, after=last, limit=IDS_PER_ROW):
        database.write_bulk(phrase_queries.add_to_backlog, slice_)
        queued, last = queued + len(slice_), slice_[-1]
    return queued


def stop(tx: WriteTx) -> None:
    """No more of them, and what prompts said goes, with the tags that were nothing else."""
    _set_enabled(tx, False)
    phrase_queries.delete_all(tx)
    settings_store.put(tx, REMOVING_KEY, 0)
    tx.changes.stale.add("prompts")


def _set_enabled(tx: WriteTx, value: bool) -> None:
    settings_store.put(tx, ENABLED_KEY, value)
    if value:
        settings_store.put(tx, REMOVING_KEY, None)


def run_slice(tx: WriteTx, *, limit: int, now_ms: int) -> bool:
    """The next slice; False when nothing is left to do."""
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


# -- what prompts say -----------------------------------------------------------------------------


def tag_images(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    found: dict[str, tuple[TagName, list[GenerationId]]] = {}
    for image, prompt in phrase_queries.list_prompts(tx, images):
        for phrase in extract_phrases(prompt):
            if (name := _parse_name(phrase)) is not None:
                found.setdefault(name.key, (name, []))[1].append(image)
    known = queries.find_ids(tx, list(found))
    said = [(image, tag) for key, tag in known.items() for image in found[key][1]]
    unknown = {key: one for key, one in found.items() if key not in known}
    said += _promote_recurring(tx, unknown, now_ms)
    assertion_queries.record(tx, [(image, tag, _ASSERTION) for image, tag in sorted(said)], now_ms=now_ms)
    image_tag_queries.derive_pairs(tx, said)


def _parse_name(phrase: str) -> TagName | None:
    try:
        return tag_name(phrase)
    except InvalidInputError:
        return None


def _promote_recurring(
    tx: WriteTx, unknown: dict[str, tuple[TagName, list[GenerationId]]], now_ms: int
) -> list[tuple[GenerationId, TagId]]:
    """Phrases that have come often enough are tags from now on, of all images that had them."""
    room = MAX_TAGS - queries.count_by_origin(tx, TagSource.PROMPT)
    before = phrase_queries.find_phrases(tx, list(unknown))
    said: list[tuple[GenerationId, TagId]] = []
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
        said += [(image, tag) for image in _filter_existing(tx, every)]
    phrase_queries.save_phrases(tx, remembered, now_ms=now_ms)
    phrase_queries.delete_phrases(tx, made)
    phrase_queries.delete_oldest_phrases(tx, kept=MAX_PHRASES)
    return said


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
