"""What a library says, in the words of its model."""

from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId
from tests.faults.library_model import COLLECTIONS


def state(tx: ReadTx) -> dict[str, Any]:
    """What the library says, in the words of the model."""
    images = {}
    for row in tx.all("SELECT id, seed, is_favorite, rating, notes, deleted_at, missing_at FROM generations"):
        tags = tx.column(
            "SELECT t.name FROM tag_assertions AS a JOIN tags AS t ON t.id = a.tag_id "
            " WHERE a.generation_id = :id AND a.source = 'user' AND a.decision = 1",
            id=row["id"],
        )
        at = tx.column(
            "SELECT path FROM generation_files WHERE generation_id = :id AND root_id > 0 AND missing_at IS NULL",
            id=row["id"],
        )
        images[int(row["seed"])] = (
            bool(row["is_favorite"]), row["rating"], row["notes"], frozenset(tags), row["deleted_at"] is not None,
            row["missing_at"] is not None, frozenset(at),
        )  # fmt: skip
    collections = {name: _items(tx, name) for name in COLLECTIONS}
    return {"images": images, "collections": collections}


def _items(tx: ReadTx, name: str) -> list[int]:
    return [
        int(seed)
        for seed in tx.column(
            "SELECT g.seed FROM collections AS c JOIN collection_items AS i ON i.collection_id = c.id "
            " JOIN generations AS g ON g.id = i.generation_id "
            " WHERE c.name = :name AND g.deleted_at IS NULL ORDER BY i.position",
            name=name,
        )
    ]


def finals(tx: ReadTx) -> dict[str, tuple[str, int]]:
    """Where each image's own file was last known: its uuid and content. Without a path, one that is nowhere."""
    rows = tx.rows(
        "SELECT iif(substr(f.path_bytes, 1, 1) = x'00', '?' || g.id, f.path), g.uuid, g.seed "
        "  FROM generations AS g JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'"
    )
    return {path: (uuid, int(seed)) for path, uuid, seed in rows}


def content_by_uuid(tx: ReadTx) -> dict[str, int]:
    return {uuid: int(seed) for uuid, seed in tx.rows("SELECT uuid, seed FROM generations")}


def id_by_content(tx: ReadTx) -> dict[int, GenerationId]:
    return {int(seed): image for image, seed in tx.rows("SELECT id, seed FROM generations")}


def job(tx: ReadTx, job: int) -> tuple[Any, ...] | None:
    return next(
        iter(tx.rows("SELECT claim_token, status, attempts, crashes, error FROM jobs WHERE id = :id", id=job)), None
    )
