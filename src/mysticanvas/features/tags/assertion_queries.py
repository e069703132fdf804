"""Assertions: which source assigned a tag to an image or rejected it (docs/adr/0008-tags.md).

Unless a function says so, it changes only the assertions of one source.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import Assertion, TagId, TagSource


@dataclass(frozen=True, slots=True)
class ImageAssertion:
    """An assertion as the API returns it. `shown_as` is the tag after aliases are resolved."""

    tag: str
    shown_as: str
    source: str
    run: str
    decision: bool
    confidence: float | None
    created_at: int


# The user's own assertions of tags that resolve to :tag.
_OWN = """
       source = 'user' AND run = ''
   AND tag_id IN (SELECT tag_id FROM tag_effects WHERE effective_id = :tag AND implied = 0)
"""


def assign_tag(tx: WriteTx, tag: TagId, images: Sequence[GenerationId], *, now_ms: int) -> set[GenerationId]:
    """Assign a tag to live images as the user, in place of a rejection; returns the images that changed."""
    changed = _delete_own(tx, tag, images, decision=False)
    return changed | _set_own(tx, tag, images, decision=True, now_ms=now_ms)


def reject_tag(tx: WriteTx, tag: TagId, images: Sequence[GenerationId], *, now_ms: int) -> set[GenerationId]:
    """Reject a tag on live images as the user, which overrides all other sources; returns the images that changed."""
    changed = _delete_own(tx, tag, images, decision=True)
    return changed | _set_own(tx, tag, images, decision=False, now_ms=now_ms)


def remove_tag(tx: WriteTx, tag: TagId, images: Sequence[GenerationId], *, now_ms: int) -> set[GenerationId]:
    """Withdraw the user's assignment of a tag; returns the images that changed.

    Where another source assigned the tag, or another tag implies it, the assignment becomes a rejection.
    """
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
    """Delete the user's assignment or rejection of a tag, so that only other sources count; returns the images
    that changed."""
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
    """Store assertions of models, prompts or files. A repeated assertion by the same run replaces the earlier one.

    The caller must update the derived tags: see `image_tag_queries.derive_pairs`.
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
                "source": assertion.source.value,
                "run": assertion.run,
                "decision": int(assertion.decision),
                "confidence": assertion.confidence,
                "now_ms": now_ms,
            }
            for image, tag, assertion in rows
        ),
    )


def list_for_image(tx: ReadTx, image: GenerationId) -> list[ImageAssertion]:
    """All assertions about an image, ordered by tag, source and run."""
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


@dataclass(frozen=True, slots=True)
class SourceCount:
    """The number of images on which a source assigned a tag (`yes`) or rejected it (`no`)."""

    source: str
    yes: int
    no: int


def count_by_source(tx: ReadTx, tag: TagId) -> list[SourceCount]:
    """Per source: on how many images it assigned this tag and on how many it rejected it, aliases not resolved."""
    rows = tx.all(
        """
        SELECT source, count(*) FILTER (WHERE decision = 1) AS yes, count(*) FILTER (WHERE decision = 0) AS no
          FROM tag_assertions
         WHERE tag_id = :tag
         GROUP BY source
         ORDER BY source
        """,
        tag=tag,
    )
    return [SourceCount(**row) for row in rows]


def list_images(tx: ReadTx, tag: TagId) -> list[GenerationId]:
    """All images with an assertion of this tag, by id; includes images in the Trash."""
    return tx.column(
        "SELECT DISTINCT generation_id FROM tag_assertions WHERE tag_id = :tag ORDER BY generation_id", tag=tag
    )


def move(tx: WriteTx, old: TagId, new: Sequence[TagId], images: Sequence[GenerationId]) -> set[GenerationId]:
    """Move the assertions of `old`, of all sources, to each of `new`; returns the images that had one.

    Where a source already asserted a new tag, its assertion stays.
    """
    ids = json.dumps(list(images))
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
            images=ids,
        )
    return remove_all(tx, old, images)


def remove_all(tx: WriteTx, tag: TagId, images: Sequence[GenerationId]) -> set[GenerationId]:
    """Delete the assertions of a tag, of all sources; returns the images that had one."""
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
    """Delete all assertions of a source about these images; returns their (image, tag) pairs."""
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
