"""Exports images with their parameters and tags as CSV: python export_csv.py images.csv [SEARCH]"""

import csv
import sys
from typing import Any

from gallery import connect

COLUMNS = ("uuid", "path", "rating", "prompt", "negative_prompt", "model", "loras", "sampler", "seed", "steps",
           "cfg_scale", "tags")  # fmt: skip


def format_lora(lora: dict[str, Any]) -> str:
    return lora["name"] if lora["weight"] is None else f"{lora['name']}:{lora['weight']:g}"


def build_row(image: dict[str, Any]) -> dict[str, Any]:
    row = {name: image[name] for name in COLUMNS}
    return row | {"loras": "; ".join(map(format_lora, image["loras"])), "tags": "; ".join(image["tags"])}


file, query = sys.argv[1], " ".join(sys.argv[2:])
with connect() as http, open(file, "x", newline="", encoding="utf-8") as opened:
    rows = csv.DictWriter(opened, COLUMNS)
    rows.writeheader()
    params: dict[str, Any] = {"q": query, "limit": 1000}
    while True:
        page = http.get("/images/details", params=params).json()
        rows.writerows(map(build_row, page["items"]))
        if page["next"] is None:
            break
        params["after"] = page["next"]
