"""Task `ReadKept`: parses stored metadata again with the current parsers."""

import json
import time
import zlib

from mysticanvas.domain.file import TextEntry
from mysticanvas.domain.recipe_json import dump
from mysticanvas.features.importing.messages import ReparseTexts, StoredTexts, TextsReparsed
from mysticanvas.formats.detect import read_entries

# The result ends at these limits, and the remaining images are requested again.
TIME_LIMIT_S = 10.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
MAX_RAW_BYTES = 64 * 1024 * 1024


def run(task: ReparseTexts) -> TextsReparsed:
    recipes: list[bytes] = []
    began_s = time.monotonic()
    size_bytes = 0
    for image in task.images:
        if recipes and (time.monotonic() - began_s > TIME_LIMIT_S or size_bytes > MAX_ANSWER_BYTES):
            break
        recipes.append(_parse_image(image))
        size_bytes += len(recipes[-1])
    return TextsReparsed([image.generation for image in task.images[: len(recipes)]], recipes)


def _parse_image(image: StoredTexts) -> bytes:
    entries = _unpack(image.raw)
    if entries is None:
        return b""
    return dump(read_entries(entries, file_name=image.file_name))


def _unpack(raw: bytes) -> list[TextEntry] | None:
    try:
        content = zlib.decompressobj().decompress(raw, MAX_RAW_BYTES)
        return [TextEntry(*entry) for entry in json.loads(content)]
    except (zlib.error, ValueError, TypeError):
        return None
