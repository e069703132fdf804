"""The models used to make an image."""

import json
from collections.abc import Sequence
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
    return list_of_images(tx, [image]).get(image, [])


def list_of_images(tx: ReadTx, images: Sequence[GenerationId]) -> dict[GenerationId, list[UsedModel]]:
    """The models by image, by role and name. Images without models are omitted."""
    rows = tx.rows(
        """
        SELECT u.generation_id, coalesce(m.merged_into, m.id), u.role, m.name, u.weight,
               u.sure AND m.merged_by IS NOT 'name'
          FROM json_each(:images) AS wanted
               CROSS JOIN generation_models AS u ON u.generation_id = wanted.value
               CROSS JOIN models AS m ON m.id = u.model_id
         ORDER BY wanted.key, u.role, m.name
        """,
        images=json.dumps(list(images)),
    )
    found: dict[GenerationId, list[UsedModel]] = {}
    for image, model, role, name, weight, sure in rows:
        found.setdefault(image, []).append(UsedModel(model, role, name, weight, bool(sure)))
    return found
