"""The data of an image that is written to its sidecar."""

from dataclasses import dataclass

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class SidecarData:
    """The final file of an image (`path_bytes` under `root`), its rating, and its effective tags: (name, category),
    sorted by name."""

    root: str
    path_bytes: bytes
    rating: int
    tags: list[tuple[str, str | None]]


def read_sidecar_data(tx: ReadTx, image: GenerationId) -> SidecarData | None:
    """None when the image is in the Trash, its file is missing, or its folder was removed."""
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
    assigned = [(name, category) for name, category in tags]
    return SidecarData(tags=sorted(assigned, key=lambda tag: (tag[0], tag[1] or "")), **row)
