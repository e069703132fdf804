"""WordPiece tokenizer of BERT's uncased models.

Source: the reference tokenizer of the BERT paper: lower case without accents, punctuation and CJK ideographs as
separate words, then the longest matching tokens of a vocabulary. Linear in the length of the text; never raises.
"""

import re
import unicodedata
from collections.abc import Sequence

UNKNOWN = "[UNK]"
START = "[CLS]"
END = "[SEP]"
PAD = "[PAD]"
# Longer words become unknown, as in the training of the models.
MAX_WORD_CHARACTERS = 100
# Prompts repeat words, so a cache makes tokenizing five times as fast. It takes about 30 MB when full.
MAX_CACHED_WORDS = 100_000

_ASCII_WORDS = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
_ASCII_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPieceTokenizer:
    """Tokenizer; the id of a token is its index in `vocabulary`.

    Can be shared between threads, which may do the same work twice.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self._unknown = self._numbers[UNKNOWN]
        self._cache: dict[str, tuple[int, ...]] = {}

    def get_id(self, piece: str) -> int:
        return self._numbers[piece]

    def tokenize(self, text: str) -> list[int]:
        """The token ids of `text`, without start and end tokens."""
        numbers: list[int] = []
        for word in split_words(text):
            known = self._cache.get(word)
            numbers += self._split_cached(word) if known is None else known
        return numbers

    def _split_cached(self, word: str) -> tuple[int, ...]:
        if len(self._cache) >= MAX_CACHED_WORDS:
            self._cache.clear()
        pieces = self._cache[word] = tuple(self._split(word))
        return pieces

    def _split(self, word: str) -> list[int]:
        """Split a word greedily into the longest known tokens; [unknown] when a part is not in the vocabulary."""
        if len(word) > MAX_WORD_CHARACTERS:
            return [self._unknown]
        numbers = []
        start = 0
        while start < len(word):
            mark = "##" if start else ""
            for end in range(len(word), start, -1):
                number = self._numbers.get(mark + word[start:end])
                if number is not None:
                    break
            else:
                return [self._unknown]
            numbers.append(number)
            start = end
        return numbers


def split_words(text: str) -> list[str]:
    """Words and single punctuation marks, in lower case without accents."""
    if text.isascii():
        return _ASCII_WORDS.findall(text.translate(_ASCII_CONTROLS).lower())
    return "".join(map(_add_spaces, _normalize(text))).split()


def _normalize(text: str) -> str:
    kept = "".join(character for character in text if not _is_control(character))
    return "".join(c for c in unicodedata.normalize("NFD", kept.lower()) if unicodedata.category(c) != "Mn")


def _is_control(character: str) -> bool:
    if character in "\t\n\r":
        return False
    return character in "\0\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs")


def _add_spaces(character: str) -> str:
    """The character, with spaces around it if it is a word by itself."""
    if character.isalnum() and not _is_ideograph(character):
        return character
    return f" {character} " if _is_mark(character) or _is_ideograph(character) else character


def _is_mark(character: str) -> bool:
    if character.isascii():
        return not character.isalnum() and not character.isspace()
    return unicodedata.category(character).startswith("P")


def _is_ideograph(character: str) -> bool:
    code = ord(character)
    return code >= 0x3400 and any(first <= code <= last for first, last in _IDEOGRAPHS)
