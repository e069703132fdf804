"""A whole library in one zip, to carry it to another machine or to keep it: what the person wrote, as the
states of the journal (ADR 0015), never a database file.

`manifest.json` says what it is, `words.jsonl` holds a thing a line. In the library that takes it in, what
is there already stays.
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
from mysticanvas.features.archive.schema import Manifest, thing
from mysticanvas.features.importing.service import Importing
from mysticanvas.features.journal import queries as journal_queries
from mysticanvas.features.journal import rebuild_queries
from mysticanvas.features.journal.files import LONGEST_LINE, Journal
from mysticanvas.features.journal.queries import Thing
from mysticanvas.features.journal.rebuild import recorded
from mysticanvas.features.journal.rebuild_queries import Ids
from mysticanvas.features.tags import relation_queries
from mysticanvas.fs import archives
from mysticanvas.fs.paths import folder_named

FORMAT = 1
MANIFEST, WORDS = "manifest.json", "words.jsonl"
MOST_MANIFEST_BYTES = 2**20
MOST_WORDS_BYTES = 2 * 2**30
BATCH = 500
POLL_S = 0.5


# -- out ------------------------------------------------------------------------------------------


def lines(tx: ReadTx) -> Iterator[bytes]:
    """A thing a line, over one state of the library."""
    keys = queries.keys(tx)
    for start in range(0, len(keys), BATCH):
        for one in journal_queries.things(tx, keys[start : start + BATCH]):
            yield msgspec.json.encode(one)


def write(target: Path, words: bytes) -> dict[str, int]:
    """The zip with these lines, on the disk when this returns; how many things of each kind are in it.

    Raises `InvalidInputError`: a file that is there is never overwritten.
    """
    counts: Counter[str] = Counter()
    folders = []
    for line in words.splitlines():
        one = json.loads(line)
        counts[one["kind"]] += 1
        if one["kind"] == "root":
            folders.append(one["path"])
    manifest = Manifest(FORMAT, __version__, dict(counts), folders)
    archives.write(target, {MANIFEST: msgspec.json.encode(manifest), WORDS: words})
    return dict(counts)


# -- in -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class WholeReport:
    """`images` = `matched` + `missing`: found among the images here by their content, or waiting for their
    files. `folders` lead from the folders of the export to those here; `away` are not here. In a dry run,
    what would be, before any folder is imported."""

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


def read(path: Path) -> Journal:
    """All of it is read and checked before anything is changed. Raises `InvalidInputError`."""
    with archives.opened(path) as archive:
        _check_manifest(archive.read(MANIFEST, most_bytes=MOST_MANIFEST_BYTES))
        return Journal.of(map(thing, _lines(archive.chunks(WORDS, most_bytes=MOST_WORDS_BYTES))))


def _check_manifest(text: bytes) -> None:
    try:
        version = msgspec.json.decode(text)["mysticanvas_library"]
        if isinstance(version, int) and version > FORMAT:
            raise InvalidInputError("It was written by a newer MystiCanvas; update this one first.")
        msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise InvalidInputError("It is no export of a whole library.") from error


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole_lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole_lines if line)
        if len(rest) > LONGEST_LINE:
            raise InvalidInputError("A line of it is longer than any that MystiCanvas writes.")
    if rest:
        yield rest


class WholeImport:
    """One export on its way into a library. `say` hears what is done: a message, done and total; it
    answers whether to go on."""

    def __init__(
        self,
        database: Database,
        importing: Importing,
        *,
        say: Callable[[str, int, int], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._importing = importing
        self._say = say
        self._now_ms = now_ms
        self._ids = Ids()

    def run(self, path: Path, folders: Mapping[str, str], *, dry_run: bool) -> WholeReport | None:
        """None when it was told to stop: a later run finds what this one has done."""
        written = read(path)
        report = WholeReport(dry_run, images=written.count("image"))
        places = self._places(written, folders, report)
        if dry_run:
            self._database.read(self._look, written, places, report)
            return report
        self._database.write_bulk(recorded, lambda tx: self._add_words(tx, written, places, report))
        if not (self._import(report) and self._add_images(written, places, report)):
            return None
        self._database.write_bulk(recorded, lambda tx: self._link(tx, written))
        self._database.write_bulk(_tell, report, now_ms=self._now_ms())
        return report

    # -- folders ------------------------------------------------------------------------------

    def _places(self, written: Journal, folders: Mapping[str, str], report: WholeReport) -> dict[str, tuple[str, str]]:
        """From each folder of the export to the root here that it is in, and where in that."""
        known = {one["path"]: one for one in written.things("root")}
        if strangers := folders.keys() - known.keys():
            raise InvalidInputError(f"The export knows no folder {min(strangers)}; it knows {', '.join(known)}.")
        if any(one["root"] not in known for one in written.things("image")):
            raise InvalidInputError("An image of the export is in a folder that the export does not know.")
        places = {}
        kept = self._database.read(image_folders.kept_roots)
        for old, one in known.items():
            new = str(folder_named(folders[old])) if old in folders else old
            if one["removed_at"] is None:
                if not os.path.isabs(new):
                    raise InvalidInputError(f"{old} is no folder of this machine; say --folder {old}=… where it is.")
                if os.path.isdir(new):
                    report.folders[old] = new
                else:
                    report.away.append(old)
            holder = next((root.path for root in kept if Path(new).is_relative_to(root.path)), new)
            places[old] = holder, "" if holder == new else Path(new).relative_to(holder).as_posix()
        return places

    def _import(self, report: WholeReport) -> bool:
        for folder in report.folders.values():
            started = self._importing.start([folder])
            while self._importing.report(started, wait_s=POLL_S) is None:
                progress = self._importing.progress(started)
                if not self._say(f"Importing {folder}", progress.seen - progress.todo, progress.seen):
                    return False
        return True

    # -- words --------------------------------------------------------------------------------

    def _add_words(
        self, tx: WriteTx, written: Journal, places: Mapping[str, tuple[str, str]], report: WholeReport
    ) -> None:
        """Before the folders are imported, as a rebuild does."""
        tags = queries.new_tags(tx, written.things("tag"), self._ids)
        collections = queries.new_collections(tx, written.things("collection"), self._ids)
        templates = queries.new_by_name(tx, written.things("template"))
        away = [
            one | {"path": places[one["path"]][0]}
            for one in written.things("root")
            if one["path"] in report.away or one["removed_at"] is not None
        ]
        rebuild_queries.add_by_name(
            tx, queries.new_by_name(tx, [*away, *written.things("threshold", "wildcard", "setting")])
        )
        rebuild_queries.add_tags(tx, tags, self._ids)
        rebuild_queries.add_collections(tx, collections, self._ids)
        rebuild_queries.add_templates(tx, templates)
        _check_circles(tx)
        self._covers = collections, templates
        report.tags, report.collections, report.templates = len(tags), len(collections), len(templates)

    def _add_images(self, written: Journal, places: Mapping[str, tuple[str, str]], report: WholeReport) -> bool:
        some: list[Thing] = []
        for done, one in enumerate(written.things("image"), 1):
            some.append(_moved(one, places))
            if len(some) == BATCH or done == report.images:
                report.missing += self._add_some(some)
                some = []
                if not self._say("Giving back what you wrote", done, report.images):
                    return False
        report.matched = report.images - report.missing
        return True

    def _add_some(self, some: list[Thing]) -> int:
        def add(tx: WriteTx) -> int:
            left = [queries.unsaid(tx, one, self._ids) for one in some]
            return rebuild_queries.add_images(tx, left, self._ids, app_version=__version__, now_ms=self._now_ms())

        return self._database.write_bulk(recorded, add)

    def _link(self, tx: WriteTx, written: Journal) -> None:
        queries.link_parents(tx, written.things("image"))
        rebuild_queries.show_images(tx, *self._covers)

    def _look(self, tx: ReadTx, written: Journal, places: Mapping[str, tuple[str, str]], report: WholeReport) -> None:
        report.tags = len(queries.new_tags(tx, written.things("tag"), Ids()))
        report.collections = len(queries.new_collections(tx, written.things("collection"), Ids()))
        report.templates = len(queries.new_by_name(tx, written.things("template")))
        for one in written.things("image"):
            report.matched += rebuild_queries.find(tx, _moved(one, places)) is not None
        report.missing = report.images - report.matched


def _moved(image: Thing, places: Mapping[str, tuple[str, str]]) -> Thing:
    root, inside = places[image["root"]]
    return image | {"root": root, "path": f"{inside}/{image['path']}" if inside else image["path"]}


def _check_circles(tx: ReadTx) -> None:
    """Also between what came and what was here. Nothing of it stays when this raises."""
    graph = relation_queries.graph(tx)
    if circle := graph.alias_circle() or graph.circle():
        names = " → ".join(relation_queries.names_of(tx, circle))
        raise InvalidInputError(f"With the export, tags would lead to each other in a circle: {names}.")
    if queries.has_nested_circle(tx):
        raise InvalidInputError("Collections of the export are in each other in a circle.")


def _tell(tx: WriteTx, report: WholeReport, *, now_ms: int) -> None:
    # Numbers alone: events go into the bundle for who helps.
    counts = {name: value for name, value in asdict(report).items() if isinstance(value, int)}
    event_log.append(tx, level="info", kind="library.imported", subject=None, data=counts, now_ms=now_ms)
