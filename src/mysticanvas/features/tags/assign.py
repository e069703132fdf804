"""What a person says about the tags of images. Each function is a deed of edits/kinds.py."""

from collections.abc import Sequence
from typing import Any

from mysticanvas.db.database import WriteTx
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagId, key_of
from mysticanvas.features.tags import assertion_queries, queries, service


def tag(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """{add?, remove?, reject?, forget?}, each names; how many images are different.

    A new name to add is a new tag. One to remove that nobody knows is no fault.
    """
    if not any(args.get(how) for how in ("add", "remove", "reject", "forget")):
        raise InvalidInputError("Say which tags to add, to remove or to reject.")
    changed: set[GenerationId] = set()
    for name in args.get("remove", ()):
        if (known := _shown(tx, name)) is not None:
            changed |= assertion_queries.take_back(tx, known, images, now_ms=now_ms)
    for name in args.get("forget", ()):
        if (known := _shown(tx, name)) is not None:
            changed |= assertion_queries.forget(tx, known, images)
    for name in args.get("reject", ()):
        changed |= assertion_queries.say_no(tx, _shown_or_new(tx, name, now_ms), images, now_ms=now_ms)
    for name in args.get("add", ()):
        changed |= assertion_queries.say_yes(tx, _shown_or_new(tx, name, now_ms), images, now_ms=now_ms)
    return len(changed)


def _shown(tx: WriteTx, name: str) -> TagId | None:
    """The tag that this name leads to."""
    found = queries.find(tx, key_of(name))
    return None if found is None else queries.terminal(tx, found.id)


def _shown_or_new(tx: WriteTx, name: str, now_ms: int) -> TagId:
    found = service.find_or_add(tx, name, now_ms=now_ms)
    return queries.terminal(tx, found)
