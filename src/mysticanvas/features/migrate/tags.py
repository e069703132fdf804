"""Tags of a migration. They have the source `import`."""

from collections.abc import Sequence

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import Assertion, TagId, TagName, TagSource, TagState, make_tag_key, parse_tag_name
from mysticanvas.features.migrate.types import ForeignTag
from mysticanvas.features.tags import assertion_queries, image_tag_queries, relation_queries
from mysticanvas.features.tags import queries as tag_queries


def assign_tags(tx: WriteTx, image: GenerationId, assigned: Sequence[ForeignTag], *, gallery: str, now_ms: int) -> int:
    """Assign tags to an image. Skips invalid tag names. Returns the number of assigned tags."""
    found: dict[tuple[TagId, str], Assertion] = {}
    for one in assigned:
        tag = _find_or_add(tx, one.name, one.category, now_ms=now_ms)
        if tag is not None:
            run = f"{gallery}/{one.source}"
            found.setdefault((tag, run), Assertion(TagSource.IMPORT, confidence=one.confidence, run=run))
    assertion_queries.record(tx, [(image, tag, assertion) for (tag, _), assertion in found.items()], now_ms=now_ms)
    image_tag_queries.derive_pairs(tx, [(image, tag) for tag, _ in found])
    return len(found)


def add_aliases(tx: WriteTx, aliases: Sequence[tuple[str, str]], *, now_ms: int) -> int:
    """Add aliases, given as (alias, tag). Skips names that are tags already. Returns the number of added aliases."""
    added = sum(_add_alias(tx, alias, tag, now_ms=now_ms) for alias, tag in aliases)
    if added:
        image_tag_queries.derive_relations(tx)
    return added


def _add_alias(tx: WriteTx, alias: str, tag: str, *, now_ms: int) -> bool:
    target = _find_or_add(tx, tag, None, now_ms=now_ms)
    other = _parse_name(alias)
    # A new name has no relations, so no cycle is possible.
    if target is None or other is None or tag_queries.find(tx, other.key) is not None:
        return False
    relation_queries.add_alias(tx, _add(tx, other, None, now_ms=now_ms), target)
    return True


def _find_or_add(tx: WriteTx, text: str, category: str | None, *, now_ms: int) -> TagId | None:
    name = _parse_name(text)
    if name is None:
        return None
    existing = tag_queries.find(tx, name.key)
    return existing.id if existing is not None else _add(tx, name, category, now_ms=now_ms)


def _add(tx: WriteTx, name: TagName, category: str | None, *, now_ms: int) -> TagId:
    category_name = _parse_name(make_tag_key(category or ""))
    return tag_queries.add(
        tx,
        name,
        category=category_name.key if category_name else None,
        state=TagState.KNOWN,
        origin=TagSource.IMPORT,
        now_ms=now_ms,
    )


def _parse_name(text: str) -> TagName | None:
    try:
        return parse_tag_name(text)
    except InvalidInputError:
        return None
