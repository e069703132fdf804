"""The text encoder of a CLIP model in a folder of the user.

Source: OpenAI's published CLIP: byte pair encoding of lower-case text with an end-of-word mark, between a start and
an end token, 77 tokens in total. `vocab.json` maps tokens to ids; `merges.txt` lists the merges in order. The model's
input is int64 [batch, 77]; its output is one vector per text.
"""

import json
import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mysticanvas.domain.errors import ModelUnusableError
from mysticanvas.ml.encoder import Floats, normalize, pad_dimensions
from mysticanvas.ml.image_model_settings import CLIP_MERGES, CLIP_TEXT, CLIP_VOCABULARY

DEFAULT_TOKENS = 77
MAX_CHARACTERS = 1_000
MAX_FILE_BYTES = 64 * 1024 * 1024
WORD_END = "</w>"
START, END = "<|startoftext|>", "<|endoftext|>"
_WORDS = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)


def _map_printable_bytes() -> dict[int, str]:
    """Map each byte to a printable character: its own if printable, otherwise one from U+0100 upward."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in own]
    return {byte: chr(byte) for byte in own} | {byte: chr(256 + place) for place, byte in enumerate(others)}


_CHARACTERS = _map_printable_bytes()


class BytePairTokenizer:
    """Byte pair encoding. `merges` are pairs of tokens in order of priority."""

    def __init__(self, numbers: dict[str, int], merges: list[tuple[str, str]]) -> None:
        self._numbers = numbers
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}

    @classmethod
    def load(cls, folder: Path) -> "BytePairTokenizer":
        """Load the vocabulary and merges in a model folder. Raises `ModelUnusableError`."""
        try:
            numbers = json.loads(_read_file(folder / CLIP_VOCABULARY))
            lines = _read_file(folder / CLIP_MERGES).decode("utf-8").splitlines()
            merges = [tuple(line.split()) for line in lines if line.strip() and not line.startswith("#version")]
            pairs = cls({str(piece): int(number) for piece, number in numbers.items()}, [(a, b) for a, b in merges])
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ModelUnusableError(f"The tokenizer files in {folder} could not be read.") from error
        if START not in pairs._numbers or END not in pairs._numbers:
            raise ModelUnusableError(f"{folder / CLIP_VOCABULARY} is not the vocabulary of a CLIP model.")
        return pairs

    def tokenize(self, text: str, length: int) -> list[int]:
        """`length` token ids: start, text, end and zero padding. Unknown tokens are skipped, long texts truncated."""
        words = _WORDS.findall(" ".join(text[:MAX_CHARACTERS].lower().split()))
        pieces = [piece for word in words for piece in self._pieces(word)]
        numbers = [self._numbers[piece] for piece in pieces if piece in self._numbers][: length - 2]
        whole = [self._numbers[START], *numbers, self._numbers[END]]
        return whole + [0] * (length - len(whole))

    def _pieces(self, word: str) -> list[str]:
        pieces = [_CHARACTERS[byte] for byte in word.encode("utf-8")]
        pieces[-1] += WORD_END
        while len(pieces) > 1:
            ranks = [self._ranks.get(pair, len(self._ranks)) for pair in pairwise(pieces)]
            best = min(ranks)
            if best == len(self._ranks):
                break
            at = ranks.index(best)
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
        return pieces


class ClipTextEncoder:
    """A loaded text encoder."""

    def __init__(self, session: Any, pairs: BytePairTokenizer) -> None:
        self._session = session
        self._pairs = pairs
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name
        shape = list(session.get_inputs()[0].shape)
        self._length = shape[1] if len(shape) == 2 and isinstance(shape[1], int) else DEFAULT_TOKENS

    def encode(self, text: str) -> Floats:
        """The embedding of a text: a unit vector, padded like the stored vectors of images."""
        numbers = np.array([self._pairs.tokenize(text, self._length)], np.int64)
        [answer] = self._session.run([self._output], {self._input: numbers})
        return pad_dimensions(normalize(np.asarray(answer, np.float32).reshape(-1)))


@lru_cache(maxsize=1)
def load_text_encoder(folder: str) -> ClipTextEncoder:
    """Load the text encoder in a model folder; the last one stays loaded. Raises `ModelUnusableError`."""
    pairs = BytePairTokenizer.load(Path(folder))
    try:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(Path(folder) / CLIP_TEXT), providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["unknown error"])[0][:300]
        raise ModelUnusableError(f"The model {Path(folder) / CLIP_TEXT} could not be loaded: {reason}") from error
    return ClipTextEncoder(session, pairs)


def _read_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError(path)
    return path.read_bytes()
