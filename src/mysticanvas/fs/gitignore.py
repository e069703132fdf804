"""Patterns with the syntax of .gitignore, matched in about linear time.

pathspec translates each pattern to a regular expression that tries every combination of what its stars may match. With
seventeen stars, one long name takes years, and Python can do nothing else meanwhile, not even stop. Here, every star
but the last takes the shortest text that lets the part behind it match, and keeps it: a later place for that part would
leave less for the rest of the pattern, so it could never match more.
"""

import re
from collections.abc import Iterable
from typing import AnyStr

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

GitIgnorePatterns = GitIgnoreSpec

# What pathspec writes for "?", "*" and "**", and for "**" at the beginning. Neither can be part of the other text:
# that is escaped, and has no "/" in a set of characters.
_ONE, _STAR, _FOLDERS, _FIRST_FOLDERS = "[^/]", "[^/]*", "(?:/.+)?", "^(?:.+/)?"
# Stand for "*" and "?" while the expression is changed. No pattern contains them.
_STAR_MARK, _ONE_MARK = "\0", "\1"
_EARLIER_STAR = re.compile(f"{_STAR_MARK}([^{_STAR_MARK}/]+)(?={_STAR_MARK})")


class _LinearPattern(GitIgnoreSpecPattern):
    __slots__ = ()

    @classmethod
    def pattern_to_regex(cls, pattern: AnyStr) -> tuple[AnyStr | None, bool | None]:
        expression, include = super().pattern_to_regex(pattern)
        if isinstance(expression, str):
            expression = make_linear(expression)
        return expression, include


def compile_patterns(lines: Iterable[str]) -> GitIgnorePatterns:
    """Raises `ValueError` for a line that is not a pattern."""
    # Other backends, which pathspec prefers where they are installed, have no atomic groups.
    return GitIgnoreSpec.from_lines(lines, _LinearPattern, backend="simple")


def make_linear(expression: str) -> str:
    """An expression of pathspec, without backtracking from one star into another."""
    text = expression.replace(_STAR, _STAR_MARK).replace(_ONE, _ONE_MARK)
    text = re.sub(f"{_STAR_MARK}+", _STAR_MARK, text)
    text = _EARLIER_STAR.sub(rf"(?>{_STAR_MARK}?\1)", text)
    *earlier, last = text.replace(_STAR_MARK, _STAR).replace(_ONE_MARK, _ONE).split(_FOLDERS)
    return "".join(_fix_folders(part, index) for index, part in enumerate(earlier)) + (
        _FOLDERS + last if earlier else last
    )


def _fix_folders(part: str, index: int) -> str:
    """The part of an expression up to the next "**", which begins with "/"."""
    if index == 0:
        rest = part.removeprefix(_FIRST_FOLDERS)
        return part if rest == part else f"^(?>(?:.+?/)??{rest}(?=/))"
    return f"(?>(?:/.+?)??{part}(?=/))"
