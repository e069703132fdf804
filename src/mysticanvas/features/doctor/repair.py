"""What a check finds wrong and can be made again from what is sound: nothing that a person wrote is touched."""

from dataclasses import dataclass

from mysticanvas.db import checks, event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import generations, word_index
from mysticanvas.features import repairs
from mysticanvas.features.repairs import Repair
from mysticanvas.imaging.thumbnail_cache import ThumbCache


@dataclass(frozen=True, slots=True)
class Mended:
    """`what` was wrong, and `deed` is what makes it right."""

    what: str
    deed: str


# Of what every feature reads, and none brings.
REPAIRS = (
    Repair(("word index", "search"), "The word index is made again.", lambda tx, now_ms: word_index.rebuild(tx)),
    Repair(
        ("the grid's table is what it is defined to be",),
        "The grid's table is made again.",
        lambda tx, now_ms: generations.rebuild_grid(tx),
    ),
)


def look(database: Database, cache: ThumbCache) -> list[Mended]:
    """What `mend` would do; nothing is changed."""
    failed = [check.name for check in checks.run_all(database) if not check.ok]
    found = [Mended(name, repair.label) for name in failed if (repair := repairs.find_repair(name)) is not None]
    looked = [(cleanup.what, cleanup.look(database, cache)) for cleanup in repairs.all_cleanups()]
    return found + [Mended(what, label) for what, label in looked if label is not None]


def mend(database: Database, cache: ThumbCache, *, now_ms: int) -> list[Mended]:
    """Does what can be done, and says what it did; a check afterwards says whether it was enough."""
    found = look(database, cache)
    wanted = (repairs.find_repair(one.what) for one in found)
    for repair in dict.fromkeys(repair for repair in wanted if repair is not None):
        database.write(repair.mend, now_ms)
    for cleanup in repairs.all_cleanups():
        cleanup.clean(database, cache)
    for one in found:
        database.write(_note, one, now_ms=now_ms)
    return found


def _note(tx: WriteTx, one: Mended, *, now_ms: int) -> None:
    event_log.append(tx, level="info", kind="mended", subject=one.what, data={"deed": one.deed}, now_ms=now_ms)
