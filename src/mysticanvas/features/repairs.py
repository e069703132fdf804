"""The registry of repairs, which rebuild derived data and never change what the user set: ratings, tags, notes.
Features provide them; `doctor` runs them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.fs.thumbnail_cache import ThumbCache


@dataclass(frozen=True, slots=True)
class Repair:
    """`repair(tx, now_ms)` repairs what any of these checks (names from `db/checks.py`) reports; `label` says what it
    does, such as “rebuild the word index”."""

    checks: tuple[str, ...]
    label: str
    repair: Callable[[WriteTx, int], None]


@dataclass(frozen=True, slots=True)
class Cleanup:
    """Removes unused files, which no check reports. `describe` says what `clean` would do, such as “remove orphaned
    thumbnails (3)”, or returns None if there is nothing to remove."""

    what: str
    describe: Callable[[Database, ThumbCache], str | None]
    clean: Callable[[Database, ThumbCache], None]


_REPAIRS: list[Repair] = []
_CLEANUPS: list[Cleanup] = []


def register(repairs: Sequence[Repair], cleanups: Sequence[Cleanup]) -> None:
    """Replaces all registered repairs and cleanups."""
    _REPAIRS[:], _CLEANUPS[:] = repairs, cleanups


def find_repair(check: str) -> Repair | None:
    """The repair for the check of this name, None when there is none."""
    return next((repair for repair in _REPAIRS if check in repair.checks), None)


def list_cleanups() -> Sequence[Cleanup]:
    return _CLEANUPS
