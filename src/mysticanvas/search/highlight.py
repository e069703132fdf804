"""Finds the words of a query in the texts of an image."""

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.query import All, Any, Field, Node, Query, Text
from mysticanvas.domain.text import find_phrase

Places = list[tuple[int, int]]
_COLUMNS = {"prompt": Field.PROMPT, "negative_prompt": Field.NEGATIVE, "notes": Field.NOTES}


def highlight_image(tx: ReadTx, query: Query, uuid: str) -> dict[str, Places]:
    """The ranges by column, as [from, to) in characters, in order. Raises `NotFoundError`."""
    made = generations.get_detail(tx, generations.get_id(tx, uuid))
    return {column: highlight_text(query, getattr(made, column) or "", field) for column, field in _COLUMNS.items()}


def highlight_text(query: Query, text: str, field: Field) -> Places:
    """The ranges of the words. Ranges that touch or overlap are merged."""
    found = sorted(place for words in list_words(query.where, field) for place in find_phrase(text, words))
    joined: Places = []
    for begin, end in found:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def list_words(node: Node | None, field: Field) -> list[str]:
    """The words that the query searches for in a field, without negated words."""
    match node:
        case Text(text, None):
            return [text]
        case Text(text, only) if only is field:
            return [text]
        case All(parts) | Any(parts):
            return [text for part in parts for text in list_words(part, field)]
        case _:
            return []
