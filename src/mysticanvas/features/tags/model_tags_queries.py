"""Queries of auto-tagging: prompts and their images, and the assertions of earlier runs."""

import json
from collections.abc import Sequence

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagId, TagSource


def group_by_prompt(tx: ReadTx, images: Sequence[GenerationId]) -> dict[int, list[int]]:
    """Prompt id to the images that have the prompt; images without a prompt are skipped."""
    rows = tx.rows(
        """
        SELECT prompt_id, json_group_array(generation_id)
          FROM generation_prompts
         WHERE generation_id IN (SELECT value FROM json_each(:images))
         GROUP BY prompt_id
        """,
        images=json.dumps(list(images)),
    )
    return {prompt: json.loads(of) for prompt, of in rows}


def get_prompt_text(tx: ReadTx, prompt: int) -> str | None:
    """The text of a prompt; None if no image has it."""
    text: str | None = tx.value(
        """
        SELECT g.prompt
          FROM generation_prompts AS p
               JOIN generations AS g ON g.id = p.generation_id
         WHERE p.prompt_id = :prompt
         LIMIT 1
        """,
        prompt=prompt,
    )
    return text


def list_images_of_prompt(tx: ReadTx, prompt: int) -> list[GenerationId]:
    return tx.column("SELECT generation_id FROM generation_prompts WHERE prompt_id = :prompt", prompt=prompt)


def filter_live(tx: ReadTx, images: Sequence[int]) -> list[GenerationId]:
    return tx.column(
        "SELECT id FROM live_generations WHERE id IN (SELECT value FROM json_each(:images)) ORDER BY id",
        images=json.dumps(list(images)),
    )


def find_tagged_images(tx: ReadTx, images: Sequence[int], *, source: TagSource, runs: str) -> set[int]:
    """Those of the images that have an assertion of `source` by a run whose name begins with `runs`."""
    return set(
        tx.column(
            """
            SELECT DISTINCT a.generation_id
              FROM json_each(:images) AS i
                   CROSS JOIN tag_assertions AS a ON a.generation_id = i.value
             WHERE a.source = :source AND substr(a.run, 1, length(:runs)) = :runs
            """,
            images=json.dumps(list(images)),
            source=source.value,
            runs=runs,
        )
    )


def delete_assertions(
    tx: WriteTx, images: Sequence[int], *, source: TagSource, runs: str
) -> list[tuple[GenerationId, TagId]]:
    """Delete the assertions about these images by runs whose names begin with `runs`; returns (image, tag) pairs."""
    rows = tx.all(
        """
        DELETE FROM tag_assertions
         WHERE generation_id IN (SELECT value FROM json_each(:images))
           AND source = :source AND substr(run, 1, length(:runs)) = :runs
     RETURNING generation_id, tag_id
        """,
        images=json.dumps(list(images)),
        source=source.value,
        runs=runs,
    )
    return [(row["generation_id"], row["tag_id"]) for row in rows]


def copy_assertions(
    tx: WriteTx, one: int, others: Sequence[int], *, source: TagSource, runs: str, now_ms: int
) -> list[tuple[GenerationId, TagId]]:
    """Copy the assertions of these runs about one image to others; returns the new (image, tag) pairs."""
    rows = tx.all(
        """
        INSERT INTO tag_assertions (generation_id, tag_id, source, run, decision, confidence, created_at)
        SELECT i.value, a.tag_id, a.source, a.run, a.decision, a.confidence, :now_ms
          FROM tag_assertions AS a CROSS JOIN json_each(:others) AS i
         WHERE a.generation_id = :one AND a.source = :source AND substr(a.run, 1, length(:runs)) = :runs
            ON CONFLICT DO NOTHING
     RETURNING generation_id, tag_id
        """,
        one=one,
        others=json.dumps(list(others)),
        source=source.value,
        runs=runs,
        now_ms=now_ms,
    )
    return [(row["generation_id"], row["tag_id"]) for row in rows]


def list_images_of_run(tx: ReadTx, run: str, *, limit: int) -> list[GenerationId]:
    """Up to `limit` images with an assertion by exactly this run."""
    return tx.column(
        """
        SELECT DISTINCT generation_id
          FROM tag_assertions
         WHERE run = :run AND source IN ('llm', 'vision')
         LIMIT :limit
        """,
        run=run,
        limit=limit,
    )


def get_content_hash(tx: ReadTx, image: int) -> str | None:
    """The content hash in hex, which names the thumbnails; None until it is computed."""
    found: str | None = tx.value("SELECT lower(hex(content_hash)) FROM live_generations WHERE id = :image", image=image)
    return found or None
