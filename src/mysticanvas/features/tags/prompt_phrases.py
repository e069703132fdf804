"""Phrases of a prompt that can become tags: the text between commas, without prompt syntax."""

import re

MAX_WORDS = 4
MAX_CHARACTERS = 40
MAX_PHRASES = 75
# Only the beginning of a prompt is read; no generator uses more.
MAX_PROMPT = 20_000

_NETWORK = re.compile(r"<[^<>]{0,200}>")
_WEIGHT = re.compile(r"[:：]\s*-?\d*\.?\d+\s*(?=[)\]}]|$)")
_KEYWORDS = re.compile(r"(?:\b(?:BREAK|AND|ADDROW|ADDCOL|ADDCOMM|ADDBASE)\b)|[,，、;\n|]")
_STEPS = re.compile(r":\s*\d*\.?\d+\s*$")
_BRACKETS = str.maketrans("", "", "()[]{}")
_ESCAPED = {"\\(": "\ue000", "\\)": "\ue001", "\\[": "\ue002", "\\]": "\ue003"}


def extract_phrases(prompt: str) -> list[str]:
    """The phrases in order of appearance, each once, as written. Takes time linear in the length of the prompt."""
    text = _NETWORK.sub(",", prompt[:MAX_PROMPT])
    for written, stand_in in _ESCAPED.items():
        text = text.replace(written, stand_in)
    text = _WEIGHT.sub("", text)
    found: dict[str, None] = {}
    for part in _KEYWORDS.split(text):
        phrase = _clean(part)
        if phrase is not None:
            found.setdefault(phrase)
            if len(found) == MAX_PHRASES:
                break
    return list(found)


def _clean(part: str) -> str | None:
    bare = _STEPS.sub("", part.translate(_BRACKETS))
    for written, stand_in in _ESCAPED.items():
        bare = bare.replace(stand_in, written[1])
    words = bare.split()
    phrase = " ".join(words).strip(" .:\"'")
    fits = 0 < len(words) <= MAX_WORDS and 1 < len(phrase) <= MAX_CHARACTERS
    return phrase if fits and any(character.isalpha() for character in phrase) else None
