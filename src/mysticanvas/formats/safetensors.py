"""The header of a safetensors file: names and shapes of its tensors, and its texts. Nothing is unpickled.

Source: the format's own description: 8 bytes little-endian N, then N bytes of JSON, then the tensors.
"""

import re
from dataclasses import dataclass
from typing import Any, TypeGuard

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.text import clean
from mysticanvas.formats.containers.source import ByteSource
from mysticanvas.formats.json_text import JsonTextError, load

# The largest headers in the wild take about 6 MB, most of it a training's list of tags.
MAX_HEADER_BYTES = 16 * 1024 * 1024
MAX_TENSORS = 200_000
MAX_DIMENSIONS = 16
PREFIX_BYTES = 8
_OPENS = re.compile(rb"\s{0,64}\{")


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """`tensors` maps a name to its shape; `texts` is the file's own metadata. `end` is where the header
    ends and the tensors begin, in bytes from the start of the file."""

    tensors: dict[str, tuple[int, ...]]
    texts: dict[str, str]
    end: int


def header_end(source: ByteSource) -> int:
    """Where the tensors begin. Raises `UnreadableFileError` for what is no safetensors file."""
    prefix = source.read(0, PREFIX_BYTES)
    if len(prefix) < PREFIX_BYTES:
        raise UnreadableFileError("The file is too short for a safetensors file.")
    length = int.from_bytes(prefix, "little")
    if length > MAX_HEADER_BYTES:
        raise UnreadableFileError(f"The file claims a header of {length:,} bytes; it is damaged or hostile.")
    if PREFIX_BYTES + length > source.size:
        raise UnreadableFileError("The file ends within its header.")
    return PREFIX_BYTES + length


def read_header(source: ByteSource) -> SafetensorsHeader:
    """Raises `UnreadableFileError` with the reason."""
    end = header_end(source)
    content = source.read(PREFIX_BYTES, end - PREFIX_BYTES)
    if not _OPENS.match(content):
        raise UnreadableFileError("Its header is no JSON object.")
    try:
        said = load(content.decode("utf-8", "strict"))
    except UnicodeDecodeError as error:
        raise UnreadableFileError("Its header is no text.") from error
    except JsonTextError as error:
        raise UnreadableFileError(f"Its header cannot be read: {error}.") from error
    if not isinstance(said, dict) or len(said) > MAX_TENSORS:
        raise UnreadableFileError("Its header is not that of a model.")
    texts = said.pop("__metadata__", {})
    return SafetensorsHeader(_tensors(said, source.size - end), _texts(texts), end)


def _tensors(said: dict[str, Any], size_bytes: int) -> dict[str, tuple[int, ...]]:
    found = {}
    for name, tensor in said.items():
        shape = tensor.get("shape") if isinstance(tensor, dict) else None
        offsets = tensor.get("data_offsets") if isinstance(tensor, dict) else None
        if not _are_sizes(shape, MAX_DIMENSIONS) or not _are_sizes(offsets, 2) or len(offsets) != 2:
            raise UnreadableFileError("Its header describes a tensor that cannot be.")
        if not offsets[0] <= offsets[1] <= size_bytes:
            raise UnreadableFileError("The file is shorter than its header says: it is incomplete.")
        found[clean(name)] = tuple(shape)
    return found


def _are_sizes(value: Any, most: int) -> TypeGuard[list[int]]:
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 1 << 63 for size in value)
    )


def _texts(said: Any) -> dict[str, str]:
    if not isinstance(said, dict):
        return {}
    return {clean(key): clean(value) for key, value in said.items() if isinstance(value, str)}
