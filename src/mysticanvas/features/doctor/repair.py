"""Repairs of derived data after a failed check. They never change what the user set: ratings, tags, notes."""

from dataclasses import dataclass

from mysticanvas.db import event_log, reindex
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import generations, word_index
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
    failed = [check.name for check in repairs.run_checks(database) if not check.ok]
    found = [RepairEntry(name, repair.label) for name in failed if (repair := repairs.find_repair(name)) is not None]
    cleanups = [(cleanup.what, cleanup.describe(database, cache)) for cleanup in repairs.list_cleanups()]
    return found + [RepairEntry(what, label) for what, label in cleanups if label is not None]


def run_repairs(database: Database, cache: ThumbCache, *, now_ms: int) -> list[RepairEntry]:
    """Run all repairs that are needed and return them. Run the checks again to see whether they were sufficient."""
    found = find_repairs(database, cache)
    needed = (repairs.find_repair(one.what) for one in found)
    for repair in dict.fromkeys(repair for repair in needed if repair is not None):
        database.write(repair.repair, now_ms)
    for cleanup in repairs.list_cleanups():
        cleanup.clean(database, cache)
    for one in found:
        database.write(_record, one, now_ms=now_ms)
    return found


def _record(tx: WriteTx, one: RepairEntry, *, now_ms: int) -> None:
    event_log.append(tx, level="info", kind="mended", subject=one.what, data={"action": one.action}, now_ms=now_ms)
