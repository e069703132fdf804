"""What can be made again from what is sound: nothing that a person wrote is touched. Each feature brings its own
repairs; `doctor` does them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.imaging.thumbnail_cache import ThumbCache


@dataclass(frozen=True, slots=True)
class Repair:
    """`mend(tx, now_ms)` puts right what any of these checks (`db/checks.py`, by name) finds wrong; `label` is what
    it does, as a sentence."""

    checks: tuple[str, ...]
    label: str
    mend: Callable[[WriteTx, int], None]


@dataclass(frozen=True, slots=True)
class Cleanup:
    """Files that nothing needs, which no check looks for. `look` says in a sentence what `clean` would remove, None
    for nothing."""

    what: str
    look: Callable[[Database, ThumbCache], str | None]
    clean: Callable[[Database, ThumbCache], None]


_REPAIRS: list[Repair] = []
_CLEANUPS: list[Cleanup] = []


def register(repairs: Sequence[Repair], cleanups: Sequence[Cleanup]) -> None:
    """In place of all that were registered before."""
    _REPAIRS[:], _CLEANUPS[:] = repairs, cleanups


def find_repair(check: str) -> Repair | None:
    """What puts right what the check of this name finds."""
    return next((repair for repair in _REPAIRS if check in repair.checks), None)


def all_cleanups() -> Sequence[Cleanup]:
    return _CLEANUPS
