"""Texts of labels, each followed by its value, as far as the next label."""

import re
from collections.abc import Iterable


def labelled(text: str, marks: Iterable[re.Match[str]]) -> dict[str, str]:
    """Label (group 1 of its mark) to what stands behind it; of a label that is repeated, the first.

    `marks` come in the order of the text. Few of many are kept, so that the time stays linear: the
    collector of garbage looks again at everything that is held.
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
