"""Extracts the natural-language part of a prompt, without syntax for generators."""

import re

# Longer prompts are truncated: both models use at most a few hundred tokens.
MAX_CHARACTERS = 4_000
# <lora:name:0.8>, <lyco:…>, <hypernet:…>: file references. The bound keeps matching linear.
_FILES = re.compile(r"<[a-z]{2,12}:[^<>]{0,200}>", re.IGNORECASE)
# The weight in (some words:1.2); the words are kept.
_WEIGHTS = re.compile(r":\s?-?\d{0,3}\.?\d{1,4}(?=\s?[)\]])")
_MARKS = str.maketrans("()[]{}|\\_", "         ")
_BREAKS = re.compile(r"\b(?:BREAK|AND)\b")


def extract_words(prompt: str) -> str:
    """The prompt without LoRA tags, weights and brackets; "" when nothing remains."""
    text = _FILES.sub(" ", prompt[:MAX_CHARACTERS])
    text = _BREAKS.sub(",", _WEIGHTS.sub(" ", text))
    return " ".join(text.translate(_MARKS).split())
