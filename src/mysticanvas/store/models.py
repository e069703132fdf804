"""The registry of models: checkpoints, LoRAs and the like, and what was made with them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.model import ModelUse
from mysticanvas.store.database import ReadTx, WriteTx

_HEX = re.compile(r"(?:0x)?[0-9a-f]+")
# Lengths in hex digits of the hashes that generators write.
_KINDS_BY_LENGTH = {8: "autov1", 10: "autov2", 12: "autov3", 64: "sha256"}


@dataclass(frozen=True, slots=True)
class UsedModel:
    role: str
    name: str
    weight: float | None


def find_or_add(tx: WriteTx, use: ModelUse, *, now_ms: int) -> int | None:
    """The registry's entry for a model that an image names; None when it names nothing.

    The same hash is the same model; a name finds the entry only where the hashes do not disagree.
    """
    hashed = _kind_of_hash(use.hash)
    name = stem(use.name) if use.name else None
    if hashed is None and not name:
        return None
    found = _by_hash(tx, use.role, hashed) if hashed else None
    if found is None and name:
        found = _by_name(tx, use.role, name, hashed)
    if found is None:
        shown = name or f"unknown {hashed[1] if hashed else ''}".strip()
        tx.run(
            "INSERT INTO models (kind, name, created_at) VALUES (:kind, :name, :now_ms)",
            kind=use.role,
            name=shown,
            now_ms=now_ms,
        )
        found = tx.last_id
    if hashed:
        tx.run(
            """
            INSERT INTO model_hashes (model_id, kind, value)
            VALUES (:model_id, :kind, :value)
                ON CONFLICT DO NOTHING
            """,
            model_id=found,
            kind=hashed[0],
            value=hashed[1],
        )
    return found


Linked = Sequence[tuple[int, ModelUse]]


def link_all(tx: WriteTx, uses: Sequence[tuple[GenerationId, Linked]]) -> None:
    """Record which models made new images."""
    tx.run_many(
        """
        INSERT INTO generation_models (generation_id, model_id, role, weight)
        VALUES (:image, :model_id, :role, :weight)
            ON CONFLICT DO NOTHING
        """,
        (
            {"image": image, "model_id": model_id, "role": use.role.value, "weight": use.weight}
            for image, linked in uses
            for model_id, use in linked
        ),
    )


def link(tx: WriteTx, image: GenerationId, linked: Linked) -> None:
    """Record which models made an image, in place of what was recorded before."""
    tx.run("DELETE FROM generation_models WHERE generation_id = :image", image=image)
    link_all(tx, [(image, linked)])


def used_by(tx: ReadTx, image: GenerationId) -> list[UsedModel]:
    rows = tx.all(
        """
        SELECT u.role, m.name, u.weight
          FROM generation_models AS u
               JOIN models AS m ON m.id = u.model_id
         WHERE u.generation_id = :image
         ORDER BY u.role, m.name
        """,
        image=image,
    )
    return [UsedModel(**row) for row in rows]


def stem(name: str) -> str:
    """A model's name without folders and file ending."""
    last = re.split(r"[\\/]", name.strip())[-1]
    return re.sub(r"\.(safetensors|ckpt|pth?|gguf|sft|bin|onnx)$", "", last, flags=re.IGNORECASE)


def _kind_of_hash(text: str | None) -> tuple[str, str] | None:
    value = (text or "").strip().lower()
    for prefix in ("blake3:", "sha256:"):
        if value.startswith(prefix):
            return prefix[:-1], value.removeprefix(prefix)
    if not _HEX.fullmatch(value):
        return None
    if value.startswith("0x"):
        return "tensor", value[2:]
    kind = _KINDS_BY_LENGTH.get(len(value))
    return (kind, value) if kind else None


def _by_hash(tx: ReadTx, role: str, hashed: tuple[str, str]) -> int | None:
    found: int | None = tx.value(
        """
        SELECT h.model_id
          FROM model_hashes AS h
               JOIN models AS m ON m.id = h.model_id
         WHERE h.kind = :kind AND h.value = :value AND m.kind = :role
        """,
        kind=hashed[0],
        value=hashed[1],
        role=role,
    )
    return found


def _by_name(tx: ReadTx, role: str, name: str, hashed: tuple[str, str] | None) -> int | None:
    """A namesake with another hash of the same kind is another model."""
    found: int | None = tx.value(
        """
        SELECT m.id
          FROM models AS m
         WHERE m.kind = :role AND m.name = :name
           AND NOT EXISTS (SELECT 1 FROM model_hashes AS h
                            WHERE h.model_id = m.id AND h.kind = :kind AND h.value <> :value)
         ORDER BY m.id
        """,
        role=role,
        name=name,
        kind=hashed[0] if hashed else None,
        value=hashed[1] if hashed else None,
    )
    return found
