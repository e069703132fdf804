"""Writes metadata into encoded image files, as generators do.

Sources: PNG specification, third edition, section 11.3.3; Exif 2.32, sections 4.6.4 and 4.6.5
(UserComment); WebP container specification, "Extended File Format".
"""

import struct
import zlib

_PNG_HEADER_END = 8 + 25
_USER_COMMENT, _EXIF_POINTER, _UNDEFINED, _LONG = 0x9286, 0x8769, 7, 4
_VP8X_HAS_EXIF = 0x08


def add_png_texts(png: bytes, texts: dict[str, str]) -> bytes:
    """Insert one chunk per text after the header: tEXt if Latin-1 can encode it, otherwise iTXt."""
    chunks = b"".join(_build_text_chunk(keyword, text) for keyword, text in texts.items())
    return png[:_PNG_HEADER_END] + chunks + png[_PNG_HEADER_END:]


def _build_text_chunk(keyword: str, text: str) -> bytes:
    try:
        return _build_chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return _build_chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode())


def _build_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _build_exif(comment: str) -> bytes:
    """A big-endian TIFF with two IFDs; the second contains only UserComment."""
    value = b"UNICODE\0" + comment.encode("utf-16-be")
    first = struct.pack(">HHHIII", 1, _EXIF_POINTER, _LONG, 1, 26, 0)
    second = struct.pack(">HHHIII", 1, _USER_COMMENT, _UNDEFINED, len(value), 44, 0)
    return b"MM\0*" + struct.pack(">I", 8) + first + second + value


def add_jpeg_comment(jpeg: bytes, comment: str) -> bytes:
    """Insert an Exif segment with the UserComment."""
    content = b"Exif\0\0" + _build_exif(comment)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def add_webp_comment(webp: bytes, comment: str, width_px: int, height_px: int) -> bytes:
    """Add an Exif chunk with the UserComment. `webp` is a simple lossy WebP file without alpha."""
    canvas = (width_px - 1).to_bytes(3, "little") + (height_px - 1).to_bytes(3, "little")
    extended = _build_riff_chunk(b"VP8X", bytes([_VP8X_HAS_EXIF, 0, 0, 0]) + canvas)
    content = b"WEBP" + extended + webp[12:] + _build_riff_chunk(b"EXIF", _build_exif(comment))
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _build_riff_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
