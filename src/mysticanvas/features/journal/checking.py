"""The check of `doctor` that compares the journal with the library, and its repair."""

import json
from collections.abc import Iterator
from pathlib import Path

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.page_damage import Check
from mysticanvas.domain.plurals import format_count
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import queries, service
from mysticanvas.features.journal.files import Entry, JournalDamageError
from mysticanvas.features.journal.queries import Key
from mysticanvas.features.repairs import Repair

NAME = "journal"
WAIT_S = 10.0
# While the library changes, the journal may be compared in the middle of a change.
ATTEMPTS = 3
BATCH = 2_000
READ_LIMIT_MS = 300_000
# An image is recognized by its content. Its date may be corrected without a line in the journal.
NOT_COMPARED = ("kind", "key", "at")

REPAIR = Repair(
    (NAME,),
    "rewrite the journal from the library",
    lambda tx, now_ms: queries.forget_state(tx),
    only_if_intact=True,
)


def check_journal(database: Database) -> Check:
    """Checks whether the journal on the disk is unchanged since it was written and contains the data of the library. A
    damaged journal is rewritten soon after this check."""
    problem = database.problems.of(service.PROBLEM_SOURCE)
    if problem is None and database.read(queries.get_library_id) is None:
        return Check(NAME, True, "not started yet")
    if problem is not None or not service.wait_until_written(database, wait_s=WAIT_S):
        due = database.read(queries.count_due)
        return Check(NAME, False, problem or f"{format_count(due, 'change')} not written yet")
    try:
        _check_file(database)
        different = _find_differences(database)
    except JournalDamageError as damage:
        database.write_bulk(queries.request_check)
        if database.damage.affects_rows:
            return Check(NAME, False, f"{damage} It is not rewritten, because the database is damaged too.")
        return Check(NAME, False, f"{damage} MystiCanvas is now rewriting the journal from the library.")
    except OSError as error:
        return Check(NAME, False, f"cannot be read: {error.strerror}")
    if different:
        examples = ", ".join(f"{kind} {key}" for kind, key in sorted(different, key=str)[:3])
        return Check(
            NAME, False, f"differs from the library in {format_count(len(different), 'item')}, such as {examples}"
        )
    return Check(NAME, True, "has the same data as the library")


def _check_file(database: Database) -> None:
    """Raises `JournalDamageError` if the journal is damaged. Retries, because an attempt can fail while the journal is
    being written."""
    for attempt in range(ATTEMPTS):
        state = database.read(queries.get_state)
        if state is None:
            return
        try:
            journal_files.check(
                _get_folder(database), state, lambda kind, key: (kind, key) in database.read(queries.list_due_keys)
            )
        except (JournalDamageError, OSError):
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return


def _find_differences(database: Database) -> set[Key]:
    """The items that differ from the library in every attempt."""
    found: set[Key] | None = None
    for _ in range(ATTEMPTS):
        service.wait_until_written(database, wait_s=WAIT_S)
        different = _compare(database)
        found = different if found is None else found & different
        if not found:
            break
    return found or set()


def _compare(database: Database) -> set[Key]:
    state = database.read(queries.get_state)
    if state is None:
        return set()
    journal = journal_files.read_journal([journal_files.find_content(_get_folder(database), state)])
    written: dict[Key, Entry] = {(entry["kind"], entry["key"]): entry for entry in journal.entries()}
    return database.read_within(READ_LIMIT_MS, _list_different, written)


def _list_different(tx: ReadTx, written: dict[Key, Entry]) -> set[Key]:
    keys = list(dict.fromkeys([*queries.list_all_keys(tx), *written]))
    different = {
        (entry["kind"], entry["key"])
        for entry in _read_in_batches(tx, keys)
        if not _is_same(entry, written.get((entry["kind"], entry["key"])))
    }
    return different - queries.list_due_keys(tx)


def _read_in_batches(tx: ReadTx, keys: list[Key]) -> Iterator[Entry]:
    for start in range(0, len(keys), BATCH):
        yield from queries.read_entries(tx, keys[start : start + BATCH])


def _is_same(entry: Entry, written: Entry | None) -> bool:
    if written is None or "gone" in entry:
        return written is None and "gone" in entry
    entry = json.loads(json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace"))
    if "blake3" not in written:
        # The hash was computed after the line was written.
        entry.pop("blake3", None)
    return _select(entry) == _select(written)


def _select(entry: Entry) -> Entry:
    return {name: value for name, value in entry.items() if name not in NOT_COMPARED}


def _get_folder(database: Database) -> Path:
    return database.folder / journal_files.FOLDER
