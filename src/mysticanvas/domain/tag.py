"""Tags: valid names, and who may assign them."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.domain.query import SYNONYMS, Field

TagId = NewType("TagId", int)

MAX_NAME = 170
# Keywords and fields of the query language: a tag with such a name could not be searched for.
_RESERVED = frozenset(("and", "or", "not"))
# Without “nsfw”: libraries from before it was a field may contain such tags.
_FIELDS = (frozenset(Field) | SYNONYMS.keys()) - {Field.EXPLICIT.written}
_BLANKS = re.compile(r"[\s_]+")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class TagSource(StrEnum):
    """Who assigned the tag."""

    USER = "user"
    PROMPT = "prompt"
    LLM = "llm"
    VISION = "vision"
    IMPORT = "import"


class TagState(StrEnum):
    """PROPOSED: suggested by a model, not yet accepted into the vocabulary."""

    KNOWN = "known"
    PROPOSED = "proposed"


@dataclass(frozen=True, slots=True)
class TagName:
    """`shown` is the name as written, `key` the form that is compared: equal keys are the same tag."""

    shown: str
    key: str


def parse_tag_name(text: str) -> TagName:
    """Raises `InvalidInputError` with the rule that the name breaks."""
    shown = re.sub(r" +", " ", text.strip())
    if not shown or not (key := make_tag_key(shown)):
        raise InvalidInputError("A tag name cannot be empty.")
    if len(shown) > MAX_NAME or len(key) > MAX_NAME:
        raise InvalidInputError(f"A tag name can have at most {MAX_NAME} characters.")
    if any(_is_control(character) for character in shown):
        raise InvalidInputError("A tag name cannot contain control characters.")
    if key in _RESERVED:
        raise InvalidInputError(f"“{shown}” is a search keyword. Add another word to the tag name.")
    field, colon, _ = key.partition(":")
    if colon and field.strip() in _FIELDS:
        raise InvalidInputError(f"“{field}:” is a search field, so a tag name cannot begin with it.")
    if key[0] == "-" or any(character in key for character in ',"*'):
        raise InvalidInputError(
            "A tag name cannot begin with a minus sign or contain a comma, a quotation mark or an asterisk."
        )
    return TagName(shown, key)


def make_tag_key(text: str) -> str:
    """NFKC, case folded, runs of spaces and underscores as one space. Idempotent."""
    key = text
    # Case folding can undo normalization and the other way round; repeat until the text is stable.
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
    """One source's claim that an image has a tag, or with `decision` False that it does not."""

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
    """`category` is a `MachineTagCategory`, or a category of the model; None: no category. `confidence` is 0 to 1."""

    name: str
    category: str | None
    confidence: float
