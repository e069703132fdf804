"""What a rebuild from the journal would lose, before the database is moved away for it."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mysticanvas.db import checks
from mysticanvas.db.connections import ReadTx, open_reader
from mysticanvas.db.database import FILE_NAME, Database
from mysticanvas.db.io_errors import translate_disk_errors
from mysticanvas.domain.errors import InvalidInputError, MystiCanvasError
from mysticanvas.features.journal import files as journal_files
from mysticanvas.features.journal import queries
from mysticanvas.features.journal.files import JournalDamageError, JournalState
from mysticanvas.features.journal.queries import Key


@dataclass(frozen=True, slots=True)
class Outlook:
    """`missing` is a sentence that says what the journals lack, None if they lack nothing that the database knows.
    `unlisted` is the number of missing images that no journal contains; None if the database cannot be read."""

    missing: str | None
    unlisted: int | None


@dataclass(frozen=True, slots=True)
class _Known:
    state: JournalState | None
    due: set[Key]
    unlisted: int


def examine(library: Path) -> Outlook:
    """Compare the journals with what the database says of its journal. Changes nothing."""
    known = _read_database(library / FILE_NAME)
    folder = library / journal_files.FOLDER
    return Outlook(_find_missing(folder, known), known.unlisted if known is not None else None)


def refuse_loss(library: Path, missing: str) -> InvalidInputError:
    """The error for a rebuild that would lose data, with what to do instead."""
    kept = _count_items(library / journal_files.FOLDER)
    what = f"{missing} A rebuild would restore only {kept:,} items from the journals, so nothing was changed."
    if _is_sound(library):
        return InvalidInputError(
            f"{what} The database passes all checks, so no rebuild is needed: start MystiCanvas, and it writes the "
            "journal again. To rebuild the library anyway, and lose what the journal lacks, run: mysticanvas rebuild "
            "--set-aside --accept-loss"
        )
    return InvalidInputError(
        f"{what} Restore a backup with `mysticanvas backup restore FILE` (`mysticanvas backup list` lists them), or "
        f"put the journal back into {library / journal_files.FOLDER}. If neither is possible, rebuild the library "
        "without what the journal lacks: mysticanvas rebuild --set-aside --accept-loss"
    )


def check_offered(journal: Path) -> None:
    """Raises `InvalidInputError` for a file that is not a journal."""
    try:
        found = journal_files.read_journal([journal])
    except OSError as error:
        raise InvalidInputError(f"The journal {journal} cannot be read: {error.strerror}.") from error
    if not any(True for _ in found.entries()):
        raise InvalidInputError(
            f"{journal} contains no readable lines of a journal. Choose another file, for example from "
            f"{journal_files.FOLDER}/{journal_files.SET_ASIDE} in the library folder."
        )


def _find_missing(folder: Path, known: _Known | None) -> str | None:
    if folder.exists() and not folder.is_dir():
        return f"{folder} is a file, not the folder with the journal."
    if known is not None and known.state is not None:
        return _compare(folder, known.state, known.due)
    if _count_items(folder) == 0:
        return f"There is no journal in {folder}, or it contains no readable lines."
    if known is not None:
        return "The database can be read, and its data has never been written to a journal."
    return None


def _compare(folder: Path, state: JournalState, due: set[Key]) -> str | None:
    try:
        pending = due - journal_files.check_known(folder, state)
    except JournalDamageError as damage:
        return str(damage)
    except OSError as error:
        return f"The journal cannot be read: {error.strerror}."
    if pending:
        return (
            f"The last changes of {len(pending):,} items are in the database and not yet in the journal. "
            "mysticanvas doctor writes them, if the database can still be opened."
        )
    return None


def _read_database(path: Path) -> _Known | None:
    """None if there is no database, or it is too damaged to say what its journal contains."""
    if not path.exists():
        return None
    try:
        with translate_disk_errors("read"), closing(open_reader(path)) as connection:
            tx = ReadTx(connection)
            return _Known(queries.get_state(tx), queries.list_due_keys(tx), queries.count_lost_by_rebuild(tx))
    except (MystiCanvasError, ValueError):
        return None


def _count_items(folder: Path) -> int:
    """The number of items that can be restored from the journals."""
    try:
        found = journal_files.find_journals(folder).values()
        return sum(1 for files in found for _ in journal_files.read_journal(files).entries())
    except OSError:
        return 0


def _is_sound(library: Path) -> bool:
    if not (library / FILE_NAME).exists():
        return False
    try:
        with Database.open(library) as database:
            return all(check.ok for check in checks.run_all(database))
    except MystiCanvasError:
        return False
