"""Image vectors and NSFW scores, stored once per distinct image content (table `pictures`)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.ml.image_model_settings import ClipModel, ImageAnalysisSettings
from mysticanvas.search.prompt_vectors import StoredVector

SETTINGS_KEY = "sight"


@dataclass(frozen=True, slots=True)
class UnanalyzedPicture:
    """Image content that has no vector in `spaces`."""

    content_hash: bytes
    spaces: list[str]


def get_image_model_settings(tx: ReadTx) -> ImageAnalysisSettings:
    """The settings for image analysis."""
    stored = settings_store.get(tx, SETTINGS_KEY, {})
    clip = stored.get("clip")
    return ImageAnalysisSettings(**stored | {"clip": None if clip is None else ClipModel(**clip)})


def set_image_model_settings(tx: WriteTx, settings: ImageAnalysisSettings) -> None:
    settings_store.put(tx, SETTINGS_KEY, asdict(settings))


def list_unanalyzed_pictures(
    tx: ReadTx, images: Sequence[GenerationId], *, spaces: Sequence[str]
) -> list[UnanalyzedPicture]:
    """The distinct contents of these images that have no vector in some space. Trashed images, and those
    without a thumbnail or with damage, are skipped."""
    rows = tx.rows(
        """
        SELECT DISTINCT l.content_hash,
               (SELECT json_group_array(value)
                  FROM json_each(:spaces)
                 WHERE NOT EXISTS (SELECT 1 FROM embeddings WHERE content_hash = l.content_hash AND space = value))
          FROM json_each(:images) AS wanted
               JOIN live_generations AS l ON l.id = wanted.value
         WHERE l.content_hash IS NOT NULL AND l.flags & 10 = 0
        """,
        images=json.dumps(list(images)),
        spaces=json.dumps(list(spaces)),
    )
    found = [UnanalyzedPicture(content_hash, json.loads(missing)) for content_hash, missing in rows]
    return [one for one in found if one.spaces]


def list_unanalyzed_images(tx: ReadTx, *, space: str, after: int, limit: int) -> tuple[list[GenerationId], int | None]:
    """Check the next `limit` images by ID. Returns the images without a vector in the space, and the last image that
    was checked; None if there are no more."""
    rows = tx.rows(
        """
        SELECT l.id, l.content_hash IS NULL OR l.flags & 10 <> 0
               OR EXISTS (SELECT 1 FROM embeddings WHERE content_hash = l.content_hash AND space = :space)
          FROM live_generations AS l
         WHERE l.id > :after
         ORDER BY l.id
         LIMIT :limit
        """,
        space=space,
        after=after,
        limit=limit,
    )
    checked: list[tuple[int, int]] = [(image, done) for image, done in rows]
    last = checked[-1][0] if checked else None
    return [GenerationId(image) for image, done in checked if not done], last


def save_vectors(
    tx: WriteTx, hashes: Sequence[bytes], explicit: Sequence[float] | None, vectors: dict[str, list[bytes]]
) -> list[GenerationId]:
    """Store NSFW scores and vectors, both parallel to the hashes. An existing vector is not replaced. Content that no
    file has is skipped. Returns the live images with this content."""
    tx.run_many(
        """
        INSERT INTO pictures (content_hash, explicit)
        SELECT :content_hash, :explicit
         WHERE EXISTS (SELECT 1 FROM generation_files WHERE blake3 = :content_hash)
            ON CONFLICT (content_hash) DO UPDATE SET explicit = coalesce(excluded.explicit, explicit)
        """,
        (
            {"content_hash": one, "explicit": None if explicit is None else explicit[number]}
            for number, one in enumerate(hashes)
        ),
    )
    for space, ours in vectors.items():
        tx.run_many(
            """
            INSERT INTO embeddings (space, content_hash, vector)
            SELECT :space, :content_hash, :vector
             WHERE EXISTS (SELECT 1 FROM pictures WHERE content_hash = :content_hash)
                ON CONFLICT DO NOTHING
            """,
            ({"space": space, "content_hash": one, "vector": vector} for one, vector in zip(hashes, ours, strict=True)),
        )
    return tx.column(
        """
        SELECT l.id
          FROM json_each(:hashes) AS wanted
               JOIN generation_files AS f ON f.blake3 = unhex(wanted.value) AND f.kind = 'final'
               JOIN live_generations AS l ON l.id = f.generation_id
        """,
        hashes=json.dumps([one.hex() for one in hashes]),
    )


def get_nsfw_scores(tx: ReadTx, hashes: Sequence[str]) -> dict[str, float]:
    """The NSFW scores by hexadecimal hash, as in the names of thumbnails. Images that were not analyzed are omitted."""
    rows = tx.rows(
        """
        SELECT wanted.value, p.explicit
          FROM json_each(:hashes) AS wanted
               JOIN pictures AS p ON p.content_hash = unhex(wanted.value)
         WHERE p.explicit IS NOT NULL
        """,
        hashes=json.dumps(list(hashes)),
    )
    return dict(rows)


def count_vectors(tx: ReadTx, *, space: str) -> int:
    """The number of vectors in the space."""
    return int(tx.value("SELECT count(*) FROM embeddings WHERE space = :space", space=space))


def get_dimensions(tx: ReadTx, *, space: str) -> int | None:
    """The dimensions of the vectors in the space; None if it has no vectors."""
    found: int | None = tx.value("SELECT length(vector) FROM embeddings WHERE space = :space LIMIT 1", space=space)
    return found


# -- the same interface as prompt_vectors.py ------------------------------------------------------


def read_vectors_after(tx: ReadTx, *, space: str, last: int, limit: int) -> list[StoredVector]:
    """The next vectors of the space after the vector ID `last`, in order of arrival."""
    rows = tx.rows(
        """
        SELECT e.id, p.id, e.vector
          FROM embeddings AS e
               JOIN pictures AS p ON p.content_hash = e.content_hash
         WHERE e.id > :last AND e.space = :space
         ORDER BY e.id
         LIMIT :limit
        """,
        space=space,
        last=last,
        limit=limit,
    )
    return [StoredVector(*row) for row in rows]


def get_picture_of_vector(tx: ReadTx, *, space: str, vector: int) -> int | None:
    """The picture ID of a vector; None if the vector no longer exists."""
    found: int | None = tx.value(
        """
        SELECT p.id
          FROM embeddings AS e
               JOIN pictures AS p ON p.content_hash = e.content_hash
         WHERE e.id = :vector AND e.space = :space
        """,
        vector=vector,
        space=space,
    )
    return found


def read_all_pictures(tx: ReadTx) -> tuple[str, str]:
    """The IDs of all live images that were analyzed, ascending, and their picture IDs, as two comma-separated lists."""
    row = tx.one(
        """
        SELECT group_concat(image) AS images, group_concat(picture) AS pictures
          FROM (SELECT l.id AS image, p.id AS picture
                  FROM live_generations AS l
                       JOIN pictures AS p ON p.content_hash = l.content_hash
                 ORDER BY l.id)
        """
    )
    return (row["images"] or "", row["pictures"] or "") if row else ("", "")


def read_pictures(tx: ReadTx, images: Sequence[GenerationId]) -> dict[int, int]:
    """The picture ID of each of these images that is live and was analyzed."""
    rows = tx.rows(
        """
        SELECT l.id, p.id
          FROM live_generations AS l
               JOIN pictures AS p ON p.content_hash = l.content_hash
         WHERE l.id IN (SELECT value FROM json_each(:images))
        """,
        images=json.dumps(list(images)),
    )
    return dict(rows)
