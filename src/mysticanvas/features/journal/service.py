"""Writes all user data (ratings, tags, notes, collections ...) to a journal outside the database, after each commit.

See docs/adr/0015.
"""

import logging
import time
import uuid
from threading import Event, Thread

from mysticanvas.db.database import ChangeSet, Database
from mysticanvas.domain.errors import MystiCanvasError
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import queries
from mysticanvas.features.journal.files import JournalFiles

log = logging.getLogger(__name__)

# Edits within this time are written together. The journal is at most a second behind the database.
GATHER_S = 0.25
BATCH = 2_000
PAUSE_AFTER_ERROR_S = 5.0
# To start a journal, all images are read once.
FIRST_READ_LIMIT_MS = 60_000


class JournalWriter:
    """A context manager that writes the journal on a thread of its own. Closing it writes all that is due.

    While the file cannot be written, a warning is logged, and the entries stay due in the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._files: JournalFiles | None = None
        self._wake = Event()
        self._closing = Event()
        self._failed = False
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
            self._wake.wait()
            self._closing.wait(GATHER_S)
            self._wake.clear()
            self._catch_up()
        # Commits since the last call.
        self._catch_up()

    def _catch_up(self) -> None:
        try:
            files = self._files = self._files or self._open_files()
            while self._write_batch(files):
                pass
            if files.needs_compaction:
                files.compact()
            self._failed = False
        except (MystiCanvasError, OSError) as error:
            if not self._failed:
                log.warning("the journal cannot be written", extra={"reason": str(error)})
            self._failed = True
            self._closing.wait(PAUSE_AFTER_ERROR_S)
            self._wake.set()

    def _open_files(self) -> JournalFiles:
        """A library without a journal starts one, with all existing user data."""
        library = self._database.read(queries.get_library_id)
        folder = self._database.folder / journal_files.FOLDER
        if library is not None:
            return JournalFiles(folder, library)
        library = uuid.uuid4().hex
        self._database.write_bulk(queries.mark_all_but_images_due)
        images = self._database.read_within(FIRST_READ_LIMIT_MS, queries.list_images_with_user_data)
        for start in range(0, len(images), BATCH):
            self._database.write_bulk(queries.mark_images_due, images[start : start + BATCH])
        self._database.write_bulk(queries.set_library_id, library)
        return JournalFiles(folder, library)

    def _write_batch(self, files: JournalFiles) -> bool:
        """Write some of the due entries; False when none are due. They stay due until their lines are on the disk."""
        keys, through = self._database.read(queries.list_due, limit=BATCH)
        if through is None:
            return False
        files.append(self._database.read(queries.read_entries, keys))
        self._database.write_bulk(queries.delete_due, through)
        return True


def wait_until_written(database: Database, *, wait_s: float) -> bool:
    """Wait for at most `wait_s` until all changes so far are in the journal. Returns whether they are."""
    deadline_s = time.monotonic() + wait_s
    while (left := database.read(queries.count_due)) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return not left
