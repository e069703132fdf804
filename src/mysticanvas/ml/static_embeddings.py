"""The instant model: a vector for every word piece; a text is the direction of their sum.

The table is distilled from all-MiniLM-L6-v2 (`tools/distill_words.py`; ml/data/NOTICE-text.txt says from
what, under which licence, and the file's sha256). NumPy alone runs it.
"""

import io
from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np

from mysticanvas.ml.encoder import Floats, normalized
from mysticanvas.ml.prompts import spoken
from mysticanvas.ml.wordpiece import WordPieces

TABLE = "words.npz"
MAX_PIECES = 256
# Texts at a time: the vectors of their pieces lie in memory side by side.
BATCH = 256


@cache
def _table() -> dict[str, np.ndarray]:
    content = (resources.files("mysticanvas.ml") / "data" / TABLE).read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as table:
        return dict(table)


def vocabulary() -> list[str]:
    """The word pieces of BERT's uncased models, in their order."""
    return _table()["pieces"].tobytes().decode("utf-8").split("\n")


class StaticModel:
    """An `Encoder`."""

    space = "prompt-words-1"
    dimensions = 256

    def __init__(self, vectors: Floats, pieces: WordPieces) -> None:
        """`vectors` has a row a piece."""
        self._vectors = vectors
        self._pieces = pieces

    @staticmethod
    @cache
    def load() -> "StaticModel":
        """The one of this process."""
        table = _table()
        vectors = table["vectors"].astype(np.float32) * table["scales"].astype(np.float32)[:, None]
        return StaticModel(vectors, WordPieces(vocabulary()))

    def encode(self, texts: Sequence[str]) -> Floats:
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), BATCH):
            found[start : start + BATCH] = self._means(texts[start : start + BATCH])
        return found

    def _means(self, texts: Sequence[str]) -> Floats:
        pieces = [self._pieces.pieces(spoken(text))[:MAX_PIECES] for text in texts]
        counts = np.array([len(one) for one in pieces])
        some = np.flatnonzero(counts)
        means = np.zeros((len(texts), self.dimensions), np.float32)
        if len(some):
            flat = self._vectors[[number for one in pieces for number in one]]
            starts = (np.cumsum(counts) - counts)[some]
            means[some] = normalized(np.add.reduceat(flat, starts))
        return means
