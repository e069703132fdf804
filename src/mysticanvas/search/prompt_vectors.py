"""Prompt vectors, stored once per distinct prompt (table `prompts`), and the prompts of images."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class UnembeddedPrompt:
    content_hash: bytes
    text: str


@dataclass(frozen=True, slots=True)
class StoredVector:
    """`subject` is the ID in `prompts` or `pictures`."""

    id: int
    subject: int
    vector: bytes


def list_unembedded_prompts(tx: ReadTx, *, space: str, first: int, last: int) -> list[UnembeddedPrompt]:
    """The prompts with `first` <= ID <= `last` that have no vector in the space."""
    rows = tx.rows(
        """
        SELECT p.content_hash, g.prompt
          FROM prompts AS p
               CROSS JOIN generations AS g
                 ON g.id = (SELECT min(generation_id) FROM generation_prompts WHERE prompt_id = p.id)
         WHERE p.id BETWEEN :first AND :last
           AND NOT EXISTS (SELECT 1 FROM embeddings WHERE content_hash = p.content_hash AND space = :space)
         ORDER BY p.id
        """,
        space=space,
        first=first,
        last=last,
    )
    return [UnembeddedPrompt(*row) for row in rows]


def list_unembedded_blocks(tx: ReadTx, *, space: str, size: int, first: int, last: int) -> list[int]:
    """The numbers of the blocks of `size` IDs with a prompt without a vector and `first` <= ID <= `last`."""
    return tx.column(
        """
        SELECT DISTINCT p.id / :size
          FROM prompts AS p
         WHERE p.id BETWEEN :first AND :last
           AND NOT EXISTS (SELECT 1 FROM embeddings WHERE content_hash = p.content_hash AND space = :space)
        """,
        space=space,
        size=size,
        first=first,
        last=last,
    )


def get_last_prompt_id(tx: ReadTx) -> int:
    """The highest ID of a prompt; 0 if there is none."""
    return int(tx.value("SELECT max(id) FROM prompts") or 0)


def save_vectors(tx: WriteTx, *, space: str, vectors: Iterable[tuple[bytes, bytes]]) -> None:
    """Store pairs of (content hash, vector). Existing vectors are not replaced; removed prompts are skipped."""
    tx.run_many(
        """
        INSERT INTO embeddings (space, content_hash, vector)
        SELECT :space, :content_hash, :vector
         WHERE EXISTS (SELECT 1 FROM prompts WHERE content_hash = :content_hash)
            ON CONFLICT DO NOTHING
        """,
        ({"space": space, "content_hash": one, "vector": vector} for one, vector in vectors),
    )


def delete_vectors(tx: WriteTx, *, space: str) -> int:
    """Delete all vectors of the space. Returns their number."""
    return tx.run("DELETE FROM embeddings WHERE space = :space", space=space)


def count_vectors(tx: ReadTx, spaces: Sequence[str]) -> tuple[int, dict[str, int]]:
    """The number of distinct prompts, and the number of vectors in each space."""
    rows = tx.rows("SELECT space, count(*) FROM embeddings GROUP BY space")
    found = dict.fromkeys(spaces, 0) | {space: count for space, count in rows if space in spaces}
    return int(tx.value("SELECT count(*) FROM prompts")), found


def read_vectors_after(tx: ReadTx, *, space: str, last: int, limit: int) -> list[StoredVector]:
    """The next vectors of the space after the vector ID `last`, in order of arrival."""
    rows = tx.rows(
        """
        SELECT e.id, p.id, e.vector
          FROM embeddings AS e
               JOIN prompts AS p ON p.content_hash = e.content_hash
         WHERE e.id > :last AND e.space = :space
         ORDER BY e.id
         LIMIT :limit
        """,
        space=space,
        last=last,
        limit=limit,
    )
    return [StoredVector(*row) for row in rows]


def get_prompt_of_vector(tx: ReadTx, *, space: str, vector: int) -> int | None:
    """The prompt ID of a vector; None if the vector no longer exists."""
    found: int | None = tx.value(
        """
        SELECT p.id
          FROM embeddings AS e
               JOIN prompts AS p ON p.content_hash = e.content_hash
         WHERE e.id = :vector AND e.space = :space
        """,
        vector=vector,
        space=space,
    )
    return found


def read_all_prompts(tx: ReadTx) -> tuple[str, str]:
    """The IDs of all live images with a prompt, ascending, and their prompt IDs, as two comma-separated lists. Reads a
    million rows in a fraction of a second."""
    row = tx.one(
        """
        SELECT group_concat(generation_id) AS images, group_concat(prompt_id) AS prompts
          FROM (SELECT p.generation_id, p.prompt_id
                  FROM generation_prompts AS p
                       JOIN live_generations AS l ON l.id = p.generation_id
                 ORDER BY p.generation_id)
        """
    )
    return (row["images"] or "", row["prompts"] or "") if row else ("", "")


def read_prompts(tx: ReadTx, images: Sequence[GenerationId]) -> dict[int, int]:
    """The prompt ID of each of these images that is live and has a prompt."""
    rows = tx.rows(
        """
        SELECT p.generation_id, p.prompt_id
          FROM generation_prompts AS p
               JOIN live_generations AS l ON l.id = p.generation_id
         WHERE p.generation_id IN (SELECT value FROM json_each(:images))
        """,
        images=json.dumps(list(images)),
    )
    return dict(rows)
