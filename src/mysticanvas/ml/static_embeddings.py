"""The static model: one vector per token; the embedding of a text is the normalized sum of its token vectors.

The table is distilled from all-MiniLM-L6-v2 with `tools/distill_words.py`. ml/data/NOTICE-text.txt has its sources,
license and SHA-256. The model only needs NumPy.
"""

import io
from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np

from mysticanvas.ml.encoder import Floats, normalize
from mysticanvas.ml.prompts import extract_words
from mysticanvas.ml.wordpiece import WordPieceTokenizer

TABLE = "words.npz"
MAX_TOKENS = 256
# Limits memory: the token vectors of a batch are in memory at the same time.
BATCH_TEXTS = 256


@cache
def _load_table() -> dict[str, np.ndarray]:
    content = (resources.files("mysticanvas.ml") / "data" / TABLE).read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as table:
        return dict(table)


def load_vocabulary() -> list[str]:
    """The WordPiece vocabulary of BERT's uncased models, in order of ids."""
    return _load_table()["pieces"].tobytes().decode("utf-8").split("\n")


class StaticModel:
    """An `Encoder` for fast semantic search."""

    space = "prompt-words-1"
    dimensions = 256

    def __init__(self, vectors: Floats, pieces: WordPieceTokenizer) -> None:
        """`vectors` has one row per token of the vocabulary."""
        self._vectors = vectors
        self._pieces = pieces

    @staticmethod
    @cache
    def load() -> "StaticModel":
        """Load the model, once per process."""
        table = _load_table()
        vectors = table["vectors"].astype(np.float32) * table["scales"].astype(np.float32)[:, None]
        return StaticModel(vectors, WordPieceTokenizer(load_vocabulary()))

    def encode(self, texts: Sequence[str]) -> Floats:
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), BATCH_TEXTS):
            found[start : start + BATCH_TEXTS] = self._means(texts[start : start + BATCH_TEXTS])
        return found

    def _means(self, texts: Sequence[str]) -> Floats:
        pieces = [self._pieces.tokenize(extract_words(text))[:MAX_TOKENS] for text in texts]
        counts = np.array([len(one) for one in pieces])
        some = np.flatnonzero(counts)
        means = np.zeros((len(texts), self.dimensions), np.float32)
        if len(some):
            flat = self._vectors[[number for one in pieces for number in one]]
            starts = (np.cumsum(counts) - counts)[some]
            means[some] = normalize(np.add.reduceat(flat, starts))
        return means
