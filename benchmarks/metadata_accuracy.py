"""How many of the expected fields are read right, per generator and field.

    python3 dev.py bench metadata_accuracy FOLDER [--misses]

FOLDER holds images and an `expected.json`: path to the fields that its file says. Texts are compared
with blanks collapsed, models by the stem of their file name, seeds exactly, other numbers to 1e-6.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.metadata_misses import KNOWN
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.features.importing.inspect import inspect

# What a search, a filter or a re-run needs; the others are looked at, too.
CORE = ("prompt", "negative_prompt", "seed", "steps", "cfg_scale", "sampler", "model", "loras", "width", "height")
OTHERS = ("tool_version", "scheduler", "model_hash", "vae", "denoise", "clip_skip", "guidance")
FIELDS = ("tool", *CORE, *OTHERS)
_MODEL_ENDINGS = re.compile(r"\.(?:safetensors|ckpt|pt|pth|bin|gguf|sft|onnx)$")


@dataclass(slots=True)
class Score:
    """`misses` are (path, field, what was read, what was expected)."""

    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    every: Counter[tuple[str, str]] = field(default_factory=Counter)
    misses: list[tuple[str, str, Any, Any]] = field(default_factory=list)

    def count(self, names: Iterable[str]) -> tuple[int, int]:
        wanted = set(names)
        return (
            sum(count for (_, name), count in self.right.items() if name in wanted),
            sum(count for (_, name), count in self.every.items() if name in wanted),
        )

    def unexplained(self) -> list[tuple[str, str, Any, Any]]:
        """Misses that no one has given a reason for."""
        return [miss for miss in self.misses if (miss[0], miss[1]) not in KNOWN]


def measure(folder: Path) -> Score:
    """Every expected field of every image."""
    score = Score()
    for path, want in json.loads((folder / "expected.json").read_text("utf-8")).items():
        try:
            row = inspect(folder / path)
        except UnreadableFileError as error:
            row = {"tool": f"error: {error}"}
        for name in FIELDS:
            if name in want:
                _compare(score, path, name, row.get(name), want)
    return score


def _compare(score: Score, path: str, name: str, read: Any, want: dict[str, Any]) -> None:
    tool = want["tool"] or "none"
    good = is_right(name, read, want)
    score.every[tool, name] += 1
    score.right[tool, name] += good
    if not good:
        score.misses.append((path, name, read, want[name]))


def is_right(name: str, read: Any, want: dict[str, Any]) -> bool:
    """Whether a field was read as expected, or in another way that its expectation accepts."""
    if name == "tool" and not want["tool_certain"] and read is not None:
        # The text names no writer: any that writes such text may be named.
        return True
    accepted = [want[name], *want.get("accept", {}).get(name, [])]
    return any(_plain(name, read) == _plain(name, one) for one in accepted)


def _plain(name: str, value: Any) -> Any:
    """Without what does not matter: blanks, int against float, the order of LoRAs, where a model lies."""
    if name == "loras":
        return sorted((_stem(lora["name"]), _plain("weight", lora.get("weight") or 0)) for lora in value or [])
    if name in ("model", "vae") and isinstance(value, str):
        return _stem(value)
    if isinstance(value, str):
        return " ".join(value.split()) or None
    if name == "seed" or value is None or isinstance(value, bool):
        return value
    return round(float(value), 6)


def _stem(name: str) -> str:
    return _MODEL_ENDINGS.sub("", re.split(r"[/\\]", name.lower())[-1])


def main() -> None:
    given = [word for word in sys.argv[1:] if not word.startswith("--")]
    folder = Path(given[0]) if given else Path(os.environ["MYSTICANVAS_CORPUS"], "open")
    score = measure(folder)
    tools = sorted({tool for tool, _ in score.every}, key=str.lower)
    print(f"{'':22}" + "".join(f"{name[:9]:>10}" for name in FIELDS))
    for tool in tools:
        cells = (f"{score.right[tool, name]}/{score.every[tool, name]}" for name in FIELDS)
        print(f"{tool:22}" + "".join(f"{cell if cell != '0/0' else '-':>10}" for cell in cells))
    for title, names in (("tool", ("tool",)), ("core fields", CORE), ("other fields", OTHERS)):
        right, every = score.count(names)
        print(f"{title}: {right} of {every} right ({right / every:.2%})")
    for path, name, read, want in score.misses:
        reason = KNOWN.get((path, name), "")
        if "--misses" in sys.argv or not reason:
            print(f"{path}: {name} is {read!r:.90}, not {want!r:.90}. {reason}")


if __name__ == "__main__":
    main()
