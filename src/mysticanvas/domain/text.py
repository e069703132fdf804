"""Text from outside, made fit for the database and for its word index."""

import re
from hashlib import blake2b

# Kana, CJK ideographs with their extensions, Hangul: written without spaces between words.
_UNSPACED = re.compile(
    "([\u2e80-\u2fdf\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff])"
)


def clean(text: str) -> str:
    """Without what SQLite, JSON or UTF-8 cannot carry: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def searchable(text: str | None) -> str | None:
    """As the word index sees it: each character of a script without spaces stands alone, so that a
    phrase of them is found anywhere."""
    if text is None or text.isascii():
        return text
    return _UNSPACED.sub(r" \1 ", text)


def content_hash(text: str) -> bytes:
    """16 bytes that name a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
