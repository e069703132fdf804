"""The side of a CLIP model that reads words, from a folder of the person's own.

Source: OpenAI's published CLIP: byte pairs of lower-case text, with a mark at the end of each word, between a
start and an end, 77 numbers in all. `vocab.json` gives the number of each piece, `merges.txt` the order in which
pieces grow together. The model takes int64 [batch, 77] and gives one vector a text.
"""

import json
import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mysticanvas.domain.errors import ModelUnusableError
from mysticanvas.ml.encoder import Floats, normalized, padded
from mysticanvas.ml.image_model_settings import CLIP_MERGES, CLIP_TEXT, CLIP_VOCABULARY

USUAL_PIECES = 77
MAX_CHARACTERS = 1_000
MAX_FILE_BYTES = 64 * 1024 * 1024
WORD_END = "</w>"
START, END = "<|startoftext|>", "<|endoftext|>"
_WORDS = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)


def _printable_bytes() -> dict[int, str]:
    """Each byte as a character that is seen: its own where it has one, else one from 256 on."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in own]
    return {byte: chr(byte) for byte in own} | {byte: chr(256 + place) for place, byte in enumerate(others)}


_CHARACTERS = _printable_bytes()


class BytePairs:
    """`merges` are pairs of pieces, the first to be joined first."""

    def __init__(self, numbers: dict[str, int], merges: list[tuple[str, str]]) -> None:
        self._numbers = numbers
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}

    @classmethod
    def load(cls, folder: Path) -> "BytePairs":
        """Raises `ModelUnusableError`."""
        try:
            numbers = json.loads(_read(folder / CLIP_VOCABULARY))
            lines = _read(folder / CLIP_MERGES).decode("utf-8").splitlines()
            merges = [tuple(line.split()) for line in lines if line.strip() and not line.startswith("#version")]
            pairs = cls({str(piece): int(number) for piece, number in numbers.items()}, [(a, b) for a, b in merges])
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ModelUnusableError(f"The word pieces in {folder} cannot be read.") from error
        if START not in pairs._numbers or END not in pairs._numbers:
            raise ModelUnusableError(f"{folder / CLIP_VOCABULARY} is not the vocabulary of a CLIP model.")
        return pairs

    def sequence(self, text: str, length: int) -> list[int]:
        """Start, pieces, end and zeros: `length` numbers. A piece that is not known is left out."""
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


class ClipText:
    def __init__(self, session: Any, pairs: BytePairs) -> None:
        self._session = session
        self._pairs = pairs
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name
        shape = list(session.get_inputs()[0].shape)
        self._length = shape[1] if len(shape) == 2 and isinstance(shape[1], int) else USUAL_PIECES

    def encode(self, text: str) -> Floats:
        """Of length 1, as the vectors of pictures are kept."""
        numbers = np.array([self._pairs.sequence(text, self._length)], np.int64)
        [answer] = self._session.run([self._output], {self._input: numbers})
        return padded(normalized(np.asarray(answer, np.float32).reshape(-1)))


@lru_cache(maxsize=1)
def open_text(folder: str) -> ClipText:
    """The last one opened stays loaded. Raises `ModelUnusableError`."""
    pairs = BytePairs.load(Path(folder))
    try:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(Path(folder) / CLIP_TEXT), providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["unknown fault"])[0][:300]
        raise ModelUnusableError(f"The model {Path(folder) / CLIP_TEXT} cannot be loaded: {reason}") from error
    return ClipText(session, pairs)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError(path)
    return path.read_bytes()
