"""Tags from prompts, without any model (A2): phrases that are known tags, and those that recur.

What a prompt says is source `prompt`; it can be taken away again without a trace, because the prompts
are there to say it anew.
"""

from collections.abc import Sequence

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.phrases import phrases
from mysticanvas.domain.tag import Assertion, TagId, TagName, TagSource, TagState, tag_name
from mysticanvas.store import assertions, postings, preferences, tags
from mysticanvas.store import phrases as kept
from mysticanvas.store.database import Database, ReadTx, WriteTx
from mysticanvas.store.phrases import Phrase

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
    return bool(preferences.get(tx, WANTED, True))


def note(tx: WriteTx, images: Sequence[GenerationId]) -> None:
    """New images: their prompts are looked through once the import has time."""
    if images and wanted(tx):
        kept.put_off(tx, images)


def start(database: Database) -> int:
    """Every prompt is looked through, now and from now on. How many there are."""
    database.write(_want, True)
    queued, last = 0, 0
    while slice_ := database.read(kept.with_prompts, after=last, limit=IDS_A_ROW):
        database.write_bulk(kept.put_off, slice_)
        queued, last = queued + len(slice_), slice_[-1]
    return queued


def stop(tx: WriteTx) -> None:
    """No more of them, and what prompts said goes, with the tags that were nothing else."""
    _want(tx, False)
    kept.forget_all(tx)
    preferences.put(tx, REMOVING, 0)
    tx.changes.stale.add("prompts")


def _want(tx: WriteTx, value: bool) -> None:
    preferences.put(tx, WANTED, value)
    if value:
        preferences.put(tx, REMOVING, None)


def carry_on(tx: WriteTx, *, limit: int, now_ms: int) -> bool:
    """The next slice; False when nothing is left to do."""
    after = preferences.get(tx, REMOVING, None)
    if after is not None:
        return _remove_some(tx, after, limit)
    images = kept.take_some(tx, limit=limit)
    if not images:
        return False
    tag_all(tx, images, now_ms=now_ms)
    return True


def is_waiting(tx: ReadTx) -> bool:
    return preferences.get(tx, REMOVING, None) is not None or kept.any_put_off(tx)


# -- what prompts say -----------------------------------------------------------------------------


def tag_all(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    found: dict[str, tuple[TagName, list[GenerationId]]] = {}
    for image, prompt in kept.prompts_of(tx, images):
        for phrase in phrases(prompt):
            if (name := _possible(phrase)) is not None:
                found.setdefault(name.key, (name, []))[1].append(image)
    known = tags.ids_of(tx, list(found))
    said = [(image, tag) for key, tag in known.items() for image in found[key][1]]
    unknown = {key: one for key, one in found.items() if key not in known}
    said += _recurring(tx, unknown, now_ms)
    assertions.record(tx, [(image, tag, _SAID) for image, tag in sorted(said)], now_ms=now_ms)
    postings.derive_pairs(tx, said)


def _possible(phrase: str) -> TagName | None:
    try:
        return tag_name(phrase)
    except InvalidInputError:
        return None


def _recurring(
    tx: WriteTx, unknown: dict[str, tuple[TagName, list[GenerationId]]], now_ms: int
) -> list[tuple[GenerationId, TagId]]:
    """Phrases that have come often enough are tags from now on, of all images that had them."""
    room = MOST_TAGS - tags.count_from(tx, TagSource.PROMPT)
    before = kept.seen(tx, list(unknown))
    said: list[tuple[GenerationId, TagId]] = []
    remembered: list[Phrase] = []
    made: list[str] = []
    for key, (name, images) in unknown.items():
        earlier = before[key].images if key in before else []
        every = sorted({*earlier, *images})
        if len(every) < RECURS or len(made) >= room:
            remembered.append(Phrase(key, name.shown, every[:RECURS]))
            continue
        tag = tags.add(tx, name, category=None, state=TagState.KNOWN, origin=TagSource.PROMPT, now_ms=now_ms)
        made.append(key)
        said += [(image, tag) for image in _still_there(tx, every)]
    kept.keep(tx, remembered, now_ms=now_ms)
    kept.drop(tx, made)
    kept.drop_oldest(tx, kept=MOST_PHRASES)
    return said


def _still_there(tx: ReadTx, images: Sequence[GenerationId]) -> list[GenerationId]:
    return [image for image, _ in kept.prompts_of(tx, images)]


def _remove_some(tx: WriteTx, after: int, limit: int) -> bool:
    images = kept.with_prompts(tx, after=after, limit=limit)
    if images:
        postings.derive_pairs(tx, assertions.remove_source(tx, TagSource.PROMPT, images))
        preferences.put(tx, REMOVING, images[-1])
        return True
    postings.forget_tags(tx, tags.remove_unused(tx, TagSource.PROMPT))
    preferences.put(tx, REMOVING, None)
    return False
