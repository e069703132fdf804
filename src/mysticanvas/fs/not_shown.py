"""Files of a folder that are not images or are excluded: counted by kind, so that no file is excluded silently."""

import os
import stat as modes
from collections.abc import Mapping

LINKS = "links"
SPECIAL = "special files"
OTHER = "other files"
EXCLUDED_FILES = "excluded files"
EXCLUDED_FOLDERS = "excluded folders"
# Further kinds are counted as other files, so that a report stays small whatever a folder contains.
MAX_KINDS = 40
_PLURAL = frozenset((LINKS, SPECIAL, OTHER, EXCLUDED_FILES, EXCLUDED_FOLDERS))
_LONGEST_ENDING = 8
# Files that operating systems put into every folder.
_SYSTEM_FILES = frozenset((b"thumbs.db", b"desktop.ini"))


def count(counts: dict[str, int], name: bytes, mode: int) -> None:
    """Count a file that is neither an image nor a sidecar."""
    if name.lower() not in _SYSTEM_FILES:
        _add(counts, _get_kind(name, mode), 1)


def count_excluded(counts: dict[str, int], *, files: int, folders: int) -> None:
    """Count images and folders that are excluded."""
    for kind, number in ((EXCLUDED_FILES, files), (EXCLUDED_FOLDERS, folders)):
        if number:
            _add(counts, kind, number)


def add_counts(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for kind, number in more.items():
        _add(counts, kind, number)


def describe(counts: Mapping[str, int]) -> str:
    """As in "12 PSD, 3 links", highest count first; "" for none."""
    most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number:,} {_make_singular(kind) if number == 1 else kind}" for kind, number in most_first)


def _add(counts: dict[str, int], kind: str, number: int) -> None:
    kind = kind if kind in counts or len(counts) < MAX_KINDS else OTHER
    counts[kind] = counts.get(kind, 0) + number


def _get_kind(name: bytes, mode: int) -> str:
    if modes.S_ISLNK(mode):
        return LINKS
    if not modes.S_ISREG(mode):
        return SPECIAL
    ending = os.path.splitext(name)[1][1:]
    return ending.decode().upper() if ending.isalnum() and len(ending) <= _LONGEST_ENDING else OTHER


def _make_singular(kind: str) -> str:
    return kind[:-1] if kind in _PLURAL else kind
