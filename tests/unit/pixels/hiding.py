"""Text put into pixels, as the writers of stealth metadata put it."""

import gzip
import struct

import numpy as np
import pyvips

SIGNATURES = {
    "alpha": b"stealth_pnginfo",
    "alpha gzip": b"stealth_pngcomp",
    "rgb": b"stealth_rgbinfo",
    "rgb gzip": b"stealth_rgbcomp",
}


def hidden(
    kind: str, text: bytes, *, width: int = 64, height: int = 48, claimed_bits: int | None = None
) -> pyvips.Image:
    """A picture whose lowest bits say `text`; `claimed_bits` in place of its true length."""
    content = gzip.compress(text) if kind.endswith("gzip") else text
    return put(kind, content, width=width, height=height, claimed_bits=claimed_bits)


def put(kind: str, content: bytes, *, width: int, height: int, claimed_bits: int | None = None) -> pyvips.Image:
    length = len(content) * 8 if claimed_bits is None else claimed_bits
    bits = np.unpackbits(np.frombuffer(SIGNATURES[kind] + struct.pack(">I", length) + content, np.uint8))
    pixels = np.full((width, height, 4), 200, np.uint8)
    part = pixels[:, :, 3:] if kind.startswith("alpha") else pixels[:, :, :3]
    flat = part.reshape(-1).copy()
    flat[: len(bits)] |= bits[: len(flat)]
    part[...] = flat.reshape(part.shape)
    # The bits run down the columns.
    return pyvips.Image.new_from_array(np.ascontiguousarray(pixels.transpose(1, 0, 2)), interpretation="srgb")
