"""What auto-tagging reads, and the one place where its answers are written."""

import json
from collections.abc import Sequence

from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.machine import MachineTag, Provenance
from mysticanvas.store.database import ReadTx, WriteTx


def prompts_of(tx: ReadTx, images: Sequence[GenerationId]) -> dict[int, list[int]]:
    """The images of each prompt (its id in `prompts`); those without one are left out."""
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


def prompt_text(tx: ReadTx, prompt: int) -> str | None:
    """None when no image has the prompt any more."""
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


def still_there(tx: ReadTx, images: Sequence[int]) -> list[GenerationId]:
    found = tx.column(
        "SELECT id FROM generations WHERE id IN (SELECT value FROM json_each(:images)) ORDER BY id",
        images=json.dumps(list(images)),
    )
    return [GenerationId(image) for image in found]


def vocabulary(tx: ReadTx, *, limit: int) -> list[str]:
    """The names of known tags that most images have."""
    return tx.column(
        """
        SELECT t.name
          FROM tags AS t
         WHERE t.state = 'known'
         ORDER BY (SELECT count(*) FROM image_tags WHERE tag_id = t.id) DESC, t.id
         LIMIT :limit
        """,
        limit=limit,
    )


def take_in(
    tx: WriteTx, images: Sequence[GenerationId], tags: Sequence[MachineTag], provenance: Provenance, *, now_ms: int
) -> None:
    """What a model said of images, as assertions of source `llm` in its run; said twice, it is said once. A
    name that is not known is a proposal. Nothing that the person said is touched."""
    for tag in tags:
        tx.run(
            """
            INSERT INTO tags (name, normalized_name, category, state, created_at)
            VALUES (:name, :name, :category, 'proposed', :now_ms)
                ON CONFLICT DO NOTHING
            """,
            name=tag.name,
            category=tag.category.value,
            now_ms=now_ms,
        )
        tx.run(
            """
            INSERT INTO tag_assertions (generation_id, tag_id, source, run, confidence, created_at)
            SELECT i.value, t.id, 'llm', :run, :confidence, :now_ms
              FROM json_each(:images) AS i
                   JOIN tags AS t
                     ON t.id = coalesce((SELECT tag_id FROM tag_aliases WHERE normalized_name = :name),
                                        (SELECT id FROM tags WHERE normalized_name = :name))
             WHERE TRUE
                ON CONFLICT DO UPDATE SET confidence = excluded.confidence
            """,
            images=json.dumps(list(images)),
            name=tag.name,
            run=provenance.run,
            confidence=tag.confidence,
            now_ms=now_ms,
        )
    tx.changes.changed.extend(images)
