"""Decodes uncompressed BMP files with 24 or 32 bits per pixel, which libvips cannot.

Source: the BITMAPFILEHEADER and BITMAPINFOHEADER structures of the Windows API.
"""

import os
import struct

import numpy as np
import pyvips
from numpy.typing import NDArray

from mysticanvas.domain.errors import UnreadableFileError

_BLOCK_BYTES = 16 * 1024 * 1024
_GRAY = 128


def load(handle: int, short_edge_px: int | None, *, strict: bool) -> pyvips.Image:
    """The image in memory, reduced by a whole factor to a short edge of at least `short_edge_px` (None: not reduced).

    The missing rows of a truncated file are gray, unless `strict`. Raises `UnreadableFileError`.
    """
    with os.fdopen(os.dup(handle), "rb") as file:
        header = file.read(54)
        if len(header) < 54:
            raise UnreadableFileError("The image could not be decoded: the BMP file is truncated.")
        offset, _, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", header, 10)
        if bits not in (24, 32) or compression not in (0, 3):
            raise UnreadableFileError("The image could not be decoded: this BMP variant is not supported.")
        factor = max(1, min(width, abs(height)) // short_edge_px) if short_edge_px else 1
        file.seek(offset)
        row_bytes = (width * bits // 8 + 3) // 4 * 4
        rows_at_once = max(1, _BLOCK_BYTES // (row_bytes * factor)) * factor
        blocks = []
        for first in range(0, abs(height), rows_at_once):
            rows = min(rows_at_once, abs(height) - first)
            content = file.read(rows * row_bytes)
            if len(content) < rows * row_bytes and (strict or (not first and not content)):
                raise UnreadableFileError("The image could not be decoded: the BMP file is truncated.")
            content += bytes([_GRAY]) * (rows * row_bytes - len(content))
            stored = np.frombuffer(content, np.uint8).reshape(rows, row_bytes)
            pixels = stored[:, : width * bits // 8].reshape(rows, width, bits // 8)[:, :, 2::-1]
            blocks.append(_shrink(pixels, factor))
    whole = np.concatenate(blocks)
    upright = whole if height < 0 else whole[::-1]
    return pyvips.Image.new_from_array(np.ascontiguousarray(upright), interpretation="srgb")


def _shrink(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The means of squares of `factor` pixels. What remains at the right and at the end is left out."""
    if factor == 1:
        return pixels
    if len(pixels) < factor:
        return pixels[:0, : pixels.shape[1] // factor]
    means: NDArray[np.uint8] = pyvips.Image.new_from_array(np.ascontiguousarray(pixels)).shrink(factor, factor).numpy()
    return means
