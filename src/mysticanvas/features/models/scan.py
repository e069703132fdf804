"""Scans model folders. Workers read the headers; hashes are computed later, when the app is idle."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.errors import TaskError
from mysticanvas.domain.file import Failure, FileStat
from mysticanvas.domain.model import ModelKind
from mysticanvas.domain.task import Answer, Executor
from mysticanvas.features.models import file_queries
from mysticanvas.features.models.file_queries import FoundModel, KnownModel
from mysticanvas.features.models.folders import detect_family, detect_kind
from mysticanvas.features.models.fs_scan import PICTURE_ENDINGS, TEXT_ENDINGS
from mysticanvas.features.models.queries import get_stem
from mysticanvas.features.models.types import JOB_KIND, ListModels, ModelListing, ModelRead, ReadModel
from mysticanvas.fs.paths import resolve_folder
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.queue import NewJob
from mysticanvas.jobs.types import JobPriority

READS_IN_FLIGHT = 32
BATCH_FILES = 100
MAX_FOLDERS = 100_000


@dataclass(slots=True)
class ModelScanReport:
    """`folders` are the scanned folders. `found` = `added` + `changed` + `moved` + `unchanged` + `failed`. `missing`
    counts files that the last scan still found. `failures` are the files that could not be read."""

    folders: list[str]
    found: int = 0
    added: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    missing: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _SeenFile:
    stat: FileStat
    beside: list[bytes]


def scan(
    database: Database, executor: Executor, paths: Sequence[str], *, reread: bool, now_ms: Callable[[], int]
) -> ModelScanReport:
    """Scan model folders and add them to the library; without `paths`, scan all known folders. Unchanged files are
    read only if `reread` is set.

    Raises `InvalidInputError` when a path is not a folder, before anything is changed.
    """
    folders = [str(resolve_folder(path)) for path in paths] or [
        folder.path for folder in database.read(file_queries.list_folders)
    ]
    report = ModelScanReport(folders)
    for path in folders:
        if not os.path.isdir(path):
            # The files on an offline drive are not missing.
            report.failures.append(Failure(path, "The folder is not available. Nothing was changed."))
            continue
        home = database.write(_resolve_home, path, now_ms=now_ms())
        _Scan(database, executor, home, report, reread=reread, now_ms=now_ms).run()
    database.write_bulk(_log_end, report, now_ms=now_ms())
    return report


@dataclass(frozen=True, slots=True)
class _Home:
    """A known folder, and the subfolder of it to scan, b"" for all of it."""

    folder_id: int
    path: str
    inside: bytes


class _Scan:
    """Scans one folder on the calling thread."""

    def __init__(
        self,
        database: Database,
        executor: Executor,
        home: _Home,
        report: ModelScanReport,
        *,
        reread: bool,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._executor = executor
        self._home = home
        self._report = report
        self._reread = reread
        self._now_ms = now_ms
        self._root = os.fsencode(home.path)
        self._known = database.read(file_queries.list_files, home.folder_id)
        self._unlisted: list[bytes] = []

    def run(self) -> None:
        seen = self._list()
        self._report.found += len(seen)
        gone = self._find_missing({one.stat.path_bytes for one in seen})
        fresh = [one for one in seen if not self._is_unchanged(one)]
        fresh = self._apply_moves(fresh, gone)
        self._read(fresh)
        self._database.write_bulk(file_queries.set_missing, list(gone), now_ms=self._now_ms())
        self._report.missing += len(gone)
        if not self._home.inside:
            self._database.write_bulk(file_queries.mark_scanned, self._home.folder_id, now_ms=self._now_ms())

    def _list(self) -> list[_SeenFile]:
        seen: list[_SeenFile] = []
        waiting = deque([self._home.inside])
        listed = 0
        while waiting and listed < MAX_FOLDERS:
            asked = [waiting.popleft() for _ in range(min(len(waiting), READS_IN_FLIGHT))]
            listed += len(asked)
            futures = [self._executor.submit(ListModels(self._root, path), urgent=True) for path in asked]
            for path, future in zip(asked, futures, strict=True):
                listing = self._get_answer(path, future)
                if isinstance(listing, ModelListing):
                    waiting.extend(listing.folders)
                    beside = _group_by_stem(listing.beside)
                    seen += [_SeenFile(stat, beside.get(_get_stem(stat.path_bytes), [])) for stat in listing.models]
                else:
                    self._unlisted.append(path)
        return seen

    def _get_answer(self, path: bytes, future: Future[Answer]) -> Answer | None:
        try:
            return future.result()
        except TaskError as error:
            shown = os.path.join(self._home.path, path.decode("utf-8", "replace"))
            self._report.failures.append(Failure(shown, str(error)))
            return None

    def _find_missing(self, there: set[bytes]) -> dict[int, KnownModel]:
        """Known files in the scanned part that were not found, except in folders that could not be listed."""
        prefix = self._home.inside + b"/" if self._home.inside else b""
        unseen = tuple(path + b"/" for path in self._unlisted if path)
        return {
            known.id: known
            for path, known in self._known.items()
            if path not in there
            and path.startswith(prefix)
            and not (unseen and path.startswith(unseen))
            and b"" not in self._unlisted
        }

    def _is_unchanged(self, one: _SeenFile) -> bool:
        known = self._known.get(one.stat.path_bytes)
        same = known is not None and known.stat == one.stat and known.missing_at is None and not self._reread
        self._report.unchanged += same
        return same

    def _apply_moves(self, fresh: list[_SeenFile], gone: dict[int, KnownModel]) -> list[_SeenFile]:
        """Match new files to missing files with the same name, size and date. Returns the files without a match."""
        by_identity: dict[tuple[bytes, int, int], KnownModel] = {
            _get_identity(known.stat): known for known in gone.values()
        }
        left = []
        for one in fresh:
            known = by_identity.pop(_get_identity(one.stat), None) if one.stat.path_bytes not in self._known else None
            if known is None:
                left.append(one)
                continue
            self._database.write_bulk(
                file_queries.move, known, folder_id=self._home.folder_id, path_bytes=one.stat.path_bytes
            )
            del gone[known.id]
            self._report.moved += 1
        return left

    def _read(self, fresh: list[_SeenFile]) -> None:
        for first in range(0, len(fresh), BATCH_FILES):
            batch = fresh[first : first + BATCH_FILES]
            futures = [
                self._executor.submit(ReadModel(self._root, one.stat.path_bytes, _list_texts(one.beside)), urgent=True)
                for one in batch
            ]
            found = []
            for one, future in zip(batch, futures, strict=True):
                read = self._get_answer(one.stat.path_bytes, future)
                if isinstance(read, ModelRead):
                    found.append(_build_found_model(self._home.path, one, read))
                else:
                    self._report.failed += 1
            added = self._database.write_bulk(
                _record_models, self._home.folder_id, self._known, found, now_ms=self._now_ms()
            )
            self._report.added += added
            self._report.changed += len(found) - added


def _record_models(
    tx: WriteTx, folder_id: int, known: dict[bytes, KnownModel], found: Sequence[FoundModel], *, now_ms: int
) -> int:
    """Record models and queue idle jobs for their hashes. Returns the number of new files."""
    added = 0
    for one in found:
        before = known.get(one.stat.path_bytes)
        # It may have been hashed since the scan began.
        current = file_queries.find(tx, before.id) if before is not None else None
        if current is None:
            file = file_queries.add(tx, folder_id, one, now_ms=now_ms)
            added += 1
        else:
            file = file_queries.update(tx, current[1], one, now_ms=now_ms)
        if file.hashed_at is None:
            job = NewJob(JOB_KIND, {"model_file": file.id}, str(file.id), JobPriority.IDLE)
            job_queue.enqueue(tx, job, now_ms=now_ms)
    return added


def _build_found_model(root: str, one: _SeenFile, read: ModelRead) -> FoundModel:
    path = os.path.join(root, one.stat.path_bytes.decode("utf-8", "replace"))
    kind = read.kind or detect_kind(path) or ModelKind.OTHER
    return FoundModel(
        stat=read.stat,
        kind=str(kind),
        name=get_stem(path),
        family=read.family or detect_family(path),
        metadata=read.about | {"trigger_words": read.trigger_words},
        hashes=read.hashes,
        preview=_find_preview(one.beside),
        problem=read.problem,
    )


def _resolve_home(tx: WriteTx, path: str, *, now_ms: int) -> _Home:
    """Resolve a folder to a known folder that contains it, or add it and merge known folders inside it."""
    known = file_queries.list_folders(tx)
    for folder in known:
        if Path(path).is_relative_to(folder.path):
            inside = Path(path).relative_to(folder.path).as_posix()
            return _Home(folder.id, folder.path, b"" if inside == "." else os.fsencode(inside))
    folder_id = file_queries.add_folder(tx, path, now_ms=now_ms)
    for folder in known:
        if Path(folder.path).is_relative_to(path):
            inside = Path(folder.path).relative_to(path).as_posix()
            file_queries.merge_folder(tx, folder.id, outer_id=folder_id, prefix=os.fsencode(inside))
    return _Home(folder_id, path, b"")


def _log_end(tx: WriteTx, report: ModelScanReport, *, now_ms: int) -> None:
    data = {
        name: getattr(report, name) for name in ("found", "added", "changed", "moved", "unchanged", "missing", "failed")
    }
    subject = ", ".join(report.folders)
    level = "warning" if report.failures else "info"
    event_log.append(tx, level=level, kind="models.scan", subject=subject, data=data, now_ms=now_ms)


def _get_identity(stat: FileStat) -> tuple[bytes, int, int]:
    return os.path.basename(stat.path_bytes), stat.bytes, stat.mtime_ns


def _get_stem(path: bytes) -> bytes:
    return os.path.splitext(path)[0]


def _group_by_stem(beside: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for path in beside:
        ending = next((e for e in (*TEXT_ENDINGS, *PICTURE_ENDINGS) if path.lower().endswith(e)), b"")
        found.setdefault(path[: len(path) - len(ending)], []).append(path)
    return found


def _list_texts(beside: Sequence[bytes]) -> list[bytes]:
    """Sidecar texts, most trusted first."""
    return [path for ending in TEXT_ENDINGS for path in beside if _has_first_ending(path, ending, TEXT_ENDINGS)]


def _find_preview(beside: Sequence[bytes]) -> bytes | None:
    ordered = (
        path for ending in PICTURE_ENDINGS for path in beside if _has_first_ending(path, ending, PICTURE_ENDINGS)
    )
    return next(ordered, None)


def _has_first_ending(path: bytes, ending: bytes, endings: Sequence[bytes]) -> bool:
    """Whether `ending` is the first in `endings` that matches the path."""
    return ending == next((e for e in endings if path.lower().endswith(e)), None)
