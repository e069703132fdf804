"""Says which tables and indexes have pages that are not what MystiCanvas wrote (`page_sums.py`)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.connections import ReadTx
from mysticanvas.db.io_errors import DISK_ERRORS

NAME = "checksums"
_WORD_INDEX = "generations_fts_"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check. `detail` describes the problem, or what was checked."""

    name: str
    ok: bool
    detail: str


def describe(tx: ReadTx, pages: list[int]) -> list[Check]:
    """Returns one check for pages that only a backup can restore, and one for each kind of damaged index, which can be
    rebuilt."""
    where: dict[str, Counter[str]] = {}
    for check, owner in _find_owners(tx, pages) if pages else []:
        where.setdefault(check, Counter())[owner] += 1
    lost = where.pop(NAME, Counter())
    found = [Check(NAME, not lost, _say(lost) if lost else "every page matches its checksum")]
    return found + [Check(name, False, _say(owners)) for name, owners in where.items()]


def merge(checks: Sequence[Check], more: Sequence[Check]) -> list[Check]:
    """Merges two lists of checks. If both contain a check with the same name, a failed check takes precedence."""
    merged = {check.name: check for check in checks}
    for check in more:
        if check.name not in merged or merged[check.name].ok:
            merged[check.name] = check
    return list(merged.values())


def _say(owners: Counter[str]) -> str:
    pages = ", ".join(f"{owner} ({count:,})" for owner, count in owners.most_common(5))
    return f"pages that do not match their checksums: {pages}"


def _find_owners(tx: ReadTx, pages: list[int]) -> list[tuple[str, str]]:
    """(check, table or index) for each page that is in use. The content of a free page does not matter."""
    try:
        indexes = set(tx.column("SELECT name FROM sqlite_schema WHERE type = 'index'"))
        owner = {row[0]: row[1] for row in tx.rows("SELECT pageno, name FROM dbstat")}
    except (*DISK_ERRORS, UnicodeDecodeError):
        return [(NAME, f"page {page:,}") for page in pages]
    return [(_get_check(owner[page], indexes), owner[page]) for page in pages if page in owner]


def _get_check(owner: str, indexes: set[str]) -> str:
    if owner in indexes:
        return "indexes"
    return "word index" if owner.startswith(_WORD_INDEX) else NAME
