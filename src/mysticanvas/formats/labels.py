"""Parses texts in which each label is followed by its value."""

import re
from collections.abc import Iterable


def parse_labels(text: str, marks: Iterable[re.Match[str]]) -> dict[str, str]:
    """Map each label to the text up to the next label; the first occurrence of a label counts.

    `marks` are matches of labels (group 1) in text order. They are not collected in a list, because the garbage
    collector would traverse it repeatedly and make the time quadratic.
    """
    found: dict[str, str] = {}
    label, begin = None, 0
    for mark in marks:
        if label is not None and label not in found:
            found[label] = text[begin : mark.start()]
        label, begin = mark[1], mark.end()
    if label is not None:
        found.setdefault(label, text[begin:])
    return found
