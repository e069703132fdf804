"""Text hidden in the lowest bits of a picture, as A1111's extension, Forge, NovelAI and SwarmUI hide it.

Source: sd-webui-stealth-pnginfo and NovelAI's reader: pixels column by column, in alpha one bit each, in
RGB three; a signature of 15 characters, the length in bits as 32 bits, then the text, perhaps as gzip.
"""

import zlib

import numpy as np
import pyvips

from mysticanvas.domain.file import ImageFormat, ImageHead

# A picture that is looked at is held in memory whole.
MAX_PIXELS = 40_000_000
# Longer than any recipe; what is read is parsed where the database is written.
MAX_HIDDEN_BYTES = 256 * 1024
_SIGNATURE_BITS = 15 * 8
_HEAD_BITS = _SIGNATURE_BITS + 32
_LOSSLESS = (ImageFormat.PNG, ImageFormat.WEBP)


def may_hide(head: ImageHead) -> bool:
    """Only a lossless picture keeps its lowest bits; one that is very large is not looked at."""
    return head.format in _LOSSLESS and head.frames == 1 and head.width_px * head.height_px <= MAX_PIXELS


def hidden_text(image: pyvips.Image) -> str | None:
    """The text in a decoded picture that may be read more than once; None when there is none."""
    if image.format != "uchar" or image.bands not in (3, 4):
        return None
    pixels = image.numpy()
    for channels in ([pixels[:, :, 3:]] if image.bands == 4 else []) + [pixels[:, :, :3]]:
        text = _read(channels)
        if text is not None:
            return text
    return None


def _read(pixels: np.ndarray) -> str | None:
    """`pixels` is rows × columns × channels; the bits run down the columns."""
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
    return _decoded(content, is_gzip=signature == kinds[1])


def _decoded(content: bytes, *, is_gzip: bool) -> str | None:
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
