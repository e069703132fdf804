"""The names of collections and the queries of smart collections, as search needs them."""

from dataclasses import dataclass

from mysticanvas.db.database import ReadTx


@dataclass(frozen=True, slots=True)
class CollectionName:
    """`query` is None for a manual collection."""

    id: int
    uuid: str
    name: str
    query: str | None


def read_collection_names(tx: ReadTx) -> list[CollectionName]:
    """All collections, ordered by ID."""
    rows = tx.all("SELECT id, uuid, name, json_extract(query_json, '$.text') AS query FROM collections ORDER BY id")
    return [CollectionName(**row) for row in rows]
