"""The transformer model: all-MiniLM-L6-v2 with int8 weights in ONNX Runtime (extra `semantic`).

Source: the model card (mean pooling of the last layer; Apache-2.0). ml/data/NOTICE-text.txt says where the model file
comes from, and docs/adr/0024-the-model-is-in-the-package.md why it is here.
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

import numpy as np

from mysticanvas.domain.errors import ModelUnusableError
from mysticanvas.ml.encoder import Floats, normalize
from mysticanvas.ml.prompts import extract_words
from mysticanvas.ml.static_embeddings import load_vocabulary
from mysticanvas.ml.wordpiece import END, PAD, START, WordPieceTokenizer

FILE = "minilm.onnx"
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
MAX_TOKENS = 128
# Texts in a batch have similar lengths, because padding costs as much time as tokens.
MAX_BATCH_TEXTS = 32
# Attention is quadratic in the length of a text, and small batches stay in the CPU cache. Four times as many tokens
# need up to 550 MiB instead of 300 MiB, and 20 % more time.
MAX_BATCH_TOKENS = 512


def is_installed() -> bool:
    """Whether ONNX Runtime is installed. The model itself is part of the package."""
    return importlib.util.find_spec("onnxruntime") is not None


class MiniLM:
    """An `Encoder` for accurate semantic search."""

    space = "prompt-minilm-1"
    dimensions = 384

    def __init__(self, model: bytes, pieces: WordPieceTokenizer) -> None:
        """Raises `ModelUnusableError` when the model file has an unexpected checksum."""
        if hashlib.sha256(model).hexdigest() != SHA256:
            raise ModelUnusableError(f"The model file {FILE} has an unexpected checksum. Reinstall MystiCanvas.")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # There is one worker per core. Additional spinning threads would take CPU time from the gallery.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._pieces = pieces
        self._start, self._end, self._pad = (pieces.get_id(mark) for mark in (START, END, PAD))

    @classmethod
    def load(cls, pieces: WordPieceTokenizer | None = None) -> "MiniLM":
        """Load the model. ONNX Runtime must be installed."""
        model = (resources.files("mysticanvas.ml") / "data" / FILE).read_bytes()
        return cls(model, pieces or WordPieceTokenizer(load_vocabulary()))

    def encode(self, texts: Sequence[str]) -> Floats:
        return normalize(self.compute_means([self._sequence(text) for text in texts]))

    def compute_means(self, sequences: Sequence[list[int]]) -> Floats:
        """The mean of the last layer for each token sequence, including start and end; zeros for an empty text."""
        vectors = np.zeros((len(sequences), self.dimensions), np.float32)
        order = sorted((i for i, one in enumerate(sequences) if len(one) > 2), key=lambda i: len(sequences[i]))
        for some in _split_batches(order, sequences):
            vectors[some] = self._run([sequences[i] for i in some])
        return vectors

    def _sequence(self, text: str) -> list[int]:
        return [self._start, *self._pieces.tokenize(extract_words(text))[: MAX_TOKENS - 2], self._end]

    def _run(self, sequences: list[list[int]]) -> Floats:
        longest = max(map(len, sequences))
        numbers = np.array([one + [self._pad] * (longest - len(one)) for one in sequences], np.int64)
        mask = np.array([[1] * len(one) + [0] * (longest - len(one)) for one in sequences], np.int64)
        inputs = {"input_ids": numbers, "attention_mask": mask, "token_type_ids": np.zeros_like(numbers)}
        [last_layer] = self._session.run(["last_hidden_state"], inputs)
        means: Floats = (last_layer * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]
        return means


def _split_batches(order: Sequence[int], sequences: Sequence[list[int]]) -> Iterator[list[int]]:
    """Split indexes into batches. `order` is ascending by sequence length."""
    some: list[int] = []
    for i in order:
        if some and (len(some) == MAX_BATCH_TEXTS or (len(some) + 1) * len(sequences[i]) > MAX_BATCH_TOKENS):
            yield some
            some = []
        some.append(i)
    if some:
        yield some
