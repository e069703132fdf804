"""A recipe from texts, as the facts of these tests need it."""

import json
from typing import Any

from mysticanvas.domain.file import ImageFormat, ImageHead, TextEntry
from mysticanvas.domain.generation import Recipe
from mysticanvas.formats.detect import read_recipe

HEAD = ImageHead(ImageFormat.PNG, 64, 64, 1, True, ())


def read(texts: dict[str, Any], *, file_name: str = "image.png", beside: dict[str, Any] | None = None) -> Recipe:
    """Values that are no text are written as JSON."""
    return read_recipe(
        ImageHead(ImageFormat.PNG, 64, 64, 1, True, tuple(_entries("tEXt", texts))),
        file_name=file_name,
        sidecars=_entries("sidecar", beside or {}),
    )


def _entries(carrier: str, texts: dict[str, Any]) -> list[TextEntry]:
    return [
        TextEntry(carrier, key, value if isinstance(value, str) else json.dumps(value)) for key, value in texts.items()
    ]
