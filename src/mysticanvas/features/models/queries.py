"""The model registry: checkpoints, LoRAs and other models, and the images made with them."""

import re
from collections.abc import Sequence

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.features.models import group_queries

_HEX = re.compile(r"(?:0x)?[0-9a-f]+")
# The number of hex digits of the hashes that generators write.
_KINDS_BY_LENGTH = {8: "autov1", 10: "autov2", 12: "autov3", 64: "sha256"}
# The start of the SHA-256 of an empty input. A1111 writes it for every file smaller than 1 MB.
_HASH_OF_NOTHING = "e3b0c442"


def find_or_add(tx: WriteTx, use: ModelUse, *, now_ms: int) -> int | None:
    """The registry entry for a model that an image refers to; None without a name and a hash.

    Each combination of role, name and hash has its own entry, so that the entries do not depend on the order of import.
    Entries are never deleted, so IDs stay valid: entries that are the same model are grouped (`group_queries.py`), not
    moved.
    """
    hashed = _detect_hash_kind(use.hash)
    name = get_stem(use.name) if use.name else None
    if hashed is None and not name:
        return None
    name = name or f"unknown {hashed[1] if hashed else ''}".strip()
    found = _find_reference(tx, use.role, name, hashed)
    if found is not None:
        return found
    found = _add(tx, use.role, name, now_ms)
    if hashed is not None:
        _add_hash(tx, found, hashed)
    group_queries.regroup(tx, found)
    return found


def _add(tx: WriteTx, role: str, name: str, now_ms: int) -> int:
    tx.run(
        "INSERT INTO models (kind, name, created_at) VALUES (:kind, :name, :now_ms)",
        kind=role,
        name=name,
        now_ms=now_ms,
    )
    return tx.last_id


def _add_hash(tx: WriteTx, model_id: int, hashed: tuple[str, str]) -> None:
    tx.run(
        """
        INSERT INTO model_hashes (model_id, kind, value, source)
        VALUES (:model_id, :kind, :value, 'image')
            ON CONFLICT DO NOTHING
        """,
        model_id=model_id,
        kind=hashed[0],
        value=hashed[1],
    )


Linked = Sequence[tuple[int, ModelUse]]


def link_all(tx: WriteTx, uses: Sequence[tuple[GenerationId, Linked]]) -> None:
    """Record which models were used for new images."""
    tx.run_many(
        """
        INSERT INTO generation_models (generation_id, model_id, role, weight, sure)
        VALUES (:image, :model_id, :role, :weight, :sure)
            ON CONFLICT DO NOTHING
        """,
        (
            {
                "image": image,
                "model_id": model_id,
                "role": use.role.value,
                "weight": use.weight,
                "sure": int(_detect_hash_kind(use.hash) is not None),
            }
            for image, linked in uses
            for model_id, use in linked
        ),
    )


def link(tx: WriteTx, image: GenerationId, linked: Linked) -> None:
    """Replace the recorded models of an image."""
    tx.run("DELETE FROM generation_models WHERE generation_id = :image", image=image)
    link_all(tx, [(image, linked)])


def list_made_with(
    tx: ReadTx, model_id: int, *, role: ModelKind, min_weight: float | None = None
) -> list[GenerationId]:
    """Every image made with a model in this role, newest first, over all entries of the model. With `min_weight`, only
    images that used at least this weight."""
    weighed = "AND u.weight >= :min_weight" if min_weight is not None else ""
    return tx.column(
        f"""
        SELECT DISTINCT u.generation_id
          FROM generation_models AS u
         WHERE u.model_id IN (SELECT :model_id UNION ALL SELECT id FROM models WHERE merged_into = :model_id)
           AND u.role = :role {weighed}
         ORDER BY u.generation_id DESC
        """,  # noqa: S608 - one of two texts of our own
        **({"model_id": model_id, "role": role.value} | ({"min_weight": min_weight} if weighed else {})),
    )


def get_stem(name: str) -> str:
    """The name of a model without folders and file extension."""
    last = re.split(r"[\\/]", name.strip())[-1]
    return re.sub(r"\.(safetensors|ckpt|pth?|gguf|sft|bin|onnx)$", "", last, flags=re.IGNORECASE)


def _detect_hash_kind(text: str | None) -> tuple[str, str] | None:
    value = (text or "").strip().lower()
    for prefix in ("blake3:", "sha256:"):
        if value.startswith(prefix):
            return prefix[:-1], value.removeprefix(prefix)
    if not _HEX.fullmatch(value) or value == _HASH_OF_NOTHING:
        return None
    if value.startswith("0x"):
        return "tensor", value[2:]
    kind = _KINDS_BY_LENGTH.get(len(value))
    return (kind, value) if kind else None


def _find_reference(tx: ReadTx, role: str, name: str, hashed: tuple[str, str] | None) -> int | None:
    found: int | None = tx.value(
        """
        SELECT m.id
          FROM models AS m
         WHERE m.kind = :role AND m.name = :name AND m.file_path IS NULL
           AND iif(:hash_kind IS NULL,
                   NOT EXISTS (SELECT 1 FROM model_hashes WHERE model_id = m.id),
                   EXISTS (SELECT 1 FROM model_hashes WHERE model_id = m.id AND kind = :hash_kind AND value = :value))
         ORDER BY m.id
        """,
        role=role,
        name=name,
        hash_kind=hashed[0] if hashed else None,
        value=hashed[1] if hashed else None,
    )
    return found
