"""Writes and imports archives: all user data of a library in one zip, for backup or for another machine.

`manifest.json` describes the archive, and `words.jsonl` has one journal entry per line (docs/adr/0015). An archive
contains no database file and no images. Importing an archive keeps the existing user data.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec

from mysticanvas import __version__
from mysticanvas.db import event_log
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import folders as image_folders
from mysticanvas.domain.errors import InvalidInputError
from mysticanvas.features.archive import queries
from mysticanvas.features.archive.schema import Manifest, parse_entry
from mysticanvas.features.importing.service import ImportService
from mysticanvas.features.journal import queries as journal_queries
from mysticanvas.features.journal import rebuild_queries
from mysticanvas.features.journal.files import MAX_LINE_BYTES, Entry, Journal
from mysticanvas.features.journal.rebuild import apply_with_derived
from mysticanvas.features.journal.rebuild_queries import Ids
from mysticanvas.features.tags import relation_queries
from mysticanvas.fs import archives
from mysticanvas.fs.paths import resolve_folder

FORMAT = 1
MANIFEST, ENTRIES = "manifest.json", "words.jsonl"
MAX_MANIFEST_BYTES = 2**20
MAX_ENTRIES_BYTES = 2 * 2**30
BATCH = 500
POLL_S = 0.5


# -- export ---------------------------------------------------------------------------------------


def generate_lines(tx: ReadTx) -> Iterator[bytes]:
    """One entry per line, from one snapshot of the database."""
    keys = queries.list_keys(tx)
    for start in range(0, len(keys), BATCH):
        for one in journal_queries.read_entries(tx, keys[start : start + BATCH]):
            yield msgspec.json.encode(one)


def write_archive(target: Path, entries: bytes) -> dict[str, int]:
    """Write an archive with these lines. Returns the number of entries of each kind.

    The file is on the disk when this returns. Raises `InvalidInputError` when the file already exists.
    """
    counts: Counter[str] = Counter()
    folders = []
    for line in entries.splitlines():
        one = json.loads(line)
        counts[one["kind"]] += 1
        if one["kind"] == "root":
            folders.append(one["path"])
    manifest = Manifest(FORMAT, __version__, dict(counts), folders)
    archives.write(target, {MANIFEST: msgspec.json.encode(manifest), ENTRIES: entries})
    return dict(counts)


# -- import ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class ArchiveReport:
    """`images` = `matched` + `missing`: found by their content, or added as missing images. `folders` maps the folders
    in the archive to the folders on this machine, and `away` lists those that do not exist here. A dry run predicts
    the numbers without importing any folder."""

    dry_run: bool
    gallery: str = "MystiCanvas"
    images: int = 0
    matched: int = 0
    missing: int = 0
    tags: int = 0
    collections: int = 0
    templates: int = 0
    folders: dict[str, str] = field(default_factory=dict)
    away: list[str] = field(default_factory=list)


def read_archive(path: Path) -> Journal:
    """Read and validate an archive completely. Raises `InvalidInputError`."""
    with archives.open_archive(path) as archive:
        _check_manifest(archive.read(MANIFEST, most_bytes=MAX_MANIFEST_BYTES))
        return Journal.from_entries(
            map(parse_entry, _split_lines(archive.chunks(ENTRIES, most_bytes=MAX_ENTRIES_BYTES)))
        )


def _check_manifest(text: bytes) -> None:
    try:
        version = msgspec.json.decode(text)["mysticanvas_library"]
        if isinstance(version, int) and version > FORMAT:
            raise InvalidInputError(
                "The archive was written by a newer version of MystiCanvas. Update MystiCanvas and try again."
            )
        msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise InvalidInputError(
            "This file is not a MystiCanvas archive. Create one with: mysticanvas export --whole FILE"
        ) from error


def _split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole_lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole_lines if line)
        if len(rest) > MAX_LINE_BYTES:
            raise InvalidInputError("The archive is damaged: a line is too long. Export the library again.")
    if rest:
        yield rest


class ArchiveImport:
    """Imports one archive into a library. `on_progress` is called with a message, done and total; when it returns
    False, the import is cancelled."""

    def __init__(
        self,
        database: Database,
        importing: ImportService,
        *,
        on_progress: Callable[[str, int, int], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._importing = importing
        self._on_progress = on_progress
        self._now_ms = now_ms
        self._ids = Ids()

    def run(self, path: Path, folders: Mapping[str, str], *, dry_run: bool) -> ArchiveReport | None:
        """Import the archive at `path`; `folders` maps its folders to those on this machine. None if it was cancelled.

        A cancelled import can be repeated: it keeps what the previous one imported.
        """
        journal = read_archive(path)
        report = ArchiveReport(dry_run, images=journal.count("image"))
        places = self._map_folders(journal, folders, report)
        if dry_run:
            self._database.read(self._preview, journal, places, report)
            return report
        self._database.write_bulk(apply_with_derived, lambda tx: self._add_entries(tx, journal, places, report))
        if not (self._import(report) and self._add_images(journal, places, report)):
            return None
        self._database.write_bulk(apply_with_derived, lambda tx: self._add_references(tx, journal))
        self._database.write_bulk(_record_event, report, now_ms=self._now_ms())
        return report

    # -- folders ------------------------------------------------------------------------------

    def _map_folders(
        self, journal: Journal, folders: Mapping[str, str], report: ArchiveReport
    ) -> dict[str, tuple[str, str]]:
        """Maps each folder in the archive to the library folder here that contains it, and the path within that."""
        exported = {one["path"]: one for one in journal.entries("root")}
        if unknown := folders.keys() - exported.keys():
            raise InvalidInputError(
                f"The archive does not contain the folder {min(unknown)}. It contains: {', '.join(exported)}."
            )
        if any(one["root"] not in exported for one in journal.entries("image")):
            raise InvalidInputError(
                "The archive is damaged: it does not contain the folder of an image. Export the library again."
            )
        places = {}
        library_folders = self._database.read(image_folders.list_active)
        for old, one in exported.items():
            new = str(resolve_folder(folders[old])) if old in folders else old
            if one["removed_at"] is None:
                if not os.path.isabs(new):
                    raise InvalidInputError(
                        f"{old} is not a folder on this machine. Specify its location: --folder {old}=NEW"
                    )
                if os.path.isdir(new):
                    report.folders[old] = new
                else:
                    report.away.append(old)
            holder = next((root.path for root in library_folders if Path(new).is_relative_to(root.path)), new)
            places[old] = holder, "" if holder == new else Path(new).relative_to(holder).as_posix()
        return places

    def _import(self, report: ArchiveReport) -> bool:
        for folder in report.folders.values():
            started = self._importing.start([folder])
            while self._importing.report(started, wait_s=POLL_S) is None:
                progress = self._importing.progress(started)
                if not self._on_progress(f"Importing {folder}", progress.seen - progress.todo, progress.seen):
                    return False
        return True

    # -- entries ------------------------------------------------------------------------------

    def _add_entries(
        self, tx: WriteTx, journal: Journal, places: Mapping[str, tuple[str, str]], report: ArchiveReport
    ) -> None:
        """Called before the folders are imported, as in a rebuild."""
        tags = queries.find_new_tags(tx, journal.entries("tag"), self._ids)
        collections = queries.find_new_collections(tx, journal.entries("collection"), self._ids)
        templates = queries.find_new_by_name(tx, journal.entries("template"))
        away = [
            one | {"path": places[one["path"]][0]}
            for one in journal.entries("root")
            if one["path"] in report.away or one["removed_at"] is not None
        ]
        rebuild_queries.add_by_name(
            tx, queries.find_new_by_name(tx, [*away, *journal.entries("threshold", "wildcard", "setting")])
        )
        rebuild_queries.add_tags(tx, tags, self._ids)
        rebuild_queries.add_collections(tx, collections, self._ids)
        rebuild_queries.add_templates(tx, templates)
        _check_cycles(tx)
        self._covers = collections, templates
        report.tags, report.collections, report.templates = len(tags), len(collections), len(templates)

    def _add_images(self, journal: Journal, places: Mapping[str, tuple[str, str]], report: ArchiveReport) -> bool:
        some: list[Entry] = []
        for done, one in enumerate(journal.entries("image"), 1):
            some.append(_relocate(one, places))
            if len(some) == BATCH or done == report.images:
                report.missing += self._add_batch(some)
                some = []
                if not self._on_progress("Restoring your ratings, tags and notes", done, report.images):
                    return False
        report.matched = report.images - report.missing
        return True

    def _add_batch(self, some: list[Entry]) -> int:
        def add(tx: WriteTx) -> int:
            new_entries = [queries.select_new_data(tx, one, self._ids) for one in some]
            return rebuild_queries.add_images(
                tx, new_entries, self._ids, app_version=__version__, now_ms=self._now_ms()
            )

        return self._database.write_bulk(apply_with_derived, add)

    def _add_references(self, tx: WriteTx, journal: Journal) -> None:
        queries.link_parents(tx, journal.entries("image"))
        rebuild_queries.set_covers(tx, *self._covers)

    def _preview(
        self, tx: ReadTx, journal: Journal, places: Mapping[str, tuple[str, str]], report: ArchiveReport
    ) -> None:
        report.tags = len(queries.find_new_tags(tx, journal.entries("tag"), Ids()))
        report.collections = len(queries.find_new_collections(tx, journal.entries("collection"), Ids()))
        report.templates = len(queries.find_new_by_name(tx, journal.entries("template")))
        for one in journal.entries("image"):
            report.matched += rebuild_queries.find_image(tx, _relocate(one, places)) is not None
        report.missing = report.images - report.matched


def _relocate(image: Entry, places: Mapping[str, tuple[str, str]]) -> Entry:
    root, inside = places[image["root"]]
    return image | {"root": root, "path": f"{inside}/{image['path']}" if inside else image["path"]}


def _check_cycles(tx: ReadTx) -> None:
    """Raises `InvalidInputError` for a cycle, also one between imported and existing data; then nothing is imported."""
    graph = relation_queries.load_graph(tx)
    if cycle := graph.find_alias_circle() or graph.circle():
        names = " → ".join(relation_queries.list_names(tx, cycle))
        raise InvalidInputError(
            f"The archive cannot be imported, because tag aliases or implications would form a cycle: {names}."
        )
    if queries.has_collection_cycle(tx):
        raise InvalidInputError("The archive cannot be imported, because a collection would contain itself.")


def _record_event(tx: WriteTx, report: ArchiveReport, *, now_ms: int) -> None:
    # Only numbers, because support bundles contain events.
    counts = {name: value for name, value in asdict(report).items() if isinstance(value, int)}
    event_log.append(tx, level="info", kind="library.imported", subject=None, data=counts, now_ms=now_ms)
