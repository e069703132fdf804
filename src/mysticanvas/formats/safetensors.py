"""Reads the header of a safetensors file: tensor names, shapes and metadata. Nothing is unpickled.

Source: the format description: 8 bytes little-endian N, then N bytes of JSON, then the tensors.
"""

import re
from dataclasses import dataclass
from typing import Any, TypeGuard

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.text import clean_text
from mysticanvas.formats.containers.source import ByteSource
from mysticanvas.formats.json_text import JsonTextError, load

# The largest known headers are about 6 MB, mostly tag lists from training.
MAX_HEADER_BYTES = 16 * 1024 * 1024
MAX_TENSORS = 200_000
MAX_DIMENSIONS = 16
PREFIX_BYTES = 8
_OBJECT_START = re.compile(rb"\s{0,64}\{")


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """`tensors` maps names to shapes; `texts` is the file's metadata. `end` is the byte offset of the tensors."""

    tensors: dict[str, tuple[int, ...]]
    texts: dict[str, str]
    end: int


def find_header_end(source: ByteSource) -> int:
    """The byte offset of the tensors. Raises `UnreadableFileError` when this is not a safetensors file."""
    prefix = source.read(0, PREFIX_BYTES)
    if len(prefix) < PREFIX_BYTES:
        raise UnreadableFileError("The file is too short to be a safetensors file.")
    length = int.from_bytes(prefix, "little")
    if length > MAX_HEADER_BYTES:
        raise UnreadableFileError(f"The header size of {length:,} bytes exceeds the limit. The file may be damaged.")
    if PREFIX_BYTES + length > source.size:
        raise UnreadableFileError("The file is truncated: its header is incomplete.")
    return PREFIX_BYTES + length


def read_header(source: ByteSource) -> SafetensorsHeader:
    """Raises `UnreadableFileError` when the header is missing, damaged or inconsistent with the file size."""
    end = find_header_end(source)
    content = source.read(PREFIX_BYTES, end - PREFIX_BYTES)
    if not _OBJECT_START.match(content):
        raise UnreadableFileError("The header is not a JSON object.")
    try:
        header = load(content.decode("utf-8", "strict"))
    except UnicodeDecodeError as error:
        raise UnreadableFileError("The header is not UTF-8 text.") from error
    except JsonTextError as error:
        raise UnreadableFileError(f"The header cannot be read: {error}.") from error
    if not isinstance(header, dict) or len(header) > MAX_TENSORS:
        raise UnreadableFileError("The header does not describe a model.")
    texts = header.pop("__metadata__", {})
    return SafetensorsHeader(_read_shapes(header, source.size - end), _read_texts(texts), end)


def _read_shapes(header: dict[str, Any], size_bytes: int) -> dict[str, tuple[int, ...]]:
    found = {}
    for name, tensor in header.items():
        shape = tensor.get("shape") if isinstance(tensor, dict) else None
        offsets = tensor.get("data_offsets") if isinstance(tensor, dict) else None
        if not _are_sizes(shape, MAX_DIMENSIONS) or not _are_sizes(offsets, 2) or len(offsets) != 2:
            raise UnreadableFileError("The header describes an invalid tensor.")
        if not offsets[0] <= offsets[1] <= size_bytes:
            raise UnreadableFileError("The file is truncated: it is shorter than its header specifies.")
        found[clean_text(name)] = tuple(shape)
    return found


def _are_sizes(value: Any, most: int) -> TypeGuard[list[int]]:
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 1 << 63 for size in value)
    )


def _read_texts(header: Any) -> dict[str, str]:
    if not isinstance(header, dict):
        return {}
    return {clean_text(key): clean_text(value) for key, value in header.items() if isinstance(value, str)}
