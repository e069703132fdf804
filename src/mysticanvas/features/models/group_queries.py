"""Groups registry entries that are the same model.

An entry from images is merged into the entry of a file: by hash, which is certain, or by name, which is not. This is
recomputed whenever a file or a hash is added. Merges by the user stay. An entry is only merged into an entry that is
not merged itself, so the main entry is always one step away.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Grouping:
    """The main entry of an entry, and how that is known: hash, name or user. Both None for a main entry."""

    id: int
    merged_into: int | None
    merged_by: str | None


def find_main_entry(tx: ReadTx, model_id: int) -> int:
    """The main entry of this entry, which may be itself."""
    found = tx.value("SELECT coalesce(merged_into, id) FROM models WHERE id = :model_id", model_id=model_id)
    return int(found if found is not None else model_id)


def list_members(tx: ReadTx, model_id: int) -> list[Grouping]:
    """The entries merged into this one, by ID."""
    rows = tx.all(
        "SELECT id, merged_into, merged_by FROM models WHERE merged_into = :model_id ORDER BY id", model_id=model_id
    )
    return [Grouping(**row) for row in rows]


def get_grouping(tx: ReadTx, model_id: int) -> Grouping | None:
    row = tx.one("SELECT id, merged_into, merged_by FROM models WHERE id = :model_id", model_id=model_id)
    return Grouping(**row) if row else None


def set_groupings(tx: WriteTx, entries: Iterable[Grouping]) -> None:
    for entry in entries:
        tx.run(
            "UPDATE models SET merged_into = :into, merged_by = :by WHERE id = :id",
            id=entry.id,
            into=entry.merged_into,
            by=entry.merged_by,
        )


def regroup(tx: WriteTx, model_id: int) -> None:
    """Recompute which file an entry from images refers to. Does nothing for the entry of a file or an entry that the
    user merged."""
    now = get_grouping(tx, model_id)
    if now is None or now.merged_by == "user" or _has_file(tx, model_id):
        return
    target = _find_file_by_hash(tx, model_id)
    by = "hash"
    if target is None:
        target, by = _find_file_by_name(tx, model_id), "name"
    into = find_main_entry(tx, target) if target is not None else None
    if into == model_id:
        return
    if into is not None and list_members(tx, model_id):
        # The user merged other entries into this one, so the file joins them if nothing is merged into it.
        if by == "hash" and not list_members(tx, into):
            set_groupings(tx, [Grouping(into, model_id, "hash")])
        return
    if (now.merged_into, now.merged_by) != (into, by if into is not None else None):
        set_groupings(tx, [Grouping(model_id, into, by if into is not None else None)])


def regroup_around(tx: WriteTx, model_id: int) -> None:
    """Regroup every entry that refers, or may refer, to a file that was added or hashed."""
    for entry in tx.column(
        """
        SELECT m.id
          FROM models AS f
               JOIN models AS m ON m.name = f.name AND m.kind IN (f.kind, iif(f.kind = 'checkpoint', 'refiner', f.kind))
         WHERE f.id = :model_id AND m.file_path IS NULL
         UNION
        SELECT id FROM models WHERE merged_into = :model_id AND file_path IS NULL
         UNION
        SELECT s.model_id
          FROM model_hashes AS t
               JOIN model_hashes AS s ON s.kind = t.kind AND s.value = t.value
               JOIN models AS m ON m.id = s.model_id
         WHERE t.model_id = :model_id AND m.file_path IS NULL
         UNION
        SELECT s.model_id
          FROM model_hashes AS t
               JOIN model_hashes AS s ON s.kind = 'autov3' AND s.value = substr(t.value, 1, 12)
               JOIN models AS m ON m.id = s.model_id
         WHERE t.model_id = :model_id AND t.kind = 'sha256' AND m.file_path IS NULL
        """,
        model_id=model_id,
    ):
        regroup(tx, entry)


def _has_file(tx: ReadTx, model_id: int) -> bool:
    return bool(tx.value("SELECT file_path IS NOT NULL FROM models WHERE id = :model_id", model_id=model_id))


def _find_file_by_hash(tx: ReadTx, model_id: int) -> int | None:
    """The file that shares a hash with this entry. Computed hashes come before declared ones."""
    found: int | None = tx.value(
        """
        SELECT t.model_id
          FROM (SELECT t.model_id, t.source
                  FROM model_hashes AS s
                       JOIN model_hashes AS t ON t.kind = s.kind AND t.value = s.value
                 WHERE s.model_id = :model_id
                 UNION ALL
                SELECT t.model_id, t.source
                  FROM model_hashes AS s
                       JOIN model_hashes AS t
                         ON t.kind = 'sha256' AND t.value >= s.value AND t.value < s.value || 'g'
                 WHERE s.model_id = :model_id AND s.kind = 'autov3') AS t
               JOIN models AS m ON m.id = t.model_id
         WHERE m.file_path IS NOT NULL AND t.model_id <> :model_id
         ORDER BY t.source <> 'file', t.model_id
        """,
        model_id=model_id,
    )
    return found


def _find_file_by_name(tx: ReadTx, model_id: int) -> int | None:
    """The only file with the name of this entry. A hashed file and an entry with a hash are excluded: if they were the
    same model, their hashes would have matched."""
    found = tx.column(
        """
        SELECT DISTINCT coalesce(f.merged_into, f.id)
          FROM models AS m
               JOIN models AS f ON f.name = m.name AND f.kind = iif(m.kind = 'refiner', 'checkpoint', m.kind)
         WHERE m.id = :model_id AND f.file_path IS NOT NULL AND f.id <> m.id
           AND NOT (EXISTS (SELECT 1 FROM model_hashes WHERE model_id = m.id)
                    AND EXISTS (SELECT 1 FROM model_hashes WHERE model_id = f.id AND source = 'file'))
         LIMIT 2
        """,
        model_id=model_id,
    )
    return int(found[0]) if len(found) == 1 else None


def list_hashes(tx: ReadTx, entries: Iterable[int]) -> list[tuple[str, str, str]]:
    """(kind, value, source) of the given entries, without duplicates."""
    rows = tx.all(
        """
        SELECT DISTINCT kind, value, source
          FROM model_hashes
         WHERE model_id IN (SELECT value FROM json_each(:entries))
         ORDER BY kind, value
        """,
        entries=json.dumps(list(entries)),
    )
    return [(row["kind"], row["value"], row["source"]) for row in rows]
