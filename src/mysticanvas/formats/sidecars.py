"""Sidecars beside an image: JSON as MystiCanvas's own engine writes it, and infotext in a `.txt`.

Which it is, is decided by its keys, never by its name. A `.txt` without settings is a caption.
"""

from typing import Any

from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.generation import Recipe
from mysticanvas.formats import infotext
from mysticanvas.formats.json_text import integer, load_object, number, small_integer, string

_NAMES = frozenset(("prompt", "negative_prompt", "seed", "steps", "cfg_scale", "width", "height"))
_TAKEN = _NAMES | {"model", "model_hash", "vae", "sampler", "scheduler", "generation_time", "clip_skip", "denoise"}


def parse(entry: TextEntry) -> Recipe | None:
    """None for a sidecar that does not say how the image was made."""
    said = load_object(entry.text)
    if said is not None:
        return _own(said) if len(_NAMES & said.keys()) >= 2 else None
    if infotext.is_infotext(entry.text):
        return infotext.parse(entry.text)
    if entry.key.lower().endswith(".txt") and entry.text.strip() and len(entry.text) < 20_000:
        return Recipe(params={"caption": entry.text.strip()})
    return None


def _own(said: dict[str, Any]) -> Recipe:
    prompt = said.get("prompt")
    negative = said.get("negative_prompt")
    seconds = number(said.get("generation_time"))
    text = prompt if isinstance(prompt, str) else None
    return Recipe(
        tool="DiffusionDesk",
        prompt=text,
        negative_prompt=negative if isinstance(negative, str) else None,
        seed=integer(said.get("seed")),
        steps=small_integer(said.get("steps")),
        cfg_scale=number(said.get("cfg_scale")),
        sampler=string(said.get("sampler")),
        scheduler=string(said.get("scheduler")),
        denoise=number(said.get("denoise")),
        clip_skip=small_integer(said.get("clip_skip")),
        width=small_integer(said.get("width")),
        height=small_integer(said.get("height")),
        model=string(said.get("model")),
        model_hash=string(said.get("model_hash")),
        vae=string(said.get("vae")),
        loras=infotext.loras_of(text or "", {}),
        generation_time_ms=round(seconds * 1000) if seconds is not None and seconds < 1e9 else None,
        params={key: value for key, value in said.items() if key not in _TAKEN},
    )
