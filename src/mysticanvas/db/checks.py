"""The consistency checks of a library."""

import re
from collections.abc import Callable
from functools import partial
from importlib import resources

import apsw

from mysticanvas.db import page_damage
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import word_index
from mysticanvas.db.io_errors import DISK_ERRORS, describe_disk_error
from mysticanvas.db.lock import LibraryLock
from mysticanvas.db.page_copy import NoRoomError, PageCopy
from mysticanvas.db.page_damage import Check
from mysticanvas.db.schema import load_migrations
from mysticanvas.domain.errors import LibraryBusyError, LibraryError

# Reading a million rows takes seconds, and no page waits for the result.
CHECK_LIMIT_MS = 900_000
LOCK = "lock"
# How many problems of one check are named.
SHOWN = 5


def run_all(database: Database) -> list[Check]:
    """Runs every check on a copy, so that the writer and the gallery continue meanwhile. Changes no rows."""
    try:
        found = _run_on_copy(database)
    except LibraryError as error:
        found = [Check("pages", False, str(error))]
    else:
        database.note_damage(found)
    return [*page_damage.merge(found, database.damage.failed), _check_lock(database)]


def find_damage(database: Database) -> list[Check]:
    """Only compares the pages with their checksums, and notes the result in `database.damage`."""
    try:
        found = database.read_copy(CHECK_LIMIT_MS, lambda tx, copy: page_damage.describe(tx, copy.differing))
    except NoRoomError:
        found = []
    database.note_damage(found)
    return page_damage.merge(found, database.damage.failed)


def _run_on_copy(database: Database) -> list[Check]:
    try:
        found, unknown = database.read_copy(CHECK_LIMIT_MS, _check_copy)
    except NoRoomError:
        # The word index can only be checked in a transaction that writes.
        found = database.read_on_new_connection(CHECK_LIMIT_MS, _check_tables)
        return found + database.write_bulk(_check_words)
    if unknown and all(check.ok for check in found):
        database.record_sums(unknown)
    return found


def _check_copy(tx: WriteTx, copy: PageCopy) -> tuple[list[Check], list[tuple[int, int]]]:
    found = _check_tables(tx) + _check_words(tx)
    return page_damage.merge(found, page_damage.describe(tx, copy.differing)), copy.unknown


def _check_tables(tx: ReadTx) -> list[Check]:
    found = _check_integrity(tx) + [_run_check("schema version", _check_schema, tx)]
    found += [_run_check("foreign keys", _check_foreign_keys, tx), _run_check("texts", _check_texts, tx)]
    return found + [_run_check(name, partial(_check_invariant, name, sql), tx) for name, sql in load_invariants()]


def _check_words(tx: WriteTx) -> list[Check]:
    return [_check_word_index(tx), _run_check("search", _check_search, tx)]


def _run_check(name: str, look: Callable[[ReadTx], Check], tx: ReadTx) -> Check:
    """A check that cannot read the database fails."""
    try:
        return look(tx)
    except (*DISK_ERRORS, apsw.SQLError, UnicodeDecodeError) as error:
        return Check(name, False, describe_disk_error(error, "read"))


def _check_integrity(tx: ReadTx) -> list[Check]:
    """Pages and indexes apart: an index can be rebuilt from its table."""
    try:
        answers = [str(one) for one in tx.column("PRAGMA integrity_check") if one != "ok"]
        trees = _list_index_trees(tx)
    except (*DISK_ERRORS, UnicodeDecodeError) as error:
        return [Check("pages", False, describe_disk_error(error, "read"))]
    answers = [one for line in answers for one in line.splitlines() if not _OTHER_CHECK.search(one)]
    wrong = [one for one in answers if _is_of_index(one, trees)]
    return [
        _report("pages", [one for one in answers if one not in wrong], "every page, value and constraint is valid"),
        _report("indexes", wrong, "every index matches its table"),
    ]


def _report(name: str, problems: list[str], sound: str) -> Check:
    more = f"; {len(problems) - SHOWN:,} more" if len(problems) > SHOWN else ""
    return Check(name, not problems, "; ".join(problems[:SHOWN]) + more if problems else sound)


def _list_index_trees(tx: ReadTx) -> set[int]:
    return set(tx.column("SELECT rootpage FROM sqlite_schema WHERE type = 'index'"))


def _is_of_index(problem: str, trees: set[int]) -> bool:
    tree = _TREE.match(problem)
    return int(tree[1]) in trees if tree else _INDEX_PROBLEM.search(problem) is not None


# Messages of `PRAGMA integrity_check` (SQLite 3.54, pragma.c and btree.c). The first only says which database.
_OTHER_CHECK = re.compile(r"^\*\*\* in database |for FTS5 table ")
_TREE = re.compile(r"Tree (\d+)\b")
_INDEX_PROBLEM = re.compile(r"\bindex\b")


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
        return Check(LOCK, True, "held only by this process")
    return Check(LOCK, False, "another process could open this library at the same time")


def _check_texts(tx: ReadTx) -> Check:
    """Reads every text: SQLite does not check that a text is valid UTF-8."""
    unreadable = [column for column, sql in _list_text_columns(tx) if not _is_readable(tx, sql)]
    return Check(
        "texts",
        not unreadable,
        "; ".join(unreadable) + ": not valid UTF-8" if unreadable else "all text is valid UTF-8",
    )


def _list_text_columns(tx: ReadTx) -> list[tuple[str, str]]:
    """(name, query for its values) of every column that contains text."""
    return [
        (f"{row['tbl']}.{row['col']}", f'SELECT "{row["col"]}" FROM "{row["tbl"]}" NOT INDEXED')  # noqa: S608
        for row in tx.all(
            """
            SELECT t.name AS tbl, c.name AS col
              FROM pragma_table_list AS t
                   JOIN pragma_table_info(t.name) AS c
             WHERE t.schema = 'main' AND t.type = 'table' AND c.type = 'TEXT'
            """
        )
    ]


def _is_readable(tx: ReadTx, sql: str) -> bool:
    try:
        for _ in tx.rows(sql):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _check_word_index(tx: WriteTx) -> Check:
    if not _matches_images(tx):
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
        f"newest images not found by searching for their prompts: {len(lost)}"
        if lost
        else "the newest images are found"
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
