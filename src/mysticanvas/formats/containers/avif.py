"""AVIF: reads size, Exif and XMP from the `meta` box.

Source: ISO/IEC 23008-12 (HEIF), sections 6 and 9; ISO/IEC 14496-12, section 8.11.
"""

from collections.abc import Iterator

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead, turn_size
from mysticanvas.formats.containers import c2pa, exif
from mysticanvas.formats.containers.source import MAX_TEXT_BYTES, BufferedSource, Entries, check_size

MAX_META_BYTES = 4 * 1024 * 1024
MAX_BOXES = 4_096
# Three planes, and the pixels converted from them.
_DECODED_PIXEL_BYTES = 6
BRANDS = (b"avif", b"avis")
# The `uuid` box of a C2PA manifest.
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def read_head(source: BufferedSource) -> ImageHead:
    """Raises `UnreadableFileError` when the file contains no image size."""
    meta, complete, frames = b"", True, 1
    entries = Entries()
    offset = 0
    for _ in range(MAX_BOXES):
        header = source.read(offset, 16)
        if len(header) < 8:
            break
        length, kind, head_bytes = _parse_box_header(header, source.size - offset)
        if length < head_bytes:
            break
        if kind == b"meta" and length <= MAX_META_BYTES:
            meta = source.read(offset + head_bytes, length - head_bytes)
        if kind == b"uuid" and source.read(offset + head_bytes, 16) == _C2PA:
            manifest = source.read(offset + head_bytes + 16, min(length, c2pa.MAX_MANIFEST_BYTES))
            entries.add("c2pa", "C2PA", c2pa.summarize(manifest), important=True)
        frames = 2 if kind == b"moov" else frames
        complete = offset + length <= source.size
        offset += length
    size = _find_size(meta[4:])
    if size is None:
        raise UnreadableFileError("The AVIF file is truncated: it contains no image data.")
    check_size(*size)
    for kind, at, length in _find_text_items(meta[4:]):
        content = source.read(at, min(length, MAX_TEXT_BYTES))
        if kind == b"Exif":
            skipped = int.from_bytes(content[:4], "big")
            exif.read_into(entries, content[4 + skipped :])
        else:
            entries.add("xmp", "XMP", content.decode("utf-8", "replace"), important=True)
    properties = _read_properties(meta[4:])
    is_turned = any(name == b"irot" and content[:1] in (b"\1", b"\3") for name, content in properties)
    return ImageHead(
        ImageFormat.AVIF,
        *turn_size(size, 6 if is_turned else 1),
        frames,
        complete,
        entries.texts,
        has_own_colors=any(name == b"colr" and content[:4] in (b"prof", b"rICC") for name, content in properties),
        buffer_bytes=_DECODED_PIXEL_BYTES * size[0] * size[1],
    )


def _parse_box_header(header: bytes, left: int) -> tuple[int, bytes, int]:
    """(length of the whole box, type, length of its header), in bytes."""
    length, kind = int.from_bytes(header[:4], "big"), header[4:8]
    if length == 1 and len(header) >= 16:
        return int.from_bytes(header[8:16], "big"), kind, 16
    return (left if length == 0 else length), kind, 8


def _iterate_boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 0
    for _ in range(MAX_BOXES):
        if offset + 8 > len(content):
            return
        length, kind, head_bytes = _parse_box_header(content[offset : offset + 16], len(content) - offset)
        if length < head_bytes:
            return
        yield kind, content[offset + head_bytes : offset + length]
        offset += length


def _find_size(meta: bytes) -> tuple[int, int] | None:
    """(width, height) of the largest `ispe`, which is the image rather than a tile or thumbnail; None without one."""
    sizes = [content for name, content in _read_properties(meta) if name == b"ispe" and len(content) >= 12]
    read = [(int.from_bytes(p[4:8], "big"), int.from_bytes(p[8:12], "big")) for p in sizes]
    return max(read, key=lambda size: size[0] * size[1]) if read else None


def _read_properties(meta: bytes) -> list[tuple[bytes, bytes]]:
    """(type, content) of the properties of all items."""
    found: list[tuple[bytes, bytes]] = []
    for kind, body in _iterate_boxes(meta):
        if kind == b"iprp":
            for inner, properties in _iterate_boxes(body):
                found += _iterate_boxes(properties) if inner == b"ipco" else ()
    return found


def _find_text_items(meta: bytes) -> list[tuple[bytes, int, int]]:
    """(type, offset in the file, length) of the Exif and XMP items."""
    parts = dict(_iterate_boxes(meta))
    kinds = _read_item_types(parts.get(b"iinf", b""))
    places = _read_item_locations(parts.get(b"iloc", b""))
    return [(kind, *places[item]) for item, kind in kinds.items() if item in places]


def _read_item_types(iinf: bytes) -> dict[int, bytes]:
    found = {}
    for kind, body in _iterate_boxes(iinf[6:] if iinf[:1] == b"\0" else iinf[8:]):
        if kind == b"infe" and len(body) >= 12 and body[0] in (2, 3):
            wide = 2 if body[0] == 2 else 4
            item = int.from_bytes(body[4 : 4 + wide], "big")
            name = body[6 + wide : 10 + wide]
            if name == b"Exif" or (name == b"mime" and b"rdf+xml" in body):
                found[item] = name
    return found


def _read_item_locations(iloc: bytes) -> dict[int, tuple[int, int]]:
    """Map each item to (offset, length) of its first extent."""
    if len(iloc) < 8:
        return {}
    version = iloc[0]
    offset_bytes, length_bytes, base_bytes = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
    index_bytes = iloc[5] & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    at = 6 + wide
    found = {}
    for _ in range(min(int.from_bytes(iloc[6:at], "big"), MAX_BOXES)):
        if at + wide > len(iloc):
            break
        item = int.from_bytes(iloc[at : at + wide], "big")
        at += wide + (2 if version in (1, 2) else 0) + 2
        base = int.from_bytes(iloc[at : at + base_bytes], "big")
        at += base_bytes
        extents = int.from_bytes(iloc[at : at + 2], "big")
        at += 2 + index_bytes
        start = int.from_bytes(iloc[at : at + offset_bytes], "big")
        length = int.from_bytes(iloc[at + offset_bytes : at + offset_bytes + length_bytes], "big")
        found[item] = base + start, length
        at += extents * (offset_bytes + length_bytes) + (extents - 1) * index_bytes
    return found
