"""Text hidden in the lowest bits of a picture, as A1111's extension, Forge, NovelAI and SwarmUI hide it.

Source: sd-webui-stealth-pnginfo and NovelAI's reader: pixels column by column, in alpha one bit each, in
RGB three; a signature of 15 characters, the length in bits as 32 bits, then the text, perhaps as gzip.
"""

import zlib

import numpy as np
import pyvips

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead
from mysticanvas.pixels import thumbnails

MAX_HIDDEN_BYTES = 4 * 1024 * 1024
_SIGNATURE_BITS = 15 * 8
_HEAD_BITS = _SIGNATURE_BITS + 32
_LOSSLESS = (ImageFormat.PNG, ImageFormat.WEBP)


def hidden_text(handle: int, head: ImageHead) -> str | None:
    """The text in the pixels of the open file `handle`; None when there is none.

    Raises `UnreadableFileError` when the pixels cannot be decoded.
    """
    if head.format not in _LOSSLESS or head.frames > 1 or not thumbnails.may_be_decoded(head):
        return None
    try:
        return hidden_in(thumbnails.load(handle, head))
    except pyvips.Error as error:
        raise UnreadableFileError(f"The picture cannot be decoded: {str(error).splitlines()[0]}") from error


def hidden_in(image: pyvips.Image) -> str | None:
    """The text in a decoded picture, in sRGB with 8 bits and not turned."""
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
