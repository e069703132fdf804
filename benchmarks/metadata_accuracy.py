"""How many of the expected fields are read right, per generator and field.

    python3 dev.py bench metadata_accuracy FOLDER

FOLDER holds images and an `expected.json`: path to the fields that its file says.
"""

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.library.inspecting import inspect

TOOLS = ("A1111", "Forge", "ComfyUI", "InvokeAI")
FIELDS = (
    "tool", "tool_version", "prompt", "negative_prompt", "seed", "steps", "cfg_scale", "sampler", "scheduler",
    "width", "height", "model", "model_hash", "vae", "loras", "denoise", "clip_skip", "parent",
)  # fmt: skip


@dataclass(slots=True)
class Score:
    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    every: Counter[tuple[str, str]] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)

    def totals(self) -> tuple[int, int]:
        return sum(self.right.values()), sum(self.every.values())


def measure(folder: Path) -> Score:
    """Every expected field of the generators in `TOOLS`."""
    score = Score()
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    for path, want in expected.items():
        if want["tool"] not in TOOLS:
            continue
        try:
            row = inspect(folder / path)
        except UnreadableFileError as error:
            row = {"error": str(error)}
        for name in FIELDS:
            if name in want:
                accepted = [want[name], *want.get("accept", {}).get(name, [])]
                good = any(_plain(name, row.get(name)) == _plain(name, one) for one in accepted)
                score.every[want["tool"], name] += 1
                score.right[want["tool"], name] += good
                if not good:
                    score.misses.append(f"{path}: {name} is {row.get(name)!r:.90}, not {want[name]!r:.90}")
    return score


def _plain(name: str, value: Any) -> Any:
    """Without what does not matter: outer blanks, int against float, the order of LoRAs."""
    if name == "loras":
        return sorted((str(lora["name"]), lora.get("weight") or 0) for lora in value or [])
    if isinstance(value, str):
        return value.strip() or None
    return round(float(value), 4) if isinstance(value, float) else value


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(os.environ["MYSTICANVAS_CORPUS"], "open"))
    score = measure(folder)
    print(f"{'field':16}" + "".join(f"{tool:>12}" for tool in TOOLS))
    for name in FIELDS:
        cells = (f"{score.right[tool, name]}/{score.every[tool, name]}" for tool in TOOLS)
        print(f"{name:16}" + "".join(f"{cell:>12}" for cell in cells))
    right, every = score.totals()
    print(f"{right} of {every} right: {right / every:.1%}")
    if "--misses" in sys.argv:
        print("\n".join(score.misses))


if __name__ == "__main__":
    main()
