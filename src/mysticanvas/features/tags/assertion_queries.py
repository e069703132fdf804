"""What was said of images and tags, and by whom. Nothing here changes what another source said (T1)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import Assertion, TagId, TagSource


@dataclass(frozen=True, slots=True)
class ImageAssertion:
    """One assertion as it is shown. `shown_as` is the tag that an alias leads to, else the tag."""

    tag: str
    shown_as: str
    source: str
    run: str
    decision: bool
    confidence: float | None
    created_at: int


# The person's own word on tags that are shown as :tag.
_OWN = """
       source = 'user' AND run = ''
   AND tag_id IN (SELECT tag_id FROM tag_effects WHERE effective_id = :tag AND implied = 0)
"""


def assign_tag(tx: WriteTx, tag: TagId, images: Sequence[GenerationId], *, now_ms: int) -> set[GenerationId]:
    """The person says that live images have a tag. A no to it is taken back. Those that changed."""
    changed = _delete_own(tx, tag, images, decision=False)
    return changed | _set_own(tx, tag, images, decision=True, now_ms=now_ms)


def reject_tag(tx: WriteTx, tag: TagId, images: Sequence[GenerationId], *, now_ms: int) -> set[GenerationId]:
    """The person says that live images have not this tag, whatever others say (T2)."""
    changed = _delete_own(tx, tag, images, decision=True)
    return changed | _set_own(tx, tag, images, decision=False, now_ms=now_ms)


def remove_tag(tx: WriteTx, tag: TagId, images: Sequence[GenerationId], *, now_ms: int) -> set[GenerationId]:
    """The person's yes goes; where somebody else says so, or another tag implies it, it becomes a no."""
    changed = _delete_own(tx, tag, images, decision=True)
    still = tx.column(
        """
        SELECT DISTINCT a.generation_id
          FROM json_each(:images) AS i
               CROSS JOIN tag_assertions AS a ON a.generation_id = i.value
               CROSS JOIN tag_effects AS e ON e.tag_id = a.tag_id AND e.effective_id = :tag
         WHERE a.decision = 1
        """,
        images=json.dumps(list(images)),
        tag=tag,
    )
    return changed | _set_own(tx, tag, still, decision=False, now_ms=now_ms)


def clear_tag(tx: WriteTx, tag: TagId, images: Sequence[GenerationId]) -> set[GenerationId]:
    """Neither yes nor no: only what others say counts."""
    return _delete_own(tx, tag, images, decision=True) | _delete_own(tx, tag, images, decision=False)


def _delete_own(tx: WriteTx, tag: TagId, images: Sequence[GenerationId], *, decision: bool) -> set[GenerationId]:
    return set(
        tx.column(
            "DELETE FROM tag_assertions WHERE decision = :decision"  # noqa: S608 - a constant
            " AND generation_id IN (SELECT value FROM json_each(:images)) AND" + _OWN + " RETURNING generation_id",
            decision=int(decision),
            images=json.dumps(list(images)),
            tag=tag,
        )
    )


def _set_own(
    tx: WriteTx, tag: TagId, images: Iterable[GenerationId], *, decision: bool, now_ms: int
) -> set[GenerationId]:
    return set(
        tx.column(
            """
            INSERT INTO tag_assertions (generation_id, tag_id, source, decision, created_at)
            SELECT l.id, :tag, 'user', :decision, :now_ms
              FROM json_each(:images) AS i CROSS JOIN live_generations AS l ON l.id = i.value
             WHERE TRUE
                ON CONFLICT (generation_id, tag_id, source, run) DO UPDATE
               SET decision = excluded.decision, created_at = excluded.created_at
             WHERE decision <> excluded.decision
         RETURNING generation_id
            """,
            tag=tag,
            images=json.dumps(list(images)),
            decision=int(decision),
            now_ms=now_ms,
        )
    )


