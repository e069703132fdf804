"""Pages by keyset: exact and equally quick at any depth, and nothing is skipped or repeated."""

from dataclasses import dataclass

from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.query import Query
from mysticanvas.search import sql
from mysticanvas.store.database import ReadTx


@dataclass(frozen=True, slots=True)
class Hit:
    id: GenerationId
    uuid: str
    path: str | None
    timestamp: int
    prompt: str | None
    thumb: str | None
    favorite: bool
    rating: int


def page(tx: ReadTx, query: Query, *, after: int | None, limit: int) -> list[Hit]:
    """The next `limit` images after the id `after`, newest first; from the newest when None."""
    condition, values = sql.where(query)
    rows = tx.all(
        f"""
        SELECT l.id, l.uuid, g.timestamp, g.prompt, lower(hex(l.content_hash)) AS thumb, l.is_favorite AS favorite,
               l.rating, r.path || '/' || f.path AS path
          FROM (SELECT id, uuid, content_hash, is_favorite, rating
                  FROM live_generations
                 WHERE id < :after AND {condition}
                 ORDER BY id DESC
                 LIMIT :limit) AS l
               JOIN generations AS g ON g.id = l.id
               LEFT JOIN generation_files AS f ON f.generation_id = l.id AND f.kind = 'final'
               LEFT JOIN roots AS r ON r.id = f.root_id
         ORDER BY l.id DESC
        """,  # noqa: S608 - a condition of search/sql.py
        after=after if after is not None else 1 << 62,
        limit=limit,
        **values,
    )
    return [Hit(**(row | {"favorite": bool(row["favorite"]), "thumb": row["thumb"] or None})) for row in rows]


def count(tx: ReadTx, query: Query) -> int:
    """Exactly how many images the query finds."""
    condition, values = sql.where(query)
    return int(tx.value(f"SELECT count(*) FROM live_generations WHERE {condition}", **values))  # noqa: S608
