"""Perceptual hashes, images with the same settings and seed, and identical files (docs/adr/0013)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.generation import GenerationId

# Reported to listeners when an image has a new hash and signature.
SIGNATURES_CHANGED = "likeness"


def read_hashes(tx: ReadTx) -> tuple[list[int], list[int], bytes]:
    """The live images with a hash: ascending IDs, width / height × 1000, and the concatenated hashes."""
    rows: list[Any] = tx.rows(
        """
        SELECT h.generation_id, l.ratio_milli, h.phash
          FROM picture_hashes AS h
               JOIN live_generations AS l ON l.id = h.generation_id
         ORDER BY h.generation_id
        """
    ).fetchall()
    return [row[0] for row in rows], [row[1] for row in rows], b"".join(row[2] for row in rows)


def read_signatures(tx: ReadTx, images: Sequence[int]) -> dict[int, bytes]:
    """The signatures by image. Images without a signature are omitted."""
    rows = tx.rows(
        """
        SELECT generation_id, look
          FROM picture_looks
         WHERE generation_id IN (SELECT value FROM json_each(:images))
        """,
        images=json.dumps(list(images)),
    )
    return dict(rows)


def group_same_settings(tx: ReadTx) -> list[list[int]]:
    """Groups of live images with the same settings and seed: IDs descending within a group, the group with the newest
    image first. Images without a seed or a prompt are excluded."""
    rows = tx.rows(
        """
        SELECT json_group_array(g.id ORDER BY g.id DESC) AS images
          FROM generations AS g
         WHERE g.deleted_at IS NULL AND g.excluded_at IS NULL AND g.seed IS NOT NULL AND g.prompt IS NOT NULL
         GROUP BY g.seed, g.prompt, g.negative_prompt, g.steps, g.cfg_scale, g.guidance, g.sampler, g.scheduler,
                  g.denoise, g.clip_skip, g.width, g.height, coalesce(g.model_hash, g.model_name), g.parent_uuid
        HAVING count(*) > 1
         ORDER BY max(g.id) DESC
        """
    )
    return [json.loads(row[0]) for row in rows]


def list_identical_files(tx: ReadTx) -> list[GenerationId]:
    """Live images whose file exists in several places with identical bytes, newest first."""
    return tx.column(
        """
        SELECT l.id
          FROM live_generations AS l
         WHERE l.id IN (SELECT generation_id FROM generation_files WHERE kind = 'copy' AND missing_at IS NULL)
         ORDER BY l.id DESC
        """
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """How an image was made, as far as known: `settings` that tell two generations apart, and its parent."""

    settings: dict[str, Any]
    parent: int | None


def read_origins(tx: ReadTx, images: Sequence[int]) -> dict[int, Origin]:
    """Unknown settings are omitted. Where the seed is known, so is that there was no LoRA, no variation seed and no
    partial denoising."""
    rows = tx.all(
        """
        SELECT g.id, g.parent_id AS parent, g.seed, g.prompt, g.negative_prompt, g.steps, g.cfg_scale, g.guidance,
               iif(g.seed IS NULL, NULL, coalesce(g.denoise, 1.0)) AS denoise,
               g.width || 'x' || g.height AS size, coalesce(m.merged_into, g.model_id) AS model,
               iif(g.seed IS NULL, NULL, coalesce(json_extract(g.params_json, '$."Variation seed"'), 'none'))
                 AS variation_seed,
               (SELECT iif(g.seed IS NULL AND count(*) = 0, NULL,
                           json_group_array(json_array(coalesce(l.merged_into, l.id), u.weight) ORDER BY l.id))
                  FROM generation_models AS u JOIN models AS l ON l.id = u.model_id
                 WHERE u.generation_id = g.id AND u.role = 'lora') AS loras
          FROM json_each(:images) AS wanted
               CROSS JOIN generations AS g ON g.id = wanted.value
               LEFT JOIN models AS m ON m.id = g.model_id
        """,
        images=json.dumps(list(images)),
    )
    return {row.pop("id"): Origin(parent=row.pop("parent"), settings=_drop_unknown(row)) for row in rows}


def _drop_unknown(row: dict[str, Any]) -> dict[str, Any]:
    plain = {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in row.items()}
    return {name: value for name, value in plain.items() if value not in (None, "")}
