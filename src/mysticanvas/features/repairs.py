"""The registry of checks and repairs. Repairs rebuild derived data and never change what the user set: ratings, tags,
notes. Features provide them; `doctor` runs them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mysticanvas.db import checks as db_checks
from mysticanvas.db.checks import LOCK
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.page_damage import Check
from mysticanvas.fs.thumbnail_cache import ThumbCache


@dataclass(frozen=True, slots=True)
class Repair:
    """`repair(tx, now_ms)` repairs what any of these checks (names from `run_checks`) reports; `label` says what it
    does, such as “rebuild the word index”. `only_if_intact`: it replaces data outside the database, which may be the
    only good copy, so it is not run while a check fails that has no repair."""

    checks: tuple[str, ...]
    label: str
    repair: Callable[[WriteTx, int], None]
    only_if_intact: bool = False


@dataclass(frozen=True, slots=True)
class Cleanup:
    """Removes unused files, which no check reports. `describe` says what `clean` would do, such as “remove orphaned
    thumbnails (3)”, or returns None if there is nothing to remove."""

    what: str
    describe: Callable[[Database, ThumbCache], str | None]
    clean: Callable[[Database, ThumbCache], None]


_REPAIRS: list[Repair] = []
_CLEANUPS: list[Cleanup] = []
_CHECKS: list[Callable[[Database], Check]] = []


def register(
    repairs: Sequence[Repair], cleanups: Sequence[Cleanup], checks: Sequence[Callable[[Database], Check]]
) -> None:
    """Replaces all registered repairs, cleanups and checks."""
    _REPAIRS[:], _CLEANUPS[:], _CHECKS[:] = repairs, cleanups, checks


def run_checks(database: Database) -> list[Check]:
    """Runs the checks of the database and those of the features."""
    return db_checks.run_all(database) + [check(database) for check in _CHECKS]


def find_repair(check: str) -> Repair | None:
    """The repair for the check of this name, None when there is none."""
    return next((repair for repair in _REPAIRS if check in repair.checks), None)


def list_lost(checks: Sequence[Check]) -> list[Check]:
    """The failed checks of data that no repair can make again: only a backup or a rebuild helps."""
    return [check for check in checks if not check.ok and check.name != LOCK and find_repair(check.name) is None]


def list_cleanups() -> Sequence[Cleanup]:
    return _CLEANUPS
