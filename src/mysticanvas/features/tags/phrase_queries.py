"""The backlog of prompts to search for tags, and phrases that are not tags yet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.log import pack_ids, unpack_ids


@dataclass(frozen=True, slots=True)
class Phrase:
    """`images` are the first ones that contain it, no more than it takes to become a tag."""

    key: str
    name: str
    images: list[GenerationId]


def add_to_backlog(tx: WriteTx, images: Sequence[GenerationId]) -> None:
    """Queue images whose prompts are searched for tags later."""
    tx.run("INSERT INTO prompt_backlog (images) VALUES (:images)", images=pack_ids(images))
    tx.changes.invalidated.add("prompts")


def take_from_backlog(tx: WriteTx, *, limit: int) -> list[GenerationId]:
    """Remove up to `limit` images from the backlog and return them; [] if it is empty."""
    row = tx.one("SELECT id, images FROM prompt_backlog ORDER BY id LIMIT 1")
    if row is None:
        return []
    images = unpack_ids(row["images"])
    if len(images) > limit:
        tx.run("UPDATE prompt_backlog SET images = :rest WHERE id = :id", rest=pack_ids(images[limit:]), id=row["id"])
    else:
        tx.run("DELETE FROM prompt_backlog WHERE id = :id", id=row["id"])
    return images[:limit]


def has_backlog(tx: ReadTx) -> bool:
    return bool(tx.value("SELECT EXISTS (SELECT 1 FROM prompt_backlog)"))


def delete_all(tx: WriteTx) -> None:
    tx.run("DELETE FROM prompt_backlog")
    tx.run("DELETE FROM prompt_phrases")


def list_prompts(tx: ReadTx, images: Sequence[GenerationId]) -> list[tuple[GenerationId, str]]:
    rows = tx.all(
        """
        SELECT g.id, g.prompt FROM json_each(:images) AS i JOIN generations AS g ON g.id = i.value
         WHERE g.prompt IS NOT NULL
        """,
        images=json.dumps(list(images)),
    )
    return [(row["id"], row["prompt"]) for row in rows]


def list_images_with_prompt(tx: ReadTx, *, after: int, limit: int) -> list[GenerationId]:
    """The next images with a prompt, by id."""
    sql = "SELECT id FROM generations WHERE id > :after AND prompt IS NOT NULL ORDER BY id LIMIT :limit"
    return tx.column(sql, after=after, limit=limit)


def find_phrases(tx: ReadTx, keys: Sequence[str]) -> dict[str, Phrase]:
    rows = tx.all(
        """
        SELECT p.normalized_name, p.name, p.images
          FROM json_each(:keys) AS k JOIN prompt_phrases AS p ON p.normalized_name = k.value
        """,
        keys=json.dumps(list(keys)),
    )
    return {r["normalized_name"]: Phrase(r["normalized_name"], r["name"], unpack_ids(r["images"])) for r in rows}


def save_phrases(tx: WriteTx, found: Sequence[Phrase], *, now_ms: int) -> None:
    tx.run_many(
        """
        INSERT INTO prompt_phrases (normalized_name, name, images, seen_at)
        VALUES (:key, :name, :images, :now_ms)
            ON CONFLICT (normalized_name) DO UPDATE SET images = excluded.images, seen_at = excluded.seen_at
        """,
        [{"key": one.key, "name": one.name, "images": pack_ids(one.images), "now_ms": now_ms} for one in found],
    )


def delete_phrases(tx: WriteTx, keys: Sequence[str]) -> None:
    sql = "DELETE FROM prompt_phrases WHERE normalized_name IN (SELECT value FROM json_each(:keys))"
    tx.run(sql, keys=json.dumps(list(keys)))


def delete_oldest_phrases(tx: WriteTx, *, keep: int) -> None:
    """Delete the phrases seen longest ago, with some margin, if there are more than `keep`."""
    count = int(tx.value("SELECT count(*) FROM prompt_phrases"))
    if count > keep:
        sql = """DELETE FROM prompt_phrases WHERE normalized_name IN (
                     SELECT normalized_name FROM prompt_phrases ORDER BY seen_at LIMIT :many)"""
        tx.run(sql, many=count - keep * 9 // 10)
