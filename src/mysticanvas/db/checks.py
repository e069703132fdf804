"""The consistency checks of a library."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources

import apsw

from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import word_index
from mysticanvas.db.io_errors import DISK_ERRORS
from mysticanvas.db.lock import LibraryLock
from mysticanvas.db.schema import load_migrations
from mysticanvas.domain.errors import LibraryBusyError

# Reading a million rows takes seconds, and no page waits for the result.
CHECK_LIMIT_MS = 300_000


@dataclass(frozen=True, slots=True)
class Check:
    """`detail` is what is wrong, or what was checked."""

    name: str
    ok: bool
    detail: str


def run_all(database: Database) -> list[Check]:
    """Runs every check. Reads the whole database and changes nothing."""
    # On a connection with cached state, the self-check of the word index reports damage where there is none
    # (SQLite 3.54).
    checks = database.read_on_new_connection(CHECK_LIMIT_MS, _read_only)
    checks.append(_check_word_index(database))
    checks.append(database.read_within(CHECK_LIMIT_MS, partial(_run_check, "search", _check_search)))
    checks.append(_check_lock(database))
    return checks


def _read_only(tx: ReadTx) -> list[Check]:
    found = [_run_check("pages", _check_pages, tx), _run_check("schema version", _check_schema, tx)]
    found.append(_run_check("foreign keys", _check_foreign_keys, tx))
    return found + [_run_check(name, partial(_check_invariant, name, sql), tx) for name, sql in load_invariants()]


def _run_check(name: str, look: Callable[[ReadTx], Check], tx: ReadTx) -> Check:
    """A check that cannot read the database fails."""
    try:
        return look(tx)
    except (*DISK_ERRORS, UnicodeDecodeError) as error:
        return Check(name, False, f"cannot be read: {error}")


def _check_pages(tx: ReadTx) -> Check:
    answers = tx.column("PRAGMA quick_check(5)")
    return Check("pages", answers == ["ok"], "quick_check: " + "; ".join(map(str, answers)))


def _check_schema(tx: ReadTx) -> Check:
    version = tx.value("PRAGMA user_version")
    return Check("schema version", version == len(load_migrations()), f"version {version} of {len(load_migrations())}")


def _check_foreign_keys(tx: ReadTx) -> Check:
    broken = tx.all("PRAGMA foreign_key_check")
    detail = f"rows with invalid references: {len(broken):,}" if broken else "all references are valid"
    return Check("foreign keys", not broken, detail)


def _check_invariant(name: str, sql: str, tx: ReadTx) -> Check:
    rows = tx.column(sql)
    return Check(name, not rows, f"invalid rows: {len(rows):,}, such as {rows[:3]}" if rows else "no invalid rows")


def load_invariants() -> list[tuple[str, str]]:
    """(rule, query for the rows that violate it)."""
    text = (resources.files("mysticanvas.db") / "invariants.sql").read_text("utf-8")
    parts = text.split("-- name: ")[1:]
    return [(name.strip(), sql.strip().rstrip(";")) for name, _, sql in (p.partition("\n") for p in parts)]


def _check_lock(database: Database) -> Check:
    """Tries to take the lock as another process would, which must fail."""
    try:
        LibraryLock.take(database.folder).release()
    except LibraryBusyError:
        return Check("lock", True, "held only by this process")
    return Check("lock", False, "another process could open this library at the same time")


def _check_word_index(database: Database) -> Check:
    if not database.write_bulk(_matches_images):
        return Check("word index", False, "does not match the images")
    return Check("word index", True, "matches every prompt, negative prompt and note")


def _check_search(tx: ReadTx) -> Check:
    """Searches for each of the newest images with a prompt by a word of its prompt."""
    rows = tx.all("SELECT rowid AS id, prompt FROM generations_text WHERE prompt <> '' ORDER BY rowid DESC LIMIT 20")
    lost = []
    for row in rows:
        words = word_index.tokenize(tx, row["prompt"])
        match = word_index.Phrase(words[-1:]).match if words else None
        if match and tx.value(_FINDS_IMAGE, match=match, image=row["id"]) is None:
            lost.append(row["id"])
    detail = (
        f"newest images that are not found by their prompts: {len(lost)}" if lost else "the newest images are found"
    )
    return Check("search", not lost, detail)


_FINDS_IMAGE = "SELECT rowid FROM generations_fts WHERE generations_fts MATCH :match AND rowid = :image"


def _matches_images(tx: WriteTx) -> bool:
    try:
        # Without rank = 1 the check ignores missing rows.
        tx.run("INSERT INTO generations_fts (generations_fts, rank) VALUES ('integrity-check', 1)")
    except (apsw.CorruptError, UnicodeDecodeError):
        return False
    return True
