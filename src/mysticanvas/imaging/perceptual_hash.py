"""A perceptual hash: 256 bits of what a picture looks like from afar, and its look in 16 × 16 pixels.

The picture is made 64 × 64 and grey; of its discrete cosine transform the 16 × 16 coarsest waves are
kept, and each bit says whether one of them is above their median. Size, encoding and colour hardly
change it; a cut of more than a few per cent, a turn or a mirror does. Source: the DCT-II.

The look decides where hashes are near: two flags may have all their waves in common, and no colour.
"""

import numpy as np
import pyvips
from numpy.typing import NDArray

BITS = 256
HASH_BYTES = BITS // 8
LIGHT_EDGE_PX, COLOR_EDGE_PX = 16, 4
LOOK_BYTES = LIGHT_EDGE_PX**2 + 2 * COLOR_EDGE_PX**2
_EDGE_PX = 64
_WAVES = 16
# A picture of one colour, or nearly, looks like nothing: its bits would be noise.
_LEAST_CONTRAST = 2.0


def _waves() -> NDArray[np.float32]:
    """The coarsest waves of the DCT-II, one a row."""
    places = (2 * np.arange(_EDGE_PX) + 1) * np.pi / (2 * _EDGE_PX)
    return np.cos(np.arange(_WAVES)[:, None] * places[None, :]).astype(np.float32)


_WAVE_ROWS = _waves()


def phash(image: pyvips.Image) -> bytes | None:
    """The hash, 32 bytes, and the look, 288; None for a picture without contrast. `image` is decoded, in sRGB or
    grey with 8 bits."""
    if image.hasalpha():
        image = image.flatten(background=255)
    small = image.thumbnail_image(_EDGE_PX, height=_EDGE_PX, size="force")
    grey = small if small.bands == 1 else small.colourspace("b-w")
    hashed = phash_of(grey.extract_band(0).numpy())
    return None if hashed is None else hashed + look_of(small.numpy())


def phash_of(grey: NDArray[np.uint8]) -> bytes | None:
    """Of 64 × 64 grey pixels."""
    levels = grey.astype(np.float32)
    if float(levels.std()) < _LEAST_CONTRAST:
        return None
    strength = (_WAVE_ROWS @ levels @ _WAVE_ROWS.T).reshape(-1)
    # The first wave is the mean brightness, which says nothing of the shape.
    middle = np.median(strength[1:])
    return np.packbits(strength > middle).tobytes()


def look_of(pixels: NDArray[np.uint8]) -> bytes:
    """Of 64 × 64 pixels, grey or RGB: 256 bytes of light, then twice 16 of how much bluer and redder they are than
    grey, signed and halved."""
    planes = pixels.reshape(_EDGE_PX, _EDGE_PX, -1)
    wide = (np.repeat(planes[:, :, :1], 3, axis=2) if planes.shape[2] < 3 else planes[:, :, :3]).astype(np.float32)
    light = wide @ np.array([0.299, 0.587, 0.114], np.float32)
    colors = [np.round(_pooled(wide[:, :, band] - light, COLOR_EDGE_PX) / 2) for band in (2, 0)]
    return np.round(_pooled(light, LIGHT_EDGE_PX)).astype(np.uint8).tobytes() + b"".join(
        color.astype(np.int8).tobytes() for color in colors
    )


def _pooled(plane: NDArray[np.float32], edge_px: int) -> NDArray[np.float32]:
    share = _EDGE_PX // edge_px
    means: NDArray[np.float32] = plane.reshape(edge_px, share, edge_px, share).mean(axis=(1, 3))
    return means
