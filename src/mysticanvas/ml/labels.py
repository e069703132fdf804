"""The list of tags that comes with a tagger of the WD family, without the model.

Source: the published `selected_tags.csv`: a header, then a row a label, in the order of the model's scores.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.text import clean

MODEL, LABELS = "model.onnx", "selected_tags.csv"
MOST_LABELS = 200_000
_CATEGORIES = {"0": "general", "4": "character", "9": "rating"}
_WORD = re.compile(r"[^\W_]{2}")


@dataclass(frozen=True, slots=True)
class Label:
    """`category` is general, character or rating; "" for one that we do not know."""

    name: str
    category: str


def read_labels(path: Path) -> list[Label]:
    """Raises `InvalidInputError`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for _, row in zip(range(MOST_LABELS), csv.DictReader(file), strict=False)]
        return [Label(clean(row["name"]), _CATEGORIES.get(row["category"], "")) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError) as error:
        raise InvalidInputError(f"{path} is not the list of tags of a WD tagger.") from error


def shown_name(name: str) -> str:
    """With blanks for underscores, except in a face such as ^_^, which has no word in it."""
    return name.replace("_", " ") if _WORD.search(name) else name
