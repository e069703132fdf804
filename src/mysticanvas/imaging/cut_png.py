"""The missing part of a damaged PNG.

Where libpng cannot read a row, libvips leaves what its memory contained before: rows from above, or of another image.
So the rows that can be decoded are counted, and the others are blank.
"""

import os
import struct
import zlib

import pyvips

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.imaging.interlaced_png import CHANNELS, measure_pass, read_pixels

_MOST_BYTES = 1024 * 1024


def count_rows(handle: int) -> int:
    """The rows of a PNG without interlacing that can be decoded. Moves the position in the file.

    Raises `UnreadableFileError` when there is none.
    """
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(16)
        width, height, depth, color_type = struct.unpack(">IIBB7x", file.read(17))
        row_bytes = measure_pass(width, 1, depth * CHANNELS[color_type], 0, 0, 1, 1)
        inflater, total = zlib.decompressobj(), 0
        for block in read_pixels(file, []):
            after, inflated = _inflate(inflater, block)
            total += inflated
            if after is None or total >= row_bytes * height:
                break
            inflater = after
    if total < row_bytes:
        raise UnreadableFileError("The image could not be decoded because its compressed pixel data is incomplete.")
    return int(min(height, total // row_bytes))


def blank_below(image: pyvips.Image, rows: int) -> pyvips.Image:
    """The image with only this number of rows, and below them black, or nothing if it has an alpha channel."""
    if rows >= image.height:
        return image
    return image.crop(0, 0, image.width, rows).embed(0, 0, image.width, image.height, extend="black")


def _inflate(inflater: "zlib._Decompress", block: bytes) -> tuple["zlib._Decompress | None", int]:
    """(the state after the block, the bytes that it contains). Up to the byte that is corrupt; the state is None then:
    zlib gives nothing of a block with an error, so such a block is halved."""
    trial = inflater.copy()
    try:
        return trial, _count(trial, block)
    except zlib.error:
        if len(block) == 1:
            return None, 0
    half = len(block) // 2
    after, first = _inflate(inflater, block[:half])
    if after is None:
        return None, first
    end, second = _inflate(after, block[half:])
    return end, first + second


def _count(inflater: "zlib._Decompress", block: bytes) -> int:
    total = 0
    while block and not inflater.eof:
        total += len(inflater.decompress(block, _MOST_BYTES))
        block = inflater.unconsumed_tail
    return total
