"""Suggested tags, each with the known tags that it resembles. Nothing is merged automatically."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from mysticanvas.db.database import ReadTx
from mysticanvas.features.tags import queries

MAX_SUGGESTIONS = 200
MIN_SIMILARITY = 0.85
_MARKS = re.compile(r"[\s\-_'’.]+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`images` counts the images it was suggested for; `similar` are names of known tags, best match first."""

    name: str
    origin: str
    images: int
    similar: list[str]


def list_suggestions(tx: ReadTx) -> list[Suggestion]:
    """At most `MAX_SUGGESTIONS`, those suggested for the most images first."""
    suggested = queries.list_suggested(tx, limit=MAX_SUGGESTIONS)
    if not suggested:
        return []
    similar_names = SimilarNames([name for name, _ in queries.list_known(tx)])
    return [Suggestion(tag.name, tag.origin, images, similar_names.find(tag.name)) for tag, images in suggested]


class SimilarNames:
    """Finds names that differ only in number, punctuation, word order, or a letter or two."""

    def __init__(self, known: Iterable[str]) -> None:
        self._by_form: dict[str, list[str]] = {}
        self._by_beginning: dict[str, list[str]] = {}
        for name in known:
            for form in list_forms(name):
                self._by_form.setdefault(form, []).append(name)
            self._by_beginning.setdefault(name.casefold()[:3], []).append(name)

    def find(self, name: str) -> list[str]:
        same = [known for form in list_forms(name) for known in self._by_form.get(form, ())]
        nearby = self._by_beginning.get(name.casefold()[:3], [])
        close = get_close_matches(name, nearby, 3, MIN_SIMILARITY) if len(name) > 4 else []
        return [one for one in dict.fromkeys([*same, *close]) if one != name]


def list_forms(name: str) -> set[str]:
    words = [_singularize(word) for word in _MARKS.split(name.casefold()) if word]
    return {"".join(words), " ".join(sorted(words))}


def _singularize(word: str) -> str:
    """A rough English singular: good enough for candidates, as the user decides."""
    for ending, instead in (("ies", "y"), ("ves", "f"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word
