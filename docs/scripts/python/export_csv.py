"""Exports images with their parameters and tags as CSV: python export_csv.py images.csv [SEARCH]"""

import csv
import sys

from mysticanvas import Library
from mysticanvas.library import Image, Lora

COLUMNS = ("uuid", "path", "rating", "prompt", "negative_prompt", "model", "loras", "sampler", "seed", "steps",
           "cfg_scale", "tags")  # fmt: skip


def format_lora(lora: Lora) -> str:
    return lora.name if lora.weight is None else f"{lora.name}:{lora.weight:g}"


def build_row(image: Image) -> dict[str, object]:
    row = {name: getattr(image, name) for name in COLUMNS}
    return row | {"loras": "; ".join(map(format_lora, image.loras)), "tags": "; ".join(image.tags)}


file, query = sys.argv[1], " ".join(sys.argv[2:])
with Library.open() as library, open(file, "x", newline="", encoding="utf-8") as opened:
    rows = csv.DictWriter(opened, COLUMNS)
    rows.writeheader()
    rows.writerows(map(build_row, library.search(query)))
