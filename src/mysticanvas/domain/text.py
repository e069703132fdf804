"""Normalizes external text for the database and for its word index."""

import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b

# Written without spaces between words: kana, CJK ideographs with their extensions, Hangul; Thai, Lao,
# Burmese and Khmer.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])"
)
# Syntax in prompts that is not words: <lora:name:0.8>, the weight in (word:1.2), [a:b:0.5] and (word)1.2. Each
# alternative starts with a different character and has a bound, so matching is linear.
_SYNTAX = re.compile(
    r"<[A-Za-z]{3,12}:[^<>]{0,400}>|:\s{0,3}[-+]?\d{0,4}\.?\d{1,6}\s{0,3}(?=[)\]])|\)[-+]?\d\.\d{1,4}", re.ASCII
)
# Also NovelAI's 1.2::words::, which takes four times as long to match.
_SYNTAX_AND_COLONS = re.compile(_SYNTAX.pattern + r"|(?<![\w.])-?\d{0,3}\.?\d{1,4}::", re.ASCII)
# Marks below this combining class are letters of their script (vowel signs, viramas, kana voicing);
# from it on they are accents and points, which a search ignores.
_FIRST_ACCENT = 10
_WORD = re.compile(r"[^\W_]+")


def clean_text(text: str) -> str:
    """Replaces what SQLite, JSON or UTF-8 cannot store: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def make_searchable(text: str | None) -> str | None:
    """The text as the word index stores it: without prompt syntax, and `folded`.

    A change to this function needs a migration that rebuilds the index.
    """
    if text is None:
        return None
    return fold_text(_select_syntax(text).sub(" ", text))


def _select_syntax(text: str) -> re.Pattern[str]:
    return _SYNTAX_AND_COLONS if "::" in text else _SYNTAX


def fold_text(text: str) -> str:
    """Removes case, accents and letter variants; puts spaces around each character of a script
    without spaces, so that a phrase of them is found anywhere."""
    if text.isascii():
        return text.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not _is_accent(c))
    return _UNSPACED.sub(r" \1 ", unicodedata.normalize("NFC", bare.casefold()))


def _is_accent(character: str) -> bool:
    return unicodedata.combining(character) >= _FIRST_ACCENT


def make_name_key(name: str) -> str:
    """The form of a name that is compared: case, underscores and repeated spaces do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().replace("_", " ").split())


def split_words(text: str) -> Iterator[str]:
    """The searchable words of a text, in order."""
    for found in _WORD.finditer(make_searchable(text) or ""):
        yield found[0]


def find_phrase(text: str, phrase: str) -> list[tuple[int, int]]:
    """The occurrences of a phrase in a text: [from, to) in characters, in order, without overlaps."""
    sought = _WORD.findall(fold_text(phrase))
    if not sought:
        return []
    have = list(_iter_word_positions(text))
    found = []
    at = 0
    while at + len(sought) <= len(have):
        if [word for word, _, _ in have[at : at + len(sought)]] == sought:
            found.append((have[at][1], have[at + len(sought) - 1][2]))
            at += len(sought)
        else:
            at += 1
    return found


def _iter_word_positions(text: str) -> Iterator[tuple[str, int, int]]:
    """(searchable word, from, to). Prompt syntax is skipped."""
    at = 0
    for syntax in [*_select_syntax(text).finditer(text), None]:
        end = syntax.start() if syntax else len(text)
        for chunk in re.finditer(r"[^\s_]+", text[at:end]):
            yield from _fold_chunk(chunk[0], at + chunk.start())
        at = syntax.end() if syntax else end


def _fold_chunk(chunk: str, offset: int) -> Iterator[tuple[str, int, int]]:
    """Folds each character with its marks separately, to keep its position."""
    letters: list[str] = []
    spots: list[tuple[int, int]] = []
    for match in re.finditer(r".[\u0300-\u036f]*", chunk, re.DOTALL):
        for letter in fold_text(match[0]):
            letters.append(letter)
            spots.append((offset + match.start(), offset + match.end()))
    for word in _WORD.finditer("".join(letters)):
        yield word[0], spots[word.start()][0], spots[word.end() - 1][1]


def hash_text(text: str) -> bytes:
    """A 16-byte BLAKE2b hash that identifies a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
