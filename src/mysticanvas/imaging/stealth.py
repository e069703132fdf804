"""Stealth PNG info: metadata in the lowest bits of pixels, as an A1111 extension, Forge, NovelAI and SwarmUI write it.

Source: sd-webui-stealth-pnginfo and NovelAI's reader. Pixels are in column order, with one bit per pixel in alpha
or three in RGB: a signature of 15 characters, the length in bits (32 bits), then the text, optionally as gzip.
"""

import zlib

import numpy as np
import pyvips

from mysticanvas.domain.file import ImageFormat, ImageHead

# The image has to be in memory completely.
MAX_PIXELS = 40_000_000
# Longer than any generation data. The limit matters because the writer thread parses the text.
MAX_HIDDEN_BYTES = 256 * 1024
_SIGNATURE_BITS = 15 * 8
_HEAD_BITS = _SIGNATURE_BITS + 32
_LOSSLESS = (ImageFormat.PNG, ImageFormat.WEBP)


def may_contain_text(head: ImageHead) -> bool:
    """Whether an image may contain stealth text: lossless, not animated, and at most `MAX_PIXELS`."""
    return head.format in _LOSSLESS and head.frames == 1 and head.width_px * head.height_px <= MAX_PIXELS


def read_hidden_text(image: pyvips.Image) -> str | None:
    """The stealth text of an image in memory; None without one."""
    if image.format != "uchar" or image.bands not in (3, 4):
        return None
    pixels = image.numpy()
    for channels in ([pixels[:, :, 3:]] if image.bands == 4 else []) + [pixels[:, :, :3]]:
        text = _read_text(channels)
        if text is not None:
            return text
    return None


def _read_text(pixels: np.ndarray) -> str | None:
    """The text in `pixels` (rows × columns × channels), whose bits are in column order; None without one."""
    rows, columns, channels = pixels.shape
    a_column = rows * channels

    def bits(count: int) -> np.ndarray:
        wide = min(columns, -(-count // a_column))
        return (pixels[:, :wide] & 1).transpose(1, 0, 2).reshape(-1)[:count]

    head = bits(_HEAD_BITS)
    if len(head) < _HEAD_BITS:
        return None
    signature = np.packbits(head[:_SIGNATURE_BITS]).tobytes()
    kinds = (b"stealth_pnginfo", b"stealth_pngcomp") if channels == 1 else (b"stealth_rgbinfo", b"stealth_rgbcomp")
    if signature not in kinds:
        return None
    length = int.from_bytes(np.packbits(head[_SIGNATURE_BITS:]).tobytes(), "big")
    if length % 8 or length > min(8 * MAX_HIDDEN_BYTES, a_column * columns - _HEAD_BITS):
        return None
    content = np.packbits(bits(_HEAD_BITS + length)[_HEAD_BITS:]).tobytes()
    return _decode_text(content, is_gzip=signature == kinds[1])


def _decode_text(content: bytes, *, is_gzip: bool) -> str | None:
    if is_gzip:
        inflater = zlib.decompressobj(wbits=31)
        try:
            content = inflater.decompress(content, MAX_HIDDEN_BYTES)
        except zlib.error:
            return None
        if not inflater.eof:
            return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
