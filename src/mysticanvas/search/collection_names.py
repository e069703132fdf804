"""What a search reads of collections: their names, and the searches of the smart ones."""

from dataclasses import dataclass

from mysticanvas.db.database import ReadTx


@dataclass(frozen=True, slots=True)
class CollectionName:
    """What a search needs to know of a collection; `query` is None for a manual one."""

    id: int
    uuid: str
    name: str
    query: str | None


def read_collection_names(tx: ReadTx) -> list[CollectionName]:
    """All of them, without their images."""
    rows = tx.all("SELECT id, uuid, name, json_extract(query_json, '$.text') AS query FROM collections ORDER BY id")
    return [CollectionName(**row) for row in rows]
