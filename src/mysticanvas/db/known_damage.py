"""What is known to be damaged in a database, and the sentences that say so on every page and in the terminal.

Damaged pages of tables are remembered in the database and in its backups: a damaged page that is written again gets the
checksum of its damaged content. They are only forgotten with the database, when another one is restored or rebuilt.
"""

import json
from collections.abc import Sequence
from threading import Lock

from mysticanvas.db import page_damage
from mysticanvas.db.connections import ReadTx, WriteTx
from mysticanvas.db.io_errors import WAYS_OUT
from mysticanvas.db.page_damage import Check
from mysticanvas.db.problems import Problems

# The setting with the details of all damaged pages of tables so far.
SETTING = "writer.damage"
SOURCE = "damage"
INDEX_SOURCE = "damaged indexes"
# The checks that find damage which only a backup or a rebuild can repair, and those that `doctor --fix` repairs.
LOST = (page_damage.NAME, "pages", "texts")
REPAIRABLE = ("indexes", "word index")
MAX_KEPT = 10


def describe(details: str) -> str:
    """The sentences for damage that cannot be repaired from other data."""
    return (
        f"The database is damaged ({details}). Some ratings, tags, notes or prompts may be wrong or missing. The "
        f"journal is not rewritten from the damaged database. {WAYS_OUT}"
    )


def read_kept(tx: ReadTx) -> list[str]:
    """The details of the damaged pages that are remembered."""
    found = tx.value("SELECT value_json FROM settings WHERE name = :name", name=SETTING)
    return [str(one) for one in json.loads(found)] if found else []


def keep(tx: WriteTx, detail: str) -> bool:
    """Remember damaged pages. Returns whether they were not remembered yet."""
    kept = read_kept(tx)
    if detail in kept:
        return False
    tx.run(
        "INSERT OR REPLACE INTO settings (name, value_json) VALUES (:name, :value)",
        name=SETTING,
        value=json.dumps([*kept, detail][-MAX_KEPT:]),
    )
    return True


def merge_kept(kept: Sequence[str], found: Sequence[Check]) -> list[Check]:
    """The failed checks at the opening of a database."""
    details = dict.fromkeys([*kept, *(check.detail for check in found)])
    return [Check(page_damage.NAME, False, "; ".join(details))] if details else []


class KnownDamage:
    """Thread-safe. `failed` are the failed checks of the last look, and those of `at_open`, which stay."""

    def __init__(self, at_open: Sequence[Check], problems: Problems) -> None:
        self._lock = Lock()
        self._problems = problems
        self._failed = {check.name: check for check in at_open}
        self._report()

    @property
    def failed(self) -> list[Check]:
        with self._lock:
            return list(self._failed.values())

    @property
    def loses_data(self) -> bool:
        """Whether there is damage that cannot be repaired from other data."""
        return any(check.name in LOST for check in self.failed)

    @property
    def affects_rows(self) -> bool:
        """Whether rows may be wrong, or missing from what is read through an index."""
        return any(check.name in (*LOST, "indexes") for check in self.failed)

    def note(self, checks: Sequence[Check]) -> str | None:
        """Note the result of checks. Returns the details of damaged pages to be remembered, None without any."""
        found: str | None = None
        with self._lock:
            for check in checks:
                if check.name == page_damage.NAME:
                    found = check.detail if self._add_pages(check) else found
                elif check.ok:
                    self._failed.pop(check.name, None)
                elif check.name in (*LOST, *REPAIRABLE):
                    self._failed[check.name] = check
        self._report()
        return found

    def _add_pages(self, check: Check) -> bool:
        """Returns whether these pages were not known yet."""
        known = self._failed.get(check.name)
        if check.ok or (known is not None and check.detail in known.detail):
            return False
        detail = check.detail if known is None else f"{known.detail}; {check.detail}"
        self._failed[check.name] = Check(check.name, False, detail)
        return True

    def _report(self) -> None:
        failed = self.failed
        # The details of an error of SQLite end with what to do.
        lost = "; ".join(check.detail.replace(WAYS_OUT, "").strip(" .") for check in failed if check.name in LOST)
        repairable = "; ".join(f"{check.name}: {check.detail}" for check in failed if check.name in REPAIRABLE)
        self._problems.report(SOURCE, describe(lost) if lost else None)
        sentence = f"Indexes of the database are damaged ({repairable}). To repair them, run: mysticanvas doctor --fix"
        self._problems.report(INDEX_SOURCE, sentence if repairable and not lost else None)
