"""The journal is kept: what the person wrote goes to a file outside the database, after each commit (I4)."""

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

# Deeds that follow each other quickly are written together; the journal is at most a second behind.
GATHER_S = 0.25
BATCH = 2_000
PAUSE_AFTER_ERROR_S = 5.0
# All images of a library that never had a journal are looked through once.
FIRST_LOOK_MS = 60_000


class Journaling:
    """Runs while the context is open; what is left is written when it closes, or at the next start.

    While the file cannot be written, the notes wait in the database and the log says why.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._files: JournalFiles | None = None
        self._wake = Event()
        self._closing = Event()
        self._failed = False
        self._thread = Thread(target=self._work, name="journal")

    def __enter__(self) -> "Journaling":
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
        # What was committed while that went on.
        self._catch_up()

    def _catch_up(self) -> None:
        try:
            files = self._files = self._files or self._opened()
            while self._write_some(files):
                pass
            if files.has_grown:
                files.compact()
            self._failed = False
        except (MystiCanvasError, OSError) as error:
            if not self._failed:
                log.warning("the journal cannot be written", extra={"reason": str(error)})
            self._failed = True
            self._closing.wait(PAUSE_AFTER_ERROR_S)
            self._wake.set()

    def _opened(self) -> JournalFiles:
        """A library without a journal begins one, with all that the person wrote before."""
        library = self._database.read(queries.library_of)
        folder = self._database.folder / journal_files.FOLDER
        if library is not None:
            return JournalFiles(folder, library)
        library = uuid.uuid4().hex
        self._database.write_bulk(queries.note_all_but_images)
        images = self._database.read_within(FIRST_LOOK_MS, queries.images_of_a_person)
        for start in range(0, len(images), BATCH):
            self._database.write_bulk(queries.note_images, images[start : start + BATCH])
        self._database.write_bulk(queries.set_library, library)
        return JournalFiles(folder, library)

    def _write_some(self, files: JournalFiles) -> bool:
        """Some of what is due; False when nothing is. A note is forgotten once its line is on the disk."""
        keys, through = self._database.read(queries.due, limit=BATCH)
        if through is None:
            return False
        files.append(self._database.read(queries.things, keys))
        self._database.write_bulk(queries.forget, through)
        return True


def catch_up(database: Database, *, wait_s: float) -> bool:
    """Whether all that was written so far is in the journal, after waiting for at most `wait_s`."""
    deadline_s = time.monotonic() + wait_s
    while (left := database.read(queries.left)) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return not left
