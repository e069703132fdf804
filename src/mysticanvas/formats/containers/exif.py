"""EXIF: the texts in IFD 0 and the Exif IFD of a TIFF structure, and the orientation in IFD 0.

Source: Exif 2.32, sections 4.6.2 to 4.6.5. The 8-byte character code of UserComment is often missing or wrong, and
the byte order of its UTF-16 is independent of the TIFF's, so the encoding is detected from the bytes.
"""

import struct

from mysticanvas.formats.containers.source import Entries, decode_utf8_or_latin1

_NAMES = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x9003: "DateTimeOriginal",
    0x9286: "UserComment",
    0x927C: "MakerNote",
    0x9C9C: "XPComment",
}
_EXIF_IFD = 0x8769
_ORIENTATION = 0x0112
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_TEXT_TYPES = frozenset((1, 2, 7))
MAX_FIELDS = 512
_SAMPLE_BYTES = 64 * 1024


def read_into(entries: Entries, content: bytes) -> None:
    """Add the texts of `content`, with or without the "Exif" prefix. Stops at the first damaged part; never raises."""
    tiff = content.removeprefix(b"Exif\0\0")
    order = _ORDERS.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return
    waiting, seen = [struct.unpack_from(order + "I", tiff, 4)[0]], set[int]()
    while waiting:
        offset = waiting.pop()
        if offset not in seen and len(seen) < 4:
            seen.add(offset)
            waiting += _read_ifd(entries, tiff, order, offset)


def read_orientation(content: bytes) -> int:
    """How the image is turned or mirrored, 1 to 8; 1 when `content` does not say it. Never raises."""
    tiff = content.removeprefix(b"Exif\0\0")
    order = _ORDERS.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return 1
    offset = struct.unpack_from(order + "I", tiff, 4)[0]
    count = int.from_bytes(tiff[offset : offset + 2], "little" if order == "<" else "big")
    for at in range(offset + 2, offset + 2 + 12 * min(count, MAX_FIELDS), 12):
        if at + 12 > len(tiff):
            break
        tag, kind, length = struct.unpack_from(order + "HHI", tiff, at)
        if tag == _ORIENTATION and kind in (3, 4) and length:
            value = int(struct.unpack_from(order + ("H" if kind == 3 else "I"), tiff, at + 8)[0])
            return value if 1 <= value <= 8 else 1
    return 1


def _read_ifd(entries: Entries, tiff: bytes, order: str, offset: int) -> list[int]:
    """Add the texts of one IFD; returns the offsets of the IFDs that it refers to."""
    if offset + 2 > len(tiff):
        return []
    further = []
    count = min(struct.unpack_from(order + "H", tiff, offset)[0], MAX_FIELDS)
    for index in range(count):
        at = offset + 2 + 12 * index
        if at + 12 > len(tiff):
            break
        tag, kind, length, value = struct.unpack_from(order + "HHII", tiff, at)
        if tag == _EXIF_IFD:
            further.append(value)
        elif tag in _NAMES and kind in _TEXT_TYPES and length:
            start = at + 8 if length <= 4 else value
            content = tiff[start : start + length]
            text = _decode_text(tag, content, order) if len(content) == length else ""
            if text:
                entries.add("exif", _NAMES[tag], text, important=True)
    return further


def _decode_text(tag: int, content: bytes, order: str) -> str:
    if tag == 0x9286:
        return decode_user_comment(content, order)
    if tag == 0x9C9C:
        return content.decode("utf-16-le", "replace").rstrip("\0")
    return decode_utf8_or_latin1(content.strip(b"\0"))


def decode_user_comment(content: bytes, order: str = ">") -> str:
    """Decode UserComment. `order` is the TIFF's byte order, "<" or ">", used when the text gives no hint."""
    code, body = content[:8], content[8:]
    if code == b"UNICODE\0":
        return _decode_utf16(body, order)
    if code in (b"ASCII\0\0\0", b"\0" * 8):
        content = body
    elif content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:1] == b"\0" or content[1:2] == b"\0":
        return _decode_utf16(content, order)
    return decode_utf8_or_latin1(content.rstrip(b"\0"))


def _decode_utf16(body: bytes, order: str) -> str:
    if body[:2] == b"\xff\xfe":
        return body[2:].decode("utf-16-le", "replace").rstrip("\0")
    if body[:2] == b"\xfe\xff":
        return body[2:].decode("utf-16-be", "replace").rstrip("\0")
    if 0 not in body and _is_utf8(body):
        # Declared as UTF-16 but written as UTF-8.
        return body.decode("utf-8")
    body = body[: len(body) // 2 * 2]
    # Commas, line breaks and setting names are ASCII in every language; the wrong byte order yields none.
    ascii_little, ascii_big = (_count_ascii(body[:_SAMPLE_BYTES], f"utf-16-{end}") for end in ("le", "be"))
    little = order == "<" if ascii_little == ascii_big else ascii_little > ascii_big
    return body.decode("utf-16-le" if little else "utf-16-be", "replace").rstrip("\0")


def _count_ascii(body: bytes, encoding: str) -> int:
    return len(body.decode(encoding, "ignore").encode("ascii", "ignore").strip(b"\0"))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
