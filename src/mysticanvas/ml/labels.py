"""Reads the label list of a WD tagger, without loading the model.

Source: the published `selected_tags.csv`: a header, then one row per label, in the order of the model's scores.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.text import clean_text

MODEL, LABELS = "model.onnx", "selected_tags.csv"
MAX_LABELS = 200_000
_CATEGORIES = {"0": "general", "4": "character", "9": "rating"}
_WORD = re.compile(r"[^\W_]{2}")


@dataclass(frozen=True, slots=True)
class Label:
    """`category` is "general", "character" or "rating"; "" when unknown."""

    name: str
    category: str


def read_labels(path: Path) -> list[Label]:
    """The labels in file order. Raises `InvalidInputError` when the file is missing or in another format."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for _, row in zip(range(MAX_LABELS), csv.DictReader(file), strict=False)]
        return [Label(clean_text(row["name"]), _CATEGORIES.get(row["category"], "")) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError) as error:
        raise InvalidInputError(f"{path} is not the label list of a WD tagger.") from error


def format_label(name: str) -> str:
    """The label with spaces instead of underscores. Emoticons such as ^_^ stay unchanged."""
    return name.replace("_", " ") if _WORD.search(name) else name
