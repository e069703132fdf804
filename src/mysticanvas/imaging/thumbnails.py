"""Pixels to thumbnails: small WebP pictures and one colour, by libvips.

The header decides first: what is too large is never decoded. Only the formats of `ImageFormat` are
let in; libvips' loaders for anything else are blocked.
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

os.environ.setdefault("VIPS_BLOCK_UNTRUSTED", "1")
os.environ.setdefault("VIPS_CONCURRENCY", "1")

import numpy as np
import pyvips

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead
from mysticanvas.imaging.perceptual_hash import phash

MAX_PIXELS = 100_000_000
MAX_SIDE_PX = 32_768
WEBP_QUALITY = 78
WEBP_EFFORT = 2
# The picture that is hashed has this short edge at most.
HASHED_EDGE_PX = 512
# A panorama's thumbnail is at most this many times as long as its short edge.
MAX_ELONGATION = 6
_LOADERS = {
    ImageFormat.PNG: "pngload_source",
    ImageFormat.JPEG: "jpegload_source",
    ImageFormat.WEBP: "webpload_source",
    ImageFormat.GIF: "gifload_source",
    ImageFormat.AVIF: "heifload_source",
}

pyvips.cache_set_max(0)


@dataclass(frozen=True, slots=True)
class Thumbs:
    """`webps` is parallel to the short edges asked for; `color_rgb` is 0xRRGGBB; `phash` as in phash.py."""

    webps: list[bytes]
    color_rgb: int
    phash: bytes | None


def load(handle: int, head: ImageHead) -> pyvips.Image:
    """The picture of the open file `handle`, upright, to be read once from top to bottom.

    Raises `UnreadableFileError` for one that is too large, or that cannot be decoded.
    """
    if head.width_px * head.height_px > MAX_PIXELS or max(head.width_px, head.height_px) > MAX_SIDE_PX:
        raise UnreadableFileError(
            f"The picture is too large to be shown: {head.width_px:,} × {head.height_px:,} pixels."
        )
    if head.format is ImageFormat.BMP:
        return _load_bmp(handle)
    os.lseek(handle, 0, os.SEEK_SET)
    source = pyvips.Source.new_from_descriptor(handle)
    loader: Callable[..., pyvips.Image] = getattr(pyvips.Image, _LOADERS[head.format])
    with _decoding():
        # A file that was cut off still shows what is there.
        return loader(source, access="sequential", fail_on="none").autorot()


def in_memory(image: pyvips.Image) -> pyvips.Image:
    """The same picture, to be read more than once. Raises `UnreadableFileError`."""
    with _decoding():
        return image.copy_memory()


def make_thumbs(image: pyvips.Image, short_edges_px: Sequence[int]) -> Thumbs:
    """Thumbnails of a picture, which is never enlarged.

    Raises `UnreadableFileError` with the reason when the pixels cannot be decoded.
    """
    with _decoding():
        largest = _shrunk(image, max(short_edges_px))
        largest = largest.copy_memory()
        webps = [_webp(_shrunk(largest, edge)) for edge in short_edges_px]
        return Thumbs(webps, _dominant_color(_shrunk(largest, 32)), phash(_srgb(largest)))


def hash_picture(image: pyvips.Image) -> bytes | None:
    """The perceptual hash alone. Raises as `make_thumbs`."""
    with _decoding():
        return phash(_srgb(_shrunk(image, HASHED_EDGE_PX).copy_memory()))


@contextmanager
def _decoding() -> Iterator[None]:
    """What libvips says becomes a sentence for the person."""
    try:
        yield
    except pyvips.Error as error:
        reason = str(error.detail or error.message).strip().splitlines() or ["unknown fault"]
        raise UnreadableFileError(f"The picture cannot be decoded: {reason[0]}") from error


def _shrunk(image: pyvips.Image, short_edge_px: int) -> pyvips.Image:
    """In sRGB with 8 bits, the short edge at most `short_edge_px`."""
    short, long = sorted((image.width, image.height))
    edge_px = short_edge_px if long <= short * MAX_ELONGATION else short_edge_px * MAX_ELONGATION * short / long
    scale = min(1.0, max(1.0, edge_px) / short)
    return (
        image.thumbnail_image(
            max(1, round(image.width * scale)), height=max(1, round(image.height * scale)), size="force"
        )
        if scale < 1.0
        else _srgb(image)
    )


def _srgb(image: pyvips.Image) -> pyvips.Image:
    image = image if image.interpretation == "srgb" else image.colourspace("srgb")
    return image if image.format == "uchar" else image.cast("uchar")


def _webp(image: pyvips.Image) -> bytes:
    content: bytes = _srgb(image).webpsave_buffer(Q=WEBP_QUALITY, effort=WEBP_EFFORT, strip=True)
    return content


def _dominant_color(image: pyvips.Image) -> int:
    """The mean of the most filled of 64 coarse colours; transparent pixels do not count."""
    image = _srgb(image)
    pixels = image.numpy().reshape(-1, image.bands)
    if image.bands in (2, 4):
        opaque = pixels[:, -1] > 127
        pixels = pixels[opaque] if opaque.any() else pixels
        pixels = pixels[:, :-1]
    rgb = np.repeat(pixels, 3, axis=1) if pixels.shape[1] == 1 else pixels[:, :3]
    coarse = (rgb >> 6).astype(np.int32)
    buckets = coarse[:, 0] * 16 + coarse[:, 1] * 4 + coarse[:, 2]
    fullest = np.bincount(buckets, minlength=64).argmax()
    red, green, blue = (int(value) for value in rgb[buckets == fullest].mean(axis=0))
    return red << 16 | green << 8 | blue


def _load_bmp(handle: int) -> pyvips.Image:
    """Uncompressed BMP of 24 or 32 bits, as Windows programs write it.

    Source: the BITMAPFILEHEADER and BITMAPINFOHEADER structures of the Windows API.
    """
    os.lseek(handle, 0, os.SEEK_SET)
    with os.fdopen(os.dup(handle), "rb") as file:
        content = file.read(4 * MAX_PIXELS + 1024)
    try:
        offset, _, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", content, 10)
        row_bytes = (width * bits // 8 + 3) // 4 * 4
        rows = np.frombuffer(content, np.uint8, row_bytes * abs(height), offset).reshape(abs(height), row_bytes)
    except (struct.error, ValueError) as error:
        raise UnreadableFileError("The picture cannot be decoded: the BMP is cut off.") from error
    if bits not in (24, 32) or compression not in (0, 3):
        raise UnreadableFileError("The picture cannot be decoded: a BMP of this kind is not supported.")
    pixels = rows[:, : width * bits // 8].reshape(abs(height), width, bits // 8)[:, :, 2::-1]
    upright = pixels if height < 0 else pixels[::-1]
    return pyvips.Image.new_from_array(np.ascontiguousarray(upright), interpretation="srgb")
