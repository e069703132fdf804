"""Values of a field within a query, with exact counts."""

from dataclasses import dataclass

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.query import Query
from mysticanvas.search import sql
from mysticanvas.store.database import ReadTx

FIELDS = ("model", "date")


@dataclass(frozen=True, slots=True)
class Value:
    value: str
    count: int


def values(tx: ReadTx, query: Query, *, field: str, beginning: str, limit: int) -> list[Value]:
    """The values that contain `beginning`, most used first (months: newest first).

    Raises `InvalidInputError` for a field without facets.
    """
    if field == "model":
        return _models(tx, query, beginning, limit)
    if field == "date":
        return _months(tx, query, beginning, limit)
    raise InvalidInputError(f"There are no counts for “{field}”; there are for {' and '.join(FIELDS)}.")


def _models(tx: ReadTx, query: Query, beginning: str, limit: int) -> list[Value]:
    condition, named = sql.where(query)
    rows = tx.all(
        f"""
        SELECT m.name AS value, count(*) AS count
          FROM models AS m
               JOIN generations AS g ON g.model_id = m.id
         WHERE m.kind = 'checkpoint' AND instr(lower(m.name), lower(:beginning)) > 0
           AND g.id IN (SELECT id FROM live_generations WHERE {condition})
         GROUP BY m.name
         ORDER BY count DESC, m.name
         LIMIT :limit
        """,  # noqa: S608 - a condition of search/sql.py
        beginning=beginning,
        limit=limit,
        **named,
    )
    return [Value(**row) for row in rows]


def _months(tx: ReadTx, query: Query, beginning: str, limit: int) -> list[Value]:
    condition, named = sql.where(query)
    rows = tx.all(
        f"""
        SELECT strftime('%Y-%m', (id >> 8) + 1262304000, 'unixepoch', 'localtime') AS value, count(*) AS count
          FROM live_generations
         WHERE {condition}
         GROUP BY value
        HAVING instr(value, :beginning) = 1
         ORDER BY value DESC
         LIMIT :limit
        """,  # noqa: S608 - a condition of search/sql.py
        beginning=beginning,
        limit=limit,
        **named,
    )
    return [Value(**row) for row in rows]
