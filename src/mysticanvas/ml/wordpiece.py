"""Text to word pieces, as BERT's uncased models were taught to see it.

Source: the BERT paper's reference tokenizer (lower case, accents dropped, punctuation and each CJK
ideograph alone, then greedy longest pieces from a vocabulary). Linear in the text; nothing raises.
"""

import re
import unicodedata
from collections.abc import Sequence

UNKNOWN = "[UNK]"
START = "[CLS]"
END = "[SEP]"
PAD = "[PAD]"
# A longer run of letters is no word; the models never saw one.
MAX_WORD_CHARACTERS = 100
# Prompts repeat their words: remembering those makes it five times as fast. About 30 MB when full.
WORDS_REMEMBERED = 100_000

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


class WordPieces:
    """`vocabulary` lists the pieces; the number of a piece is its place. Not thread-safe only in that
    two threads may do the same work."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self._unknown = self._numbers[UNKNOWN]
        self._remembered: dict[str, tuple[int, ...]] = {}

    def number(self, piece: str) -> int:
        return self._numbers[piece]

    def pieces(self, text: str) -> list[int]:
        """The numbers of the pieces of `text`, without marks of start and end."""
        numbers: list[int] = []
        for word in words(text):
            known = self._remembered.get(word)
            numbers += self._remember(word) if known is None else known
        return numbers

    def _remember(self, word: str) -> tuple[int, ...]:
        if len(self._remembered) >= WORDS_REMEMBERED:
            self._remembered.clear()
        pieces = self._remembered[word] = tuple(self._split(word))
        return pieces

    def _split(self, word: str) -> list[int]:
        """Greedy: the longest piece first; one that is not known makes the whole word unknown."""
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


def words(text: str) -> list[str]:
    """Words and single punctuation marks, lower case, without accents."""
    if text.isascii():
        return _ASCII_WORDS.findall(text.translate(_ASCII_CONTROLS).lower())
    return "".join(map(_spaced, _plain(text))).split()


def _plain(text: str) -> str:
    kept = "".join(character for character in text if not _is_control(character))
    return "".join(c for c in unicodedata.normalize("NFD", kept.lower()) if unicodedata.category(c) != "Mn")


def _is_control(character: str) -> bool:
    if character in "\t\n\r":
        return False
    return character in "\0\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs")


def _spaced(character: str) -> str:
    """With spaces around what stands alone."""
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
