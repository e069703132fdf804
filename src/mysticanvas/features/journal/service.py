"""Writes all user data (ratings, tags, notes, collections ...) to a journal outside the database, after each commit.

See docs/adr/0015.
"""

import logging
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

from mysticanvas.db import checks, event_log
from mysticanvas.db.database import ChangeSet, Database, ReadTx, WriteTx
from mysticanvas.db.io_errors import WAYS_OUT
from mysticanvas.domain.clock import now_ms
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import queries
from mysticanvas.features.journal.files import Entry, JournalDamageError, JournalFile, JournalState

log = logging.getLogger(__name__)

# Edits within this time are written together. The journal is at most a second behind the database.
GATHER_S = 0.25
BATCH = 2_000
PAUSE_AFTER_ERROR_S = 5.0
# How often the size and the date of the file are checked, and its whole content.
LOOK_EVERY_S = 5.0
CHECK_EVERY_S = 3600.0
# To write a journal from scratch, all images are read once.
FIRST_READ_LIMIT_MS = 60_000
REPLACED = "journal.replaced"
KEPT = "journal.kept"
PROBLEM_SOURCE = "journal"


class JournalKeptError(Exception):
    """The journal should be written from scratch, but the database is damaged. The message says why it should be."""


class JournalWriter:
    """A context manager that writes the journal on a thread of its own. Closing it writes all that is due.

    A journal that was removed, damaged or replaced is written from scratch, with a warning in the event log. From a
    damaged database, an existing journal is never written from scratch: it may be the only good copy. While the file
    is not written, `database.problems` says so, and the entries stay due in the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._folder = database.folder / journal_files.FOLDER
        self._file: JournalFile | None = None
        self._checked_s = 0.0
        self._wake = Event()
        self._closing = Event()
        self._thread = Thread(target=self._work, name="journal")

    def __enter__(self) -> "JournalWriter":
        self._database.after_commit(self._on_commit)
        self._wake.set()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._wake.set()
        self._thread.join()

    def _on_commit(self, _: ChangeSet) -> None:
        self._wake.set()

    def _work(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(LOOK_EVERY_S)
            self._closing.wait(GATHER_S)
            self._wake.clear()
            self._catch_up()
        # Commits since the last call.
        self._catch_up()

    def _catch_up(self) -> None:
        try:
            file = self._open()
            self._keep_copy(file.state)
            while self._write_batch(file):
                pass
            if file.needs_compaction and not self._database.damage.affects_rows:
                self._file = self._replace(keep_old=False)
            self._database.problems.report(PROBLEM_SOURCE, None)
        except JournalKeptError as error:
            self._report(_describe_kept(str(error)))
        except (MystiCanvasError, OSError, JournalDamageError) as error:
            self._report(self._describe(error))
        except Exception as error:
            log.exception("writing the journal failed")
            self._report(self._describe(error))

    def _describe(self, error: Exception) -> str:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).rstrip(".")
        return (
            f"The journal of your ratings, tags and notes in {self._folder} cannot be written: {reason}. "
            "Your changes are saved in the database only. Check the free space and the permissions of this folder."
        )

    def _report(self, sentence: str) -> None:
        self._file = None
        if self._database.problems.report(PROBLEM_SOURCE, sentence):
            log.warning("%s", sentence)
        self._closing.wait(PAUSE_AFTER_ERROR_S)
        self._wake.set()

    # -- the file -----------------------------------------------------------------------------

    def _open(self) -> JournalFile:
        """The open file, after checking it if it was changed by another program, or if a check is due."""
        state = self._database.read(queries.get_state)
        file, self._file = self._file, None
        is_due = time.monotonic() - self._checked_s > CHECK_EVERY_S
        if file is None or is_due or file.state != state or not file.is_unchanged():
            file = self._check(state)
            self._checked_s = time.monotonic()
        self._file = file
        return file

    def _check(self, state: JournalState | None) -> JournalFile:
        """A library without a journal starts one."""
        if state is None:
            return self._replace()
        due = self._database.read(queries.list_due_keys)
        try:
            return JournalFile.open(self._folder, state, lambda kind, key: (kind, key) in due)
        except JournalDamageError as damage:
            return self._replace(damage=str(damage))

    def _replace(self, *, keep_old: bool = True, damage: str | None = None) -> JournalFile:
        """Write the journal from scratch. It is complete on the disk before it becomes the journal. Raises
        `JournalKeptError`."""
        self._refuse_if_damaged(damage)
        library = self._database.read(queries.get_library_id) or uuid.uuid4().hex
        before = self._database.read(queries.get_state)
        after = before.file if before is not None else None
        has_rest = journal_files.has_files(self._folder, library)
        state = journal_files.write_replacement(self._folder, library, self._read_everything(), after=after)
        state = replace(state, checks=before.checks if before is not None else 0)
        sentence = _describe_replacement(damage, has_rest=has_rest) if damage is not None else None
        self._database.write(_record_replacement, library, state, sentence)
        if sentence is not None:
            log.warning("%s", sentence)
        return JournalFile.open(self._folder, state, lambda kind, key: False, keep_old=keep_old)

    def _keep_copy(self, state: JournalState) -> None:
        """Keep the journal as it was before lines of a damaged database are appended: the last line of an item counts,
        and the rest of a damaged row is written with it."""
        if not self._database.damage.loses_data:
            return
        copy = journal_files.keep_copy(self._folder, state)
        if copy is not None:
            why = _describe_copy(copy)
            self._database.write_bulk(
                event_log.append, level="warning", kind=KEPT, subject=None, data={"why": why}, now_ms=now_ms()
            )

    def _refuse_if_damaged(self, damage: str | None) -> None:
        """Raises `JournalKeptError` if the database is damaged and there is any journal."""
        if not any(self._folder.glob("*.jsonl")):
            return
        if not self._database.damage.affects_rows:
            checks.find_damage(self._database)
        if self._database.damage.affects_rows:
            raise JournalKeptError(damage or "The journal must be written again.")

    def _read_everything(self) -> Iterator[Entry]:
        """Entries that change meanwhile become due, and are appended later."""
        keys = self._database.read_within(FIRST_READ_LIMIT_MS, queries.list_all_keys)
        for start in range(0, len(keys), BATCH):
            for entry in self._database.read(queries.read_entries, keys[start : start + BATCH]):
                if "gone" not in entry:
                    yield entry

    def _write_batch(self, file: JournalFile) -> bool:
        """Write some of the due entries; False when none are due. They stay due until their lines are on the disk."""
        keys, through = self._database.read(queries.list_due, limit=BATCH)
        if through is None:
            return False
        state = file.append(self._database.read(queries.read_entries, keys))
        self._database.write_bulk(queries.record_written, through, state)
        return True


def _describe_replacement(damage: str, *, has_rest: bool) -> str:
    sentence = f"{damage} MystiCanvas rewrote the journal from the library."
    if not has_rest:
        return f"{sentence} Nothing was left of the previous journal."
    return (
        f"{sentence} The rest of the previous journal is kept in the library folder, "
        f"in {journal_files.FOLDER}/{journal_files.SET_ASIDE}."
    )


def _describe_copy(copy: Path) -> str:
    return (
        f"The database is damaged. A copy of the journal, from when the damage was found, is kept in {copy}. If you "
        "changed images since then, and mysticanvas rebuild --set-aside restores wrong data, use this copy: "
        f'mysticanvas rebuild --set-aside --journal "{copy}"'
    )


def _describe_kept(damage: str) -> str:
    return (
        f"{damage} It was not rewritten, because the database is damaged too and the journal may contain the only good "
        f"copy of some of your ratings, tags and notes. Your changes are saved in the database only. {WAYS_OUT}"
    )


def _record_replacement(tx: WriteTx, library: str, state: JournalState, sentence: str | None) -> None:
    if queries.get_library_id(tx) is None:
        queries.set_library_id(tx, library)
    queries.set_state(tx, state)
    if sentence is not None:
        event_log.append(tx, level="warning", kind=REPLACED, subject=None, data={"why": sentence}, now_ms=now_ms())


def wait_until_written(database: Database, *, wait_s: float) -> bool:
    """Wait for at most `wait_s` until all changes so far are in the journal. Returns whether they are."""
    deadline_s = time.monotonic() + wait_s
    while not (written := database.read(_is_written)) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return written


def _is_written(tx: ReadTx) -> bool:
    return queries.count_due(tx) == 0 and queries.get_state(tx) is not None
