"""A perceptual hash: 256 bits of what a picture looks like from afar.

The picture is made 64 × 64 and grey; of its discrete cosine transform the 16 × 16 coarsest waves are
kept, and each bit says whether one of them is above their median. Size, encoding and colour hardly
change it; a cut of more than a few per cent, a turn or a mirror does. Source: the DCT-II.
"""

import numpy as np
import pyvips
from numpy.typing import NDArray

BITS = 256
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
    """32 bytes; None for a picture without contrast. `image` is decoded, in sRGB or grey with 8 bits."""
    if image.hasalpha():
        image = image.flatten(background=255)
    small = image.thumbnail_image(_EDGE_PX, height=_EDGE_PX, size="force")
    grey = small if small.bands == 1 else small.colourspace("b-w")
    return phash_of(grey.extract_band(0).numpy())


def phash_of(grey: NDArray[np.uint8]) -> bytes | None:
    """Of 64 × 64 grey pixels."""
    levels = grey.astype(np.float32)
    if float(levels.std()) < _LEAST_CONTRAST:
        return None
    strength = (_WAVE_ROWS @ levels @ _WAVE_ROWS.T).reshape(-1)
    # The first wave is the mean brightness, which says nothing of the shape.
    middle = np.median(strength[1:])
    return np.packbits(strength > middle).tobytes()
