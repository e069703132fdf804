"""Perceptual hash: 256 bits that describe an image's coarse structure, and a miniature of 16 × 16 pixels.

The image is scaled to 64 × 64 and converted to gray. Each bit tells whether one of the 16 × 16 lowest frequencies
of its discrete cosine transform (DCT-II) is above their median. Resizing, encoding and color changes hardly affect
the hash; cropping by more than a few percent, rotating or mirroring do.

The miniature confirms similar hashes: two flags can have the same structure in different colors.
"""

import numpy as np
import pyvips
from numpy.typing import NDArray

BITS = 256
HASH_BYTES = BITS // 8
BRIGHTNESS_EDGE_PX, COLOR_EDGE_PX = 16, 4
MINIATURE_BYTES = BRIGHTNESS_EDGE_PX**2 + 2 * COLOR_EDGE_PX**2
_EDGE_PX = 64
_FREQUENCIES = 16
# The bits of an image of nearly one color would be noise.
_MIN_CONTRAST = 2.0


def _build_frequency_rows() -> NDArray[np.float32]:
    """The lowest frequencies of the DCT-II, one per row."""
    places = (2 * np.arange(_EDGE_PX) + 1) * np.pi / (2 * _EDGE_PX)
    return np.cos(np.arange(_FREQUENCIES)[:, None] * places[None, :]).astype(np.float32)


_FREQUENCY_ROWS = _build_frequency_rows()


def compute_phash(image: pyvips.Image) -> bytes | None:
    """The hash (32 bytes) and the miniature (288 bytes); None for an image without contrast.

    `image` is decoded, 8-bit sRGB or gray.
    """
    if image.hasalpha():
        image = image.flatten(background=255)
    small = image.thumbnail_image(_EDGE_PX, height=_EDGE_PX, size="force")
    gray = small if small.bands == 1 else small.colourspace("b-w")
    hashed = hash_gray_pixels(gray.extract_band(0).numpy())
    return None if hashed is None else hashed + make_miniature(small.numpy())


def hash_gray_pixels(gray: NDArray[np.uint8]) -> bytes | None:
    """The hash of 64 × 64 gray pixels, 32 bytes; None without contrast."""
    levels = gray.astype(np.float32)
    if float(levels.std()) < _MIN_CONTRAST:
        return None
    strength = (_FREQUENCY_ROWS @ levels @ _FREQUENCY_ROWS.T).reshape(-1)
    # The first frequency is the mean brightness, which does not describe the structure.
    middle = np.median(strength[1:])
    return np.packbits(strength > middle).tobytes()


def make_miniature(pixels: NDArray[np.uint8]) -> bytes:
    """The miniature of 64 × 64 pixels, gray or RGB: 256 bytes of brightness, then 16 signed bytes each of blue and
    red minus brightness, halved."""
    planes = pixels.reshape(_EDGE_PX, _EDGE_PX, -1)
    wide = (np.repeat(planes[:, :, :1], 3, axis=2) if planes.shape[2] < 3 else planes[:, :, :3]).astype(np.float32)
    light = wide @ np.array([0.299, 0.587, 0.114], np.float32)
    colors = [np.round(_pool(wide[:, :, band] - light, COLOR_EDGE_PX) / 2) for band in (2, 0)]
    return np.round(_pool(light, BRIGHTNESS_EDGE_PX)).astype(np.uint8).tobytes() + b"".join(
        color.astype(np.int8).tobytes() for color in colors
    )


def _pool(plane: NDArray[np.float32], edge_px: int) -> NDArray[np.float32]:
    share = _EDGE_PX // edge_px
    means: NDArray[np.float32] = plane.reshape(edge_px, share, edge_px, share).mean(axis=(1, 3))
    return means
