"""Generation data of duplicates: what an image has, what it lacks, and what contradicts another image."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The columns that describe a generation, in words. Of two copies of one generation, they agree where both are known.
LABELS = {
    "prompt": "prompt",
    "negative_prompt": "negative prompt",
    "seed": "seed",
    "steps": "steps",
    "cfg_scale": "CFG scale",
    "guidance": "guidance",
    "sampler": "sampler",
    "scheduler": "scheduler",
    "denoise": "denoising strength",
    "clip_skip": "clip skip",
    "width": "width",
    "height": "height",
    "model_name": "model",
}
# Columns that are copied together or not at all.
_UNITS = (
    *((name,) for name in LABELS if name not in ("width", "height", "model_name")),
    ("width", "height"),
    ("model_id", "model_hash", "model_name"),
    ("engine_name", "engine_version", "generation_time_ms"),
)
COLUMNS = tuple(name for unit in _UNITS for name in unit)

# (model, role) → (weight, whether a hash names the model): the models that went into an image.
Uses = Mapping[tuple[int, str], tuple[float | None, int]]


@dataclass(frozen=True, slots=True)
class GenerationData:
    """`values` has the known values of `COLUMNS`. `model` identifies the model, however its name is spelled."""

    values: Mapping[str, Any] = field(default_factory=dict)
    model: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    uses: Uses = field(default_factory=dict)
    has_workflow: bool = False

    @property
    def loras(self) -> dict[int, float | None]:
        return {model: weight for (model, role), (weight, _) in self.uses.items() if role == "lora"}

    def list_known(self) -> list[str]:
        """What is known, in words; empty without generation data. A size alone describes no generation."""
        known = [label for name, label in LABELS.items() if name in self.values and name not in ("width", "height")]
        return [*known, *["LoRAs"] * bool(self.loras), *["workflow"] * self.has_workflow, *sorted(self.params)]


def list_contradictions(one: GenerationData, other: GenerationData) -> list[str]:
    """In what two generations differ where both are known, in words."""
    found = [label for name, label in LABELS.items() if _differ(one, other, name)]
    # Where the seed is known, so is that there was no LoRA.
    known = all(data.loras or "seed" in data.values for data in (one, other))
    if known and one.loras != other.loras:
        found.append("LoRAs")
    common = one.params.keys() & other.params.keys()
    return [*found, *sorted(name for name in common if one.params[name] != other.params[name])]


def _differ(one: GenerationData, other: GenerationData, name: str) -> bool:
    if name == "model_name" and one.model is not None and other.model is not None:
        return one.model != other.model
    here, there = one.values.get(name), other.values.get(name)
    if here is None or there is None:
        return False
    if isinstance(here, str) and isinstance(there, str):
        return here.split() != there.split()
    return bool(here != there)


def fill_gaps(kept: GenerationData, source: GenerationData) -> GenerationData:
    """`kept` with what it lacks and `source` has. They must not contradict each other."""
    lacking = {name for unit in _UNITS if not kept.values.keys() & set(unit) for name in unit}
    uses = source.uses if not kept.loras else {key: use for key, use in source.uses.items() if key[1] != "lora"}
    return GenerationData(
        values={**{name: value for name, value in source.values.items() if name in lacking}, **kept.values},
        model=source.model if "model_name" in lacking else kept.model,
        params={**source.params, **kept.params},
        uses={**uses, **kept.uses},
        has_workflow=kept.has_workflow or source.has_workflow,
    )
