"""Model folders that the user added, and the model files in them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.file import FileStat
from mysticanvas.domain.text import clean_text
from mysticanvas.features.models import group_queries
from mysticanvas.features.models.group_queries import Grouping


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with models. `files` counts the models in it. `last_scan_at` is null before the first scan."""

    id: int
    path: str
    last_scan_at: int | None
    files: int


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model file as of the last scan."""

    id: int
    model_id: int
    folder_id: int
    path_bytes: bytes
    bytes: int
    mtime_ns: int
    hashed_at: int | None
    missing_at: int | None

    @property
    def stat(self) -> FileStat:
        return FileStat(self.path_bytes, self.bytes, self.mtime_ns)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model file read by a scan. `preview` is the path of an image next to it."""

    stat: FileStat
    kind: str
    name: str
    family: str | None
    metadata: dict[str, Any]
    hashes: Sequence[tuple[str, str]]
    preview: bytes | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file for display. `path` is absolute."""

    folder: str
    path: str
    path_bytes: bytes
    preview: bytes | None
    bytes: int
    problem: str | None
    hashed: bool
    missing: bool


def list_folders(tx: ReadTx) -> list[ModelFolder]:
    rows = tx.all(
        """
        SELECT d.id, d.path, d.last_scan_at, count(f.id) AS files
          FROM model_folders AS d
               LEFT JOIN model_files AS f ON f.folder_id = d.id
         GROUP BY d.id
         ORDER BY d.path
        """
    )
    return [ModelFolder(**row) for row in rows]


def add_folder(tx: WriteTx, path: str, *, now_ms: int) -> int:
    """Add a model folder and return its ID. An existing path returns the existing ID."""
    tx.run(
        "INSERT INTO model_folders (path, added_at) VALUES (:path, :now_ms) ON CONFLICT DO NOTHING",
        path=path,
        now_ms=now_ms,
    )
    return int(tx.value("SELECT id FROM model_folders WHERE path = :path", path=path))


def merge_folder(tx: WriteTx, inner_id: int, *, outer_id: int, prefix: bytes) -> None:
    """Merge a folder into the folder that contains it. `prefix` is its path relative to the outer folder."""
    tx.run(
        """
        UPDATE model_files
           SET folder_id = :outer_id, path_bytes = CAST(:prefix || path_bytes AS BLOB),
               path = :shown || path, preview = CAST(:prefix || preview AS BLOB)
         WHERE folder_id = :inner_id
        """,
        inner_id=inner_id,
        outer_id=outer_id,
        prefix=prefix + b"/",
        shown=_decode_path(prefix) + "/",
    )
    tx.run("DELETE FROM model_folders WHERE id = :inner_id", inner_id=inner_id)


def mark_scanned(tx: WriteTx, folder_id: int, *, now_ms: int) -> None:
    tx.run("UPDATE model_folders SET last_scan_at = :now_ms WHERE id = :folder_id", folder_id=folder_id, now_ms=now_ms)


_SELECT_FILE = "SELECT id, model_id, folder_id, path_bytes, bytes, mtime_ns, hashed_at, missing_at FROM model_files"


def list_files(tx: ReadTx, folder_id: int) -> dict[bytes, KnownModel]:
    rows = tx.all(_SELECT_FILE + " WHERE folder_id = :folder_id", folder_id=folder_id)
    return {row["path_bytes"]: KnownModel(**row) for row in rows}


def find(tx: ReadTx, file_id: int) -> tuple[str, KnownModel] | None:
    """(path of its folder, the file); None for an unknown ID."""
    row = tx.one(_SELECT_FILE + " WHERE id = :file_id", file_id=file_id)
    if row is None:
        return None
    known = KnownModel(**row)
    return tx.value("SELECT path FROM model_folders WHERE id = :id", id=known.folder_id), known


def add(tx: WriteTx, folder_id: int, found: FoundModel, *, now_ms: int) -> KnownModel:
    """Add a file at a new path, with its own registry entry."""
    model_id = _add_entry(tx, found, now_ms)
    tx.run(
        """
        INSERT INTO model_files (model_id, folder_id, path_bytes, path, bytes, mtime_ns, preview, problem)
        VALUES (:model_id, :folder_id, :path_bytes, :path, :bytes, :mtime_ns, :preview, :problem)
        """,
        model_id=model_id,
        folder_id=folder_id,
        path_bytes=found.stat.path_bytes,
        path=_decode_path(found.stat.path_bytes),
        bytes=found.stat.bytes,
        mtime_ns=found.stat.mtime_ns,
        preview=found.preview,
        problem=found.problem,
    )
    file_id = tx.last_id
    _write_entry(tx, model_id, found)
    return _get_file(tx, file_id)


def update(tx: WriteTx, known: KnownModel, found: FoundModel, *, now_ms: int) -> KnownModel:
    """Update a known file that was read again. If a hashed file has new content, it is a different model: the old
    entry stays with its images, and the file gets a new entry."""
    same = (known.bytes, known.mtime_ns) == (found.stat.bytes, found.stat.mtime_ns)
    model_id = known.model_id
    if not same and known.hashed_at is not None:
        model_id = _add_entry(tx, found, now_ms)
    tx.run(
        """
        UPDATE model_files
           SET model_id = :model_id, bytes = :bytes, mtime_ns = :mtime_ns, preview = :preview, problem = :problem,
               hashed_at = iif(:same, hashed_at, NULL), missing_at = NULL
         WHERE id = :file_id
        """,
        file_id=known.id,
        model_id=model_id,
        bytes=found.stat.bytes,
        mtime_ns=found.stat.mtime_ns,
        preview=found.preview,
        problem=found.problem,
        same=same,
    )
    if model_id != known.model_id:
        _sync_path(tx, known.model_id)
        group_queries.regroup(tx, known.model_id)
    _write_entry(tx, model_id, found)
    return _get_file(tx, known.id)


def move(tx: WriteTx, known: KnownModel, *, folder_id: int, path_bytes: bytes) -> None:
    """Set the new path of a file."""
    tx.run(
        """
        UPDATE model_files
           SET folder_id = :folder_id, path_bytes = :path_bytes, path = :path, missing_at = NULL
         WHERE id = :file_id
        """,
        file_id=known.id,
        folder_id=folder_id,
        path_bytes=path_bytes,
        path=_decode_path(path_bytes),
    )
    _sync_path(tx, known.model_id)


def set_missing(tx: WriteTx, file_ids: Sequence[int], *, now_ms: int) -> None:
    """Mark files as missing. Their entries stay."""
    tx.run(
        """
        UPDATE model_files
           SET missing_at = :now_ms
         WHERE missing_at IS NULL AND id IN (SELECT value FROM json_each(:ids))
        """,
        ids=json.dumps(list(file_ids)),
        now_ms=now_ms,
    )


def set_hashes(tx: WriteTx, known: KnownModel, hashes: Sequence[tuple[str, str]], *, now_ms: int) -> None:
    """Store the computed hashes of a file. Files with the same content become one model, and entries from images are
    matched by hash."""
    tx.run("UPDATE model_files SET hashed_at = :now_ms WHERE id = :id", id=known.id, now_ms=now_ms)
    tx.run_many(
        """
        INSERT INTO model_hashes (model_id, kind, value, source)
        VALUES (:model_id, :kind, :value, 'file')
            ON CONFLICT DO UPDATE SET source = 'file'
        """,
        [{"model_id": known.model_id, "kind": kind, "value": value} for kind, value in hashes],
    )
    sha256 = dict(hashes)["sha256"]
    first = tx.value("SELECT id FROM models WHERE hash = :sha256", sha256=sha256)
    if first is None:
        tx.run("UPDATE models SET hash = :sha256 WHERE id = :id", id=known.model_id, sha256=sha256)
    elif first != known.model_id:
        _join_entries(tx, known.model_id, group_queries.find_main_entry(tx, first))
    group_queries.regroup_around(tx, known.model_id)


def list_model_files(tx: ReadTx, model_id: int) -> list[ModelFile]:
    """The files of all entries of a model, missing ones last."""
    rows = tx.all(
        """
        SELECT d.path AS folder, d.path || '/' || f.path AS path, f.path_bytes, f.bytes, f.preview, f.problem,
               f.hashed_at IS NOT NULL AS hashed, f.missing_at IS NOT NULL AS missing
          FROM model_files AS f
               JOIN model_folders AS d ON d.id = f.folder_id
         WHERE f.model_id IN (SELECT :model_id UNION ALL SELECT id FROM models WHERE merged_into = :model_id)
         ORDER BY f.missing_at IS NOT NULL, f.id
        """,
        model_id=model_id,
    )
    return [ModelFile(**(row | {"hashed": bool(row["hashed"]), "missing": bool(row["missing"])})) for row in rows]


def _join_entries(tx: WriteTx, model_id: int, into: int) -> None:
    """Merge the entry of a second file with the same content, and all entries merged into it, into the first."""
    now = group_queries.get_grouping(tx, model_id)
    if into == model_id or now is None or now.merged_by == "user":
        return
    members = [Grouping(member.id, into, member.merged_by) for member in group_queries.list_members(tx, model_id)]
    group_queries.set_groupings(tx, [Grouping(model_id, into, "hash"), *members])


def _add_entry(tx: WriteTx, found: FoundModel, now_ms: int) -> int:
    tx.run(
        "INSERT INTO models (kind, name, created_at) VALUES (:kind, :name, :now_ms)",
        kind=found.kind,
        name=found.name,
        now_ms=now_ms,
    )
    return tx.last_id


def _write_entry(tx: WriteTx, model_id: int, found: FoundModel) -> None:
    """Store the data of the header in the entry, and regroup the entries of images that may refer to it."""
    tx.run(
        """
        UPDATE models
           SET kind = :kind, name = :name, base_family = :family, metadata_json = :metadata
         WHERE id = :model_id
        """,
        model_id=model_id,
        kind=found.kind,
        name=found.name,
        family=found.family,
        metadata=json.dumps(found.metadata, ensure_ascii=False),
    )
    tx.run("DELETE FROM model_hashes WHERE model_id = :model_id AND source = 'declared'", model_id=model_id)
    tx.run_many(
        """
        INSERT INTO model_hashes (model_id, kind, value, source)
        VALUES (:model_id, :kind, :value, 'declared')
            ON CONFLICT DO NOTHING
        """,
        [{"model_id": model_id, "kind": kind, "value": value} for kind, value in found.hashes],
    )
    _sync_path(tx, model_id)
    group_queries.regroup_around(tx, model_id)


def _sync_path(tx: WriteTx, model_id: int) -> None:
    """Set the path of the entry to one of its files, preferring a file that is not missing."""
    tx.run(
        """
        UPDATE models
           SET file_path = (SELECT d.path || '/' || f.path
                              FROM model_files AS f
                                   JOIN model_folders AS d ON d.id = f.folder_id
                             WHERE f.model_id = models.id
                             ORDER BY f.missing_at IS NOT NULL, f.id
                             LIMIT 1)
         WHERE id = :model_id
        """,
        model_id=model_id,
    )


def _get_file(tx: ReadTx, file_id: int) -> KnownModel:
    row = tx.one(_SELECT_FILE + " WHERE id = :file_id", file_id=file_id)
    assert row is not None
    return KnownModel(**row)


def _decode_path(path_bytes: bytes) -> str:
    return clean_text(path_bytes.decode("utf-8", "replace"))
