"""Creates thumbnails (WebP), dominant colors and perceptual hashes of decoded images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyvips

from mysticanvas.imaging.colors import scale
from mysticanvas.imaging.decode import convert_errors, find_target_size
from mysticanvas.imaging.perceptual_hash import compute_phash

WEBP_QUALITY = 78
WEBP_EFFORT = 2
# Maximum short edge of the image that is hashed.
HASHED_EDGE_PX = 512


@dataclass(frozen=True, slots=True)
class Thumbs:
    """`webps` has one thumbnail per requested short edge; `color_rgb` is 0xRRGGBB; `phash` as in phash.py."""

    webps: list[bytes]
    color_rgb: int
    phash: bytes | None


def make_thumbs(image: pyvips.Image, short_edges_px: Sequence[int]) -> Thumbs:
    """Thumbnails in the requested sizes of an image that `decode_reduced` returned; a small image is not enlarged.
    Raises `UnreadableFileError`."""
    with convert_errors():
        webps = [_encode_webp(_shrink(image, edge)) for edge in short_edges_px]
        return Thumbs(webps, _find_dominant_color(_shrink(image, 32)), compute_phash(_shrink(image, HASHED_EDGE_PX)))


def _shrink(image: pyvips.Image, short_edge_px: int) -> pyvips.Image:
    return scale(image, find_target_size(image.width, image.height, short_edge_px))


def _encode_webp(image: pyvips.Image) -> bytes:
    content: bytes = image.webpsave_buffer(Q=WEBP_QUALITY, effort=WEBP_EFFORT, strip=True)
    return content


def _find_dominant_color(image: pyvips.Image) -> int:
    """The mean color of the fullest of 64 color buckets, as 0xRRGGBB. Transparent pixels are ignored."""
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
