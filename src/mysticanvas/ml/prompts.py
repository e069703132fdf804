"""What a prompt says, without the marks that steer a generator."""

import re

# Longer prompts are cut: both models look at some hundred pieces, and a text of megabytes is no prompt.
MAX_CHARACTERS = 4_000
# <lora:name:0.8>, <lyco:…>, <hypernet:…>: files, not words. Bounded, so that it stays linear.
_FILES = re.compile(r"<[a-z]{2,12}:[^<>]{0,200}>", re.IGNORECASE)
# The weight of (these words:1.2); the words stay.
_WEIGHTS = re.compile(r":\s?-?\d{0,3}\.?\d{1,4}(?=\s?[)\]])")
_MARKS = str.maketrans("()[]{}|\\_", "         ")
_BREAKS = re.compile(r"\b(?:BREAK|AND)\b")


def spoken(prompt: str) -> str:
    """The words of a prompt in their order; "" when there are none."""
    text = _FILES.sub(" ", prompt[:MAX_CHARACTERS])
    text = _BREAKS.sub(",", _WEIGHTS.sub(" ", text))
    return " ".join(text.translate(_MARKS).split())
