"""Rules of tags, aliases and implications, shared by the edits. Names are accepted as the user types them."""

from collections.abc import Sequence

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConfirmationRequiredError, ConflictError, InvalidInputError, NotFoundError
from mysticanvas.domain.tag import TagId, TagSource, TagState, make_tag_key, parse_tag_name
from mysticanvas.features.tags import queries, relation_queries
from mysticanvas.features.tags.queries import Tag

MAX_CATEGORY = 60
REFUSED_KEY = "tags.refused"


def get_tag(tx: ReadTx, name: str) -> Tag:
    """The tag with this name, also if it is an alias. Raises `NotFoundError`."""
    found = queries.find(tx, make_tag_key(name))
    if found is None:
        raise NotFoundError(f"There is no tag “{name.strip()[:80]}”. Check the spelling.")
    return found


def find_or_add(tx: WriteTx, name: str, *, now_ms: int, origin: TagSource = TagSource.USER) -> TagId:
    """The tag with this name, created if needed. A suggested tag becomes a known one."""
    new = parse_tag_name(name)
    found = queries.find(tx, new.key)
    if found is None:
        return queries.add(tx, new, category=None, state=TagState.KNOWN, origin=origin, now_ms=now_ms)
    if found.state == TagState.PROPOSED:
        queries.set_state(tx, found.id, TagState.KNOWN)
    return found.id


def find_or_suggest(tx: WriteTx, name: str, origin: TagSource, *, now_ms: int) -> TagId | None:
    """The tag for a name that a model reported. An unknown name becomes a suggested tag, which no image shows.

    None for an invalid name, or one that the user refused.
    """
    try:
        new = parse_tag_name(name)
    except InvalidInputError:
        return None
    found = queries.find(tx, new.key)
    if found is not None:
        return found.id
    if new.key in list_refused(tx):
        return None
    return queries.add(tx, new, category=None, state=TagState.PROPOSED, origin=origin, now_ms=now_ms)


def list_refused(tx: ReadTx) -> list[str]:
    """Normalized names that the user refused, so models do not suggest them again."""
    names: list[str] = settings_store.get(tx, REFUSED_KEY, [])
    return names


# -- one tag --------------------------------------------------------------------------------------


def set_states(tx: WriteTx, names: Sequence[str], old: TagState, new: TagState) -> int:
    found = [tag for tag in (get_tag(tx, name) for name in names) if tag.state == old]
    for tag in found:
        queries.set_state(tx, tag.id, new)
    return len(found)


def clean_category(text: str | None) -> str | None:
    category = make_tag_key(text or "")
    if not category:
        return None
    if len(category) > MAX_CATEGORY:
        raise InvalidInputError(f"A category name can have at most {MAX_CATEGORY} characters.")
    return parse_tag_name(category).key


# -- relations ------------------------------------------------------------------------------------


def check_categories(tx: ReadTx, tag: TagId, target: TagId, *, allowed: bool) -> None:
    one, other = queries.get(tx, tag), queries.get(tx, target)
    if not allowed and one.category and other.category and one.category != other.category:
        raise ConfirmationRequiredError(
            f"“{one.name}” is in the category {one.category}, but “{other.name}” is in {other.category}. "
            "Confirm that you want an alias across categories (command line: --across).",
            confirm="across",
        )


def refuse_circles(tx: ReadTx) -> None:
    """Raises `ConflictError` with the path. An undo can close a circle too, after other edits."""
    graph = relation_queries.load_graph(tx)
    if circle := graph.find_alias_circle():
        raise ConflictError(f"These aliases would form a cycle: {format_path(tx, circle)}.")
    if circle := graph.circle():
        raise ConflictError(f"These implications would form a cycle: {format_path(tx, circle)}.")


def format_path(tx: ReadTx, path: Sequence[TagId]) -> str:
    return " → ".join(relation_queries.list_names(tx, path))


# -- targets of merge, split and retag ------------------------------------------------------------


def list_target_names(to: str | Sequence[str]) -> list[str]:
    names = [to] if isinstance(to, str) else list(to)
    if not names:
        raise InvalidInputError("Specify at least one target tag.")
    return names
