"""Names of tags (T10)."""

import re
import unicodedata

MAX_NAME = 170
_GAPS = re.compile(r"[\s_]+")


def display_name(name: str) -> str | None:
    """The name as it is shown; None for one that cannot be a tag: empty, too long, or with characters
    that steer a terminal or the direction of writing."""
    shown = " ".join(name.split())
    if not shown or len(shown) > MAX_NAME or any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") for c in shown):
        return None
    return shown


def normalized_name(name: str) -> str:
    """What a name is compared by: compatible forms, case, gaps and underscores make no difference."""
    folded = name
    # Folding can bring forth what is to be folded; twice is enough for every character there is.
    for _ in range(2):
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    return _GAPS.sub(" ", folded).strip()
