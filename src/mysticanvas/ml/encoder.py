"""The interface of text models, and vector conversions. Vectors are stored with one byte per dimension."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]


class Encoder(Protocol):
    """A text model. `space` names the model and its version; only vectors of one space can be compared."""

    space: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Floats:
        """One unit vector per text, as rows; zeros for a text without known words."""
        ...


def quantize(vectors: Floats) -> Bytes:
    """Quantize rows to bytes, scaled so that the largest absolute value is 127. Only the direction is preserved."""
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    return np.round(vectors * (127 / np.where(largest > 0, largest, 1))).astype(np.int8)


def normalize(vectors: Floats) -> Floats:
    """Scale each vector to unit length; zero vectors stay zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = (vectors / np.where(length > 0, length, 1)).astype(np.float32)
    return scaled


def pad_dimensions(vectors: Floats) -> Floats:
    """Append zeros until the number of dimensions is a multiple of 64, as `Vectors` requires."""
    more = -vectors.shape[-1] % 64
    return np.pad(vectors, [(0, 0)] * (vectors.ndim - 1) + [(0, more)])
