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
from mysticanvas.features.tags.prompt_phrases import phrases

WANTED = "prompt_tags.wanted"
REMOVING = "prompt_tags.removing"
# In so many images a phrase must be before it is a tag, unless it is one already.
RECURS = 5
# No more tags than this are made of phrases, and no more phrases are remembered.
MOST_TAGS = 5_000
MOST_PHRASES = 50_000
IDS_A_ROW = 10_000

_SAID = Assertion(TagSource.PROMPT)


def wanted(tx: ReadTx) -> bool:
    return bool(settings_store.get(tx, WANTED, True))


def note(tx: WriteTx, images: Sequence[GenerationId]) -> None:
    """New images: their prompts are looked through once the import has time."""
    if images and wanted(tx):
        phrase_queries.put_off(tx, images)


def note_added(tx: WriteTx, images: Sequence[NewImage], *, now_ms: int) -> None:
    """In the transaction that brought them."""
    note(tx, [one.id for one in images if one.recipe.prompt])


def start(database: Database) -> int:
    """Every prompt is looked through, now and from now on. How many there are."""
    database.write(_want, True)
    queued, last = 0, 0
    while slice_ := database.read(phrase_queries.with_prompts, after=last, limit=IDS_A_ROW):
        database.write_bulk(phrase_queries.put_off, slice_)
        queued, last = queued + len(slice_), slice_[-1]
    return queued


def stop(tx: WriteTx) -> None:
    """No more of them, and what prompts said goes, with the tags that were nothing else."""
    _want(tx, False)
    phrase_queries.forget_all(tx)
    settings_store.put(tx, REMOVING, 0)
    tx.changes.stale.add("prompts")


def _want(tx: WriteTx, value: bool) -> None:
    settings_store.put(tx, WANTED, value)
    if value:
        settings_store.put(tx, REMOVING, None)


def carry_on(tx: WriteTx, *, limit: int, now_ms: int) -> bool:
    """The next slice; False when nothing is left to do."""
    after = settings_store.get(tx, REMOVING, None)
    if after is not None:
        return _remove_some(tx, after, limit)
    images = phrase_queries.take_some(tx, limit=limit)
    if not images:
        return False
    tag_all(tx, images, now_ms=now_ms)
    return True


def is_waiting(tx: ReadTx) -> bool:
    return settings_store.get(tx, REMOVING, None) is not None or phrase_queries.any_put_off(tx)


# -- what prompts say -----------------------------------------------------------------------------


def tag_all(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    found: dict[str, tuple[TagName, list[GenerationId]]] = {}
    for image, prompt in phrase_queries.prompts_of(tx, images):
        for phrase in phrases(prompt):
            if (name := _possible(phrase)) is not None:
                found.setdefault(name.key, (name, []))[1].append(image)
    known = queries.ids_of(tx, list(found))
    said = [(image, tag) for key, tag in known.items() for image in found[key][1]]
    unknown = {key: one for key, one in found.items() if key not in known}
    said += _recurring(tx, unknown, now_ms)
    assertion_queries.record(tx, [(image, tag, _SAID) for image, tag in sorted(said)], now_ms=now_ms)
    image_tag_queries.derive_pairs(tx, said)


def _possible(phrase: str) -> TagName | None:
    try:
        return tag_name(phrase)
    except InvalidInputError:
        return None


def _recurring(
    tx: WriteTx, unknown: dict[str, tuple[TagName, list[GenerationId]]], now_ms: int
) -> list[tuple[GenerationId, TagId]]:
    """Phrases that have come often enough are tags from now on, of all images that had them."""
    room = MOST_TAGS - queries.count_from(tx, TagSource.PROMPT)
    before = phrase_queries.seen(tx, list(unknown))
    said: list[tuple[GenerationId, TagId]] = []
    remembered: list[Phrase] = []
    made: list[str] = []
    for key, (name, images) in unknown.items():
        earlier = before[key].images if key in before else []
        every = sorted({*earlier, *images})
        if len(every) < RECURS or len(made) >= room:
            remembered.append(Phrase(key, name.shown, every[:RECURS]))
            continue
        tag = queries.add(tx, name, category=None, state=TagState.KNOWN, origin=TagSource.PROMPT, now_ms=now_ms)
        made.append(key)
        said += [(image, tag) for image in _still_there(tx, every)]
    phrase_queries.keep(tx, remembered, now_ms=now_ms)
    phrase_queries.drop(tx, made)
    phrase_queries.drop_oldest(tx, kept=MOST_PHRASES)
    return said


def _still_there(tx: ReadTx, images: Sequence[GenerationId]) -> list[GenerationId]:
    return [image for image, _ in phrase_queries.prompts_of(tx, images)]


def _remove_some(tx: WriteTx, after: int, limit: int) -> bool:
    images = phrase_queries.with_prompts(tx, after=after, limit=limit)
    if images:
        image_tag_queries.derive_pairs(tx, assertion_queries.remove_source(tx, TagSource.PROMPT, images))
        settings_store.put(tx, REMOVING, images[-1])
        return True
    image_tag_queries.forget_tags(tx, queries.remove_unused(tx, TagSource.PROMPT))
    settings_store.put(tx, REMOVING, None)
    return False
