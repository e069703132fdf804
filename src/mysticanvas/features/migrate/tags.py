"""Tags that come over from another gallery: what was said there is source `import`."""

from collections.abc import Sequence

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import Assertion, TagId, TagName, TagSource, TagState, key_of, tag_name
from mysticanvas.features.migrate.types import ForeignTag
from mysticanvas.features.tags import assertion_queries, image_tag_queries, relation_queries
from mysticanvas.features.tags import queries as tag_queries


def say(tx: WriteTx, image: GenerationId, said: Sequence[ForeignTag], *, gallery: str, now_ms: int) -> int:
    """How many assertions came over. Not those of a name that cannot be a tag."""
    found: dict[tuple[TagId, str], Assertion] = {}
    for one in said:
        tag = _find_or_add(tx, one.name, one.category, now_ms=now_ms)
        if tag is not None:
            run = f"{gallery}/{one.source}"
            found.setdefault((tag, run), Assertion(TagSource.IMPORT, confidence=one.confidence, run=run))
    assertion_queries.record(tx, [(image, tag, assertion) for (tag, _), assertion in found.items()], now_ms=now_ms)
    image_tag_queries.derive_pairs(tx, [(image, tag) for tag, _ in found])
    return len(found)


def add_aliases(tx: WriteTx, aliases: Sequence[tuple[str, str]], *, now_ms: int) -> int:
    """(other name, tag) each; how many came over: not where the name means something here already."""
    added = sum(_add_alias(tx, alias, tag, now_ms=now_ms) for alias, tag in aliases)
    if added:
        image_tag_queries.derive_relations(tx)
    return added


def _add_alias(tx: WriteTx, alias: str, tag: str, *, now_ms: int) -> bool:
    target = _find_or_add(tx, tag, None, now_ms=now_ms)
    other = _possible(alias)
    # A new name leads nowhere yet and nothing leads to it, so no circle can close.
    if target is None or other is None or tag_queries.find(tx, other.key) is not None:
        return False
    relation_queries.add_alias(tx, _add(tx, other, None, now_ms=now_ms), target)
    return True


def _find_or_add(tx: WriteTx, text: str, category: str | None, *, now_ms: int) -> TagId | None:
    name = _possible(text)
    if name is None:
        return None
    known = tag_queries.find(tx, name.key)
    return known.id if known is not None else _add(tx, name, category, now_ms=now_ms)


def _add(tx: WriteTx, name: TagName, category: str | None, *, now_ms: int) -> TagId:
    wanted = _possible(key_of(category or ""))
    return tag_queries.add(
        tx,
        name,
        category=wanted.key if wanted else None,
        state=TagState.KNOWN,
        origin=TagSource.IMPORT,
        now_ms=now_ms,
    )


def _possible(text: str) -> TagName | None:
    try:
        return tag_name(text)
    except InvalidInputError:
        return None
