"""Repairs of derived data after a failed check. They never change what the user set: ratings, tags, notes."""

from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db import event_log, reindex
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import generations, word_index
from mysticanvas.db.page_damage import Check
from mysticanvas.features import repairs
from mysticanvas.features.repairs import Repair
from mysticanvas.fs.thumbnail_cache import ThumbCache


@dataclass(frozen=True, slots=True)
class RepairEntry:
    """`what` is the failed check; `action` says what its repair does, such as “rebuild the word index”."""

    what: str
    action: str


# For tables that belong to no single feature.
REPAIRS = (
    Repair(("word index", "search"), "rebuild the word index", lambda tx, now_ms: word_index.rebuild_index(tx)),
    Repair(
        ("gallery index",),
        "rebuild the gallery index",
        lambda tx, now_ms: generations.rebuild_grid(tx),
    ),
    Repair(("indexes",), "rebuild the indexes of all tables", lambda tx, now_ms: reindex.rebuild_indexes(tx)),
)


def find_repairs(database: Database, cache: ThumbCache) -> list[RepairEntry]:
    """The repairs that `run_repairs` would run. Changes nothing."""
    found = [RepairEntry(name, repair.label) for name, repair in _find_needed(repairs.run_checks(database))]
    cleanups = [(cleanup.what, cleanup.describe(database, cache)) for cleanup in repairs.list_cleanups()]
    return found + [RepairEntry(what, label) for what, label in cleanups if label is not None]


def run_repairs(database: Database, cache: ThumbCache, *, now_ms: int) -> list[RepairEntry]:
    """Run all repairs that are needed and return them. Run the checks again to see whether they were sufficient."""
    found = find_repairs(database, cache)
    first = [(one.what, repair) for one in found if (repair := repairs.find_repair(one.what)) is not None]
    _run(database, [repair for _, repair in first if not repair.only_if_intact], now_ms)
    if any(repair.only_if_intact for _, repair in first):
        # With the indexes rebuilt, the database is compared again with what would be replaced.
        needed = dict(_find_needed(repairs.run_checks(database)))
        found = [one for one in found if not _is_dropped(one, needed)]
        _run(database, [repair for repair in needed.values() if repair.only_if_intact], now_ms)
    for cleanup in repairs.list_cleanups():
        cleanup.clean(database, cache)
    for one in found:
        database.write(_record, one, now_ms=now_ms)
    return found


def _find_needed(checks: Sequence[Check]) -> list[tuple[str, Repair]]:
    """The name and the repair of each failed check that has one."""
    failed = [check.name for check in checks if not check.ok]
    found = [(name, repair) for name in failed if (repair := repairs.find_repair(name)) is not None]
    is_lost = bool(repairs.list_lost(checks))
    return [(name, repair) for name, repair in found if not (repair.only_if_intact and is_lost)]


def _run(database: Database, needed: Sequence[Repair], now_ms: int) -> None:
    for repair in dict.fromkeys(needed):
        database.write(repair.repair, now_ms)


def _is_dropped(one: RepairEntry, needed: dict[str, Repair]) -> bool:
    """Whether a repair that replaces other data is not needed after the others."""
    repair = repairs.find_repair(one.what)
    return repair is not None and repair.only_if_intact and one.what not in needed


def _record(tx: WriteTx, one: RepairEntry, *, now_ms: int) -> None:
    event_log.append(tx, level="info", kind="mended", subject=one.what, data={"action": one.action}, now_ms=now_ms)
