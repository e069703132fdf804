"""Creates thumbnails (WebP), dominant colors and perceptual hashes with libvips.

Images that are too large according to their header are never decoded. Only the formats in `ImageFormat` are
accepted; libvips' untrusted loaders are blocked.
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
from mysticanvas.imaging.perceptual_hash import compute_phash

MAX_PIXELS = 100_000_000
MAX_SIDE_PX = 32_768
WEBP_QUALITY = 78
WEBP_EFFORT = 2
# Maximum short edge of the image that is hashed.
HASHED_EDGE_PX = 512
# Maximum ratio of long to short edge in the thumbnail of a panorama.
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
    """`webps` has one thumbnail per requested short edge; `color_rgb` is 0xRRGGBB; `phash` as in phash.py."""

    webps: list[bytes]
    color_rgb: int
    phash: bytes | None


def load_image(handle: int, head: ImageHead) -> pyvips.Image:
    """The image in the open file `handle`, with its orientation applied, for one sequential read.

    Raises `UnreadableFileError` when it is too large or cannot be decoded.
    """
    if head.width_px * head.height_px > MAX_PIXELS or max(head.width_px, head.height_px) > MAX_SIDE_PX:
        raise UnreadableFileError(f"The image is too large to display: {head.width_px:,} × {head.height_px:,} pixels.")
    if head.format is ImageFormat.BMP:
        return _load_bmp(handle)
    os.lseek(handle, 0, os.SEEK_SET)
    source = pyvips.Source.new_from_descriptor(handle)
    loader: Callable[..., pyvips.Image] = getattr(pyvips.Image, _LOADERS[head.format])
    with _convert_errors():
        # A truncated file still shows the part that it contains.
        return loader(source, access="sequential", fail_on="none").autorot()


def copy_to_memory(image: pyvips.Image) -> pyvips.Image:
    """A copy in memory, which can be read repeatedly. Raises `UnreadableFileError`."""
    with _convert_errors():
        return image.copy_memory()


def make_thumbs(image: pyvips.Image, short_edges_px: Sequence[int]) -> Thumbs:
    """Thumbnails in the requested sizes; a small image is not enlarged.

    Raises `UnreadableFileError` when the pixels cannot be decoded.
    """
    with _convert_errors():
        largest = _shrink(image, max(short_edges_px))
        largest = largest.copy_memory()
        webps = [_encode_webp(_shrink(largest, edge)) for edge in short_edges_px]
        return Thumbs(webps, _find_dominant_color(_shrink(largest, 32)), compute_phash(_convert_to_srgb(largest)))


def hash_image(image: pyvips.Image) -> bytes | None:
    """Only the perceptual hash; None without contrast. Raises `UnreadableFileError`."""
    with _convert_errors():
        return compute_phash(_convert_to_srgb(_shrink(image, HASHED_EDGE_PX).copy_memory()))


@contextmanager
def _convert_errors() -> Iterator[None]:
    """Convert libvips errors to `UnreadableFileError`."""
    try:
        yield
    except pyvips.Error as error:
        reason = str(error.detail or error.message).strip().splitlines() or ["unknown error"]
        raise UnreadableFileError(f"The image could not be decoded: {reason[0]}") from error


def _shrink(image: pyvips.Image, short_edge_px: int) -> pyvips.Image:
    """The image in 8-bit sRGB, with a short edge of at most `short_edge_px`."""
    short, long = sorted((image.width, image.height))
    edge_px = short_edge_px if long <= short * MAX_ELONGATION else short_edge_px * MAX_ELONGATION * short / long
    scale = min(1.0, max(1.0, edge_px) / short)
    return (
        image.thumbnail_image(
            max(1, round(image.width * scale)), height=max(1, round(image.height * scale)), size="force"
        )
        if scale < 1.0
        else _convert_to_srgb(image)
    )


def _convert_to_srgb(image: pyvips.Image) -> pyvips.Image:
    image = image if image.interpretation == "srgb" else image.colourspace("srgb")
    return image if image.format == "uchar" else image.cast("uchar")


def _encode_webp(image: pyvips.Image) -> bytes:
    content: bytes = _convert_to_srgb(image).webpsave_buffer(Q=WEBP_QUALITY, effort=WEBP_EFFORT, strip=True)
    return content


def _find_dominant_color(image: pyvips.Image) -> int:
    """The mean color of the fullest of 64 color buckets, as 0xRRGGBB. Transparent pixels are ignored."""
    image = _convert_to_srgb(image)
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
    """Decode an uncompressed BMP with 24 or 32 bits per pixel.

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
        raise UnreadableFileError("The image could not be decoded: the BMP file is truncated.") from error
    if bits not in (24, 32) or compression not in (0, 3):
        raise UnreadableFileError("The image could not be decoded: this BMP variant is not supported.")
    pixels = rows[:, : width * bits // 8].reshape(abs(height), width, bits // 8)[:, :, 2::-1]
    upright = pixels if height < 0 else pixels[::-1]
    return pyvips.Image.new_from_array(np.ascontiguousarray(upright), interpretation="srgb")