def record(tx: WriteTx, rows: Iterable[tuple[GenerationId, TagId, Assertion]], *, now_ms: int) -> None:
    """What a machine or a file says, as it says it; said again by the same run, the later word stands.

    What is derived does not follow by itself: see features/tags/image_tag_queries.py.
    """
    tx.run_many(
        """
        INSERT INTO tag_assertions (generation_id, tag_id, source, run, decision, confidence, created_at)
        VALUES (:image, :tag, :source, :run, :decision, :confidence, :now_ms)
            ON CONFLICT (generation_id, tag_id, source, run) DO UPDATE
           SET decision = excluded.decision, confidence = excluded.confidence
        """,
        (
            {
                "image": image,
                "tag": tag,
                "source": said.source.value,
                "run": said.run,
                "decision": int(said.decision),
                "confidence": said.confidence,
                "now_ms": now_ms,
            }
            for image, tag, said in rows
        ),
    )


def list_for_image(tx: ReadTx, image: GenerationId) -> list[ImageAssertion]:
    """All that was said of an image, by tag."""
    rows = tx.all(
        """
        SELECT t.name AS tag, s.name AS shown_as, a.source, a.run, a.decision, a.confidence, a.created_at
          FROM tag_assertions AS a
               JOIN tags AS t ON t.id = a.tag_id
               JOIN tag_effects AS e ON e.tag_id = a.tag_id AND e.implied = 0
               JOIN tags AS s ON s.id = e.effective_id
         WHERE a.generation_id = :image
         ORDER BY t.normalized_name, a.source, a.run
        """,
        image=image,
    )
    return [ImageAssertion(**(row | {"decision": bool(row["decision"])})) for row in rows]


def count_by_source(tx: ReadTx, tag: TagId) -> list[dict[str, Any]]:
    """How many images each source said to have this very tag, and how many not to have it."""
    return tx.all(
        """
        SELECT source, count(*) FILTER (WHERE decision = 1) AS yes, count(*) FILTER (WHERE decision = 0) AS no
          FROM tag_assertions
         WHERE tag_id = :tag
         GROUP BY source
         ORDER BY source
        """,
        tag=tag,
    )


def list_images(tx: ReadTx, tag: TagId) -> list[GenerationId]:
    """Every image of which anything was said about this tag, in order; in the Trash too."""
    return tx.column(
        "SELECT DISTINCT generation_id FROM tag_assertions WHERE tag_id = :tag ORDER BY generation_id", tag=tag
    )


def list_images_of_source(tx: ReadTx, source: TagSource, *, limit: int) -> list[GenerationId]:
    """Some of the images of which a source has said something."""
    return tx.column(
        "SELECT DISTINCT generation_id FROM tag_assertions WHERE source = :source LIMIT :limit",
        source=source.value,
        limit=limit,
    )


def move(tx: WriteTx, old: TagId, new: Sequence[TagId], images: Sequence[GenerationId]) -> set[GenerationId]:
    """What was said of `old` is said of each of `new` instead, by the same sources; what was said of
    those already stays as it was."""
    wanted = json.dumps(list(images))
    for tag in new:
        tx.run(
            """
            INSERT INTO tag_assertions (generation_id, tag_id, source, run, decision, confidence, created_at)
            SELECT a.generation_id, :new, a.source, a.run, a.decision, a.confidence, a.created_at
              FROM json_each(:images) AS i
                   CROSS JOIN tag_assertions AS a ON a.generation_id = i.value AND a.tag_id = :old
             WHERE TRUE
                ON CONFLICT DO NOTHING
            """,
            new=tag,
            old=old,
            images=wanted,
        )
    return remove_all(tx, old, images)


def remove_all(tx: WriteTx, tag: TagId, images: Sequence[GenerationId]) -> set[GenerationId]:
    """Everything that was said of a tag, by anyone."""
    return set(
        tx.column(
            """
            DELETE FROM tag_assertions
             WHERE tag_id = :tag AND generation_id IN (SELECT value FROM json_each(:images))
         RETURNING generation_id
            """,
            tag=tag,
            images=json.dumps(list(images)),
        )
    )


def remove_source(tx: WriteTx, source: TagSource, images: Sequence[GenerationId]) -> list[tuple[GenerationId, TagId]]:
    """All that a source said of these images; what it was."""
    rows = tx.all(
        """
        DELETE FROM tag_assertions
         WHERE source = :source AND generation_id IN (SELECT value FROM json_each(:images))
     RETURNING generation_id, tag_id
        """,
        source=source.value,
        images=json.dumps(list(images)),
    )
    return [(row["generation_id"], row["tag_id"]) for row in rows]
