"""Tree to SQL: clauses from a closed set, values as parameters.

Times become ids: an id begins with its second, so a span of time is a range of the primary key.
"""

from typing import Any

from mysticanvas.domain.generation import SECONDS_OF_2010
from mysticanvas.domain.query import Favorite, Made, Model, Query, Rating, Term, Text
from mysticanvas.domain.text import searchable

_FAVORITE = "is_favorite = 1"
_RATING = {
    "=": "rating = {0}",
    ">=": "rating >= {0}",
    "<=": "rating <= {0}",
    ">": "rating > {0}",
    "<": "rating < {0}",
}
_MODEL = (
    "id IN (SELECT g.id FROM models AS m JOIN generations AS g ON g.model_id = m.id"
    " WHERE m.kind = 'checkpoint' AND m.name = {0})"
)
_WORDS = "id IN (SELECT rowid FROM generations_fts WHERE generations_fts MATCH {0})"
_FROM_ID = "id >= {0}"
_BEFORE_ID = "id < {0}"


def where(query: Query) -> tuple[str, dict[str, Any]]:
    """A condition over `live_generations`, TRUE for a query that finds everything."""
    values: dict[str, Any] = {}
    clauses = []
    if words := _match(query):
        clauses.append(_WORDS.format(_bind(values, words)))
    for term in query.terms:
        clause = _clause(term, values)
        if clause is not None:
            clauses.append(f"NOT ({clause})" if term.negated else clause)
    return " AND ".join(clauses) or "TRUE", values


def _match(query: Query) -> str:
    """All wanted words in one expression of FTS5, so that the rarest one drives."""
    return " AND ".join(
        _phrase(t.text) for t in query.terms if isinstance(t, Text) and not t.negated and _has_words(t.text)
    )


def _clause(term: Term, values: dict[str, Any]) -> str | None:
    match term:
        case Text():
            if not term.negated or not _has_words(term.text):
                return None
            return _WORDS.format(_bind(values, _phrase(term.text)))
        case Model():
            return _MODEL.format(_bind(values, term.name))
        case Favorite():
            return _FAVORITE
        case Rating():
            return _RATING[term.operator].format(_bind(values, term.stars))
        case Made():
            parts = []
            if term.first_ms is not None:
                parts.append(_FROM_ID.format(_bind(values, id_at(term.first_ms))))
            if term.until_ms is not None:
                parts.append(_BEFORE_ID.format(_bind(values, id_at(term.until_ms))))
            return " AND ".join(parts)


def id_at(moment_ms: int) -> int:
    """The first id of that second."""
    return max(0, (moment_ms // 1000 - SECONDS_OF_2010) << 8)


def _has_words(text: str) -> bool:
    """Text of nothing but punctuation finds everything, not nothing."""
    return any(character.isalnum() for character in text)


def _phrase(text: str) -> str:
    """Quoted, so that nothing in it is an operator of FTS5."""
    return '"' + (searchable(text) or "").replace('"', '""') + '"'


def _bind(values: dict[str, Any], value: Any) -> str:
    name = f"v{len(values)}"
    values[name] = value
    return f":{name}"
