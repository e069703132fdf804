"""The models used to make an image."""

from dataclasses import dataclass

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId


@dataclass(frozen=True, slots=True)
class UsedModel:
    """`sure`: the image identifies the model by a hash, not only by its name."""

    model_id: int
    role: str
    name: str
    weight: float | None
    sure: bool


def list_used_models(tx: ReadTx, image: GenerationId) -> list[UsedModel]:
    rows = tx.all(
        """
        SELECT coalesce(m.merged_into, m.id) AS model_id, u.role, m.name, u.weight,
               u.sure AND m.merged_by IS NOT 'name' AS sure
          FROM generation_models AS u
               JOIN models AS m ON m.id = u.model_id
         WHERE u.generation_id = :image
         ORDER BY u.role, m.name
        """,
        image=image,
    )
    return [UsedModel(**(row | {"sure": bool(row["sure"])})) for row in rows]
