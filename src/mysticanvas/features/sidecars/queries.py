"""What sidecars for other programs say of an image."""

from dataclasses import dataclass

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class ForOthers:
    """What other programs may know of an image: where it is, its effective tags by name, its rating."""

    root: str
    path_bytes: bytes
    rating: int
    tags: list[tuple[str, str | None]]


def for_others(tx: ReadTx, image: GenerationId) -> ForOthers | None:
    """None when its file is not there, or in a folder that was removed."""
    row = tx.one(
        """
        SELECT r.path AS root, f.path_bytes, g.rating
          FROM generations AS g
               JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
               JOIN roots AS r ON r.id = f.root_id
         WHERE g.id = :image AND f.missing_at IS NULL AND g.deleted_at IS NULL AND r.removed_at IS NULL
        """,
        image=image,
    )
    if row is None:
        return None
    tags = tx.rows(
        """
        SELECT t.name, t.category
          FROM image_tags AS i JOIN tags AS t ON t.id = i.tag_id
         WHERE i.generation_id = :image
        """,
        image=image,
    )
    said = [(name, category) for name, category in tags]
    return ForOthers(tags=sorted(said, key=lambda tag: (tag[0], tag[1] or "")), **row)
