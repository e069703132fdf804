"""Tags: what a name may be, and who may say that an image has one."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.query import SYNONYMS, Field

TagId = NewType("TagId", int)

MAX_NAME = 170
# Words and fields of the query language: a tag of that name could not be searched for.
_RESERVED = frozenset(("and", "or", "not"))
_FIELDS = frozenset(Field) | SYNONYMS.keys()
_BLANKS = re.compile(r"[\s_]+")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class TagSource(StrEnum):
    """Who says so."""

    USER = "user"
    PROMPT = "prompt"
    LLM = "llm"
    VISION = "vision"
    IMPORT = "import"


class TagState(StrEnum):
    """PROPOSED: a machine's word that nobody has taken into the vocabulary."""

    KNOWN = "known"
    PROPOSED = "proposed"


@dataclass(frozen=True, slots=True)
class TagName:
    """`shown` as it was written, `key` as it is compared: equal keys are one tag (T10)."""

    shown: str
    key: str


def tag_name(text: str) -> TagName:
    """Raises `InvalidInputError` with what is wrong."""
    shown = re.sub(r" +", " ", text.strip())
    if not shown or not (key := key_of(shown)):
        raise InvalidInputError("A tag needs a name.")
    if len(shown) > MAX_NAME or len(key) > MAX_NAME:
        raise InvalidInputError(f"The name of a tag is at most {MAX_NAME} characters long.")
    if any(_is_control(character) for character in shown):
        raise InvalidInputError("The name of a tag may hold no control characters.")
    if key in _RESERVED:
        raise InvalidInputError(f"“{shown}” is a word of the search; put another word beside it.")
    field, colon, _ = key.partition(":")
    if colon and field.strip() in _FIELDS:
        raise InvalidInputError(f"“{field}:” is a field of the search, so no tag can begin with it.")
    if key[0] == "-" or any(character in key for character in ',"*'):
        raise InvalidInputError("The name of a tag may not begin with a minus or hold a comma, a quote or an asterisk.")
    return TagName(shown, key)


def key_of(text: str) -> str:
    """NFKC, case folded, blanks and underscores as one blank. `key_of(key_of(x)) == key_of(x)`."""
    key = text
    # Folding can undo what normalising did, and the other way round; both settle at once or after a turn.
    for _ in range(3):
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold())
        if folded == key:
            break
        key = folded
    return _BLANKS.sub(" ", key).strip()


def _is_control(character: str) -> bool:
    return character in _BIDI or unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class Assertion:
    """One said that an image has a tag (`decision`), or that it has not."""

    source: TagSource
    decision: bool = True
    confidence: float | None = None
    run: str = ""


class MachineTagCategory(StrEnum):
    SUBJECT = "subject"
    STYLE = "style"
    MOOD = "mood"
    LIGHTING = "lighting"
    PALETTE = "palette"


@dataclass(frozen=True, slots=True)
class MachineTag:
    """`category` is a `MachineTagCategory`, or one of the model's own; None: it has none. `confidence` is 0 to 1."""

    name: str
    category: str | None
    confidence: float
