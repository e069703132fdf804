"""The vocabulary: tags, other names for them, and what implies what. Each function is a deed, or a part
of one, of edits/kinds.py; names are as a person writes them.
"""

from collections.abc import Sequence

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import ConflictError, InvalidInputError, NotFoundError
from mysticanvas.domain.tag import TagId, TagSource, TagState, key_of, tag_name
from mysticanvas.features.tags import queries, relation_queries
from mysticanvas.features.tags.queries import Tag

MAX_CATEGORY = 60
REFUSED_KEY = "tags.refused"


def get_tag(tx: ReadTx, name: str) -> Tag:
    """The tag of that very name, also where it is only another name. Raises `NotFoundError`."""
    found = queries.find(tx, key_of(name))
    if found is None:
        raise NotFoundError(f"There is no tag “{name.strip()[:80]}”.")
    return found


def find_or_add(tx: WriteTx, name: str, *, now_ms: int, origin: TagSource = TagSource.USER) -> TagId:
    """A proposal that a person names is one no longer."""
    wanted = tag_name(name)
    found = queries.find(tx, wanted.key)
    if found is None:
        return queries.add(tx, wanted, category=None, state=TagState.KNOWN, origin=origin, now_ms=now_ms)
    if found.state == TagState.PROPOSED:
        queries.set_state(tx, found.id, TagState.KNOWN)
    return found.id


def find_or_suggest(tx: WriteTx, name: str, origin: TagSource, *, now_ms: int) -> TagId | None:
    """For what machines say: an unknown word becomes a proposal, which shows nowhere (T15). None for a
    name that no tag may have, or that the person refused."""
    try:
        wanted = tag_name(name)
    except InvalidInputError:
        return None
    found = queries.find(tx, wanted.key)
    if found is not None:
        return found.id
    if wanted.key in refused(tx):
        return None
    return queries.add(tx, wanted, category=None, state=TagState.PROPOSED, origin=origin, now_ms=now_ms)


def refused(tx: ReadTx) -> list[str]:
    """Normalized names that machines need not propose again."""
    names: list[str] = settings_store.get(tx, REFUSED_KEY, [])
    return names


# -- one tag --------------------------------------------------------------------------------------


def set_states(tx: WriteTx, names: Sequence[str], old: TagState, new: TagState) -> int:
    found = [tag for tag in (get_tag(tx, name) for name in names) if tag.state == old]
    for tag in found:
        queries.set_state(tx, tag.id, new)
    return len(found)


def clean_category(text: str | None) -> str | None:
    category = key_of(text or "")
    if not category:
        return None
    if len(category) > MAX_CATEGORY:
        raise InvalidInputError(f"The name of a category is at most {MAX_CATEGORY} characters long.")
    return tag_name(category).key


# -- relations ------------------------------------------------------------------------------------


def check_categories(tx: ReadTx, tag: TagId, target: TagId, *, allowed: bool) -> None:
    one, other = queries.get(tx, tag), queries.get(tx, target)
    if not allowed and one.category and other.category and one.category != other.category:
        raise ConflictError(
            f"“{one.name}” is a {one.category}, “{other.name}” a {other.category}. Say that you mean it, to go on."
        )


def refuse_circles(tx: ReadTx) -> None:
    """Raises `ConflictError` with the path: also an undo may close one, after what was said since."""
    graph = relation_queries.graph(tx)
    if circle := graph.alias_circle():
        raise ConflictError(f"That would lead in a circle: {format_path(tx, circle)}.")
    if circle := graph.circle():
        raise ConflictError(f"That would make tags imply each other in a circle: {format_path(tx, circle)}.")


def format_path(tx: ReadTx, path: Sequence[TagId]) -> str:
    return " → ".join(relation_queries.names_of(tx, path))


# -- tags of many images: each image's part in slices, the tag's own part at the end --------------


def list_target_names(to: str | Sequence[str]) -> list[str]:
    names = [to] if isinstance(to, str) else list(to)
    if not names:
        raise InvalidInputError("Say which tag it becomes.")
    return names
