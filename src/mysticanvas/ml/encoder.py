"""What every model of text gives: unit vectors, kept in a byte a dimension."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]


class Encoder(Protocol):
    """`space` names the model and its version: vectors of two spaces are never compared."""

    space: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row a text, of length 1; all zero for a text without a known word."""
        ...


def to_bytes(vectors: Floats) -> Bytes:
    """Each row scaled so that its largest value is 127: the direction alone is kept."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    return np.round(vectors * (127 / np.where(largest > 0, largest, 1))).astype(np.int8)


def normalized(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = (vectors / np.where(length > 0, length, 1)).astype(np.float32)
    return scaled


def padded(vectors: Floats) -> Floats:
    """With as many zeros behind that the dimensions are a multiple of 64, as searches among many want."""
    more = -vectors.shape[-1] % 64
    return np.pad(vectors, [(0, 0)] * (vectors.ndim - 1) + [(0, more)])
