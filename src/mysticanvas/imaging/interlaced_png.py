"""The first pass of an interlaced PNG: every eighth pixel of every eighth row.

An interlaced image can only be decoded as a whole, which takes too much memory for a large one. Its first pass is a
small image of its own, stored before the rest as the rows of a PNG without interlacing, and is decoded as such.

Source: PNG specification, third edition, sections 8.1 and 9.2.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import pyvips

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageHead

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BLOCK_BYTES = 256 * 1024
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First column and row of the seven passes, and their steps.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
# Chunks that say what the pixels mean.
_KEPT = (b"PLTE", b"tRNS", b"iCCP", b"sRGB")


def load_first_pass(handle: int, head: ImageHead, *, strict: bool) -> pyvips.Image:
    """The first pass, in memory. `strict`: all passes must be complete. Raises `UnreadableFileError`."""
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(len(_SIGNATURE) + 8)
        width, height, depth, color_type, _, _, _ = struct.unpack(">IIBBBBB4x", file.read(17))
        bits = depth * CHANNELS[color_type]
        sizes = [measure_pass(width, height, bits, *one) for one in _PASSES]
        kept: list[bytes] = []
        first, total = _inflate(read_pixels(file, kept), sizes[0])
    if len(first) < sizes[0] or (strict and total < sum(sizes)):
        raise UnreadableFileError("The image could not be decoded because its compressed pixel data is incomplete.")
    columns, rows = -(-width // 8), -(-height // 8)
    header = struct.pack(">IIBBBBB", columns, rows, depth, color_type, 0, 0, 0)
    body = [_make_chunk(b"IHDR", header), *kept, _make_chunk(b"IDAT", zlib.compress(first, 1))]
    content = b"".join([_SIGNATURE, *body, _make_chunk(b"IEND", b"")])
    return pyvips.Image.pngload_buffer(content, fail_on="error").copy_memory()


def measure_pass(width: int, height: int, bits: int, x: int, y: int, x_step: int, y_step: int) -> int:
    """The bytes of a pass: each row begins with the number of its filter."""
    columns, rows = -(-(width - x) // x_step), -(-(height - y) // y_step)
    return rows * (1 + (columns * bits + 7) // 8) if columns > 0 and rows > 0 else 0


def read_pixels(file: BinaryIO, kept: list[bytes]) -> Iterator[bytes]:
    """The contents of the IDAT chunks, in blocks. Chunks that precede them are added to `kept`."""
    while len(start := file.read(8)) == 8:
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if kind == b"IEND":
            return
        if kind in _KEPT and length <= 4 * 1024 * 1024:
            kept.append(_make_chunk(kind, file.read(length)))
            length = 0
        while kind == b"IDAT" and length > 0:
            block = file.read(min(length, _BLOCK_BYTES))
            if not block:
                return
            length -= len(block)
            yield block
        file.seek(length + 4, os.SEEK_CUR)


def _inflate(blocks: Iterator[bytes], wanted: int) -> tuple[bytes, int]:
    """(the first `wanted` bytes, the number of all bytes); fewer when the data ends early or is corrupt."""
    inflater = zlib.decompressobj()
    first, total = bytearray(), 0
    try:
        for block in blocks:
            while block:
                content = inflater.decompress(block, _BLOCK_BYTES * 4)
                block = inflater.unconsumed_tail
                total += len(content)
                if len(first) < wanted:
                    first += content[: wanted - len(first)]
            if inflater.eof:
                break
    except zlib.error:
        # What was inflated before can be shown.
        pass
    return bytes(first), total


def _make_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
