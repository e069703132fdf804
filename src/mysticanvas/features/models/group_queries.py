"""Groups registry entries that are the same model.

A reference (an entry from images) is merged into the entry of a file, or into another reference: by hash, which is
certain, or by name, which is not (`reference_groups.py`). This is recomputed whenever a reference, a file or a hash is
added. Merges by the user stay. An entry is only merged into an entry that is not merged itself, so the main entry is
always one step away.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.features.models.reference_groups import Reference, group_references

# More entries with one name, such as "model", are not worth the time.
MAX_CONNECTED = 2_000


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


def regroup(tx: WriteTx, *model_ids: int) -> None:
    """Recompute which model these references and all that share a name or a hash with them belong to. Does nothing for
    the entry of a file or an entry that the user merged."""
    references = [_load_reference(tx, one) for one in _find_connected(tx, model_ids)]
    changed = []
    for model_id, (into, by) in group_references([one for one in references if one is not None]).items():
        now = get_grouping(tx, model_id)
        if now is not None and now.merged_by != "user" and (now.merged_into, now.merged_by) != (into, by):
            changed.append(Grouping(model_id, into, by))
    # An entry that becomes a main entry first stops to be merged itself.
    set_groupings(tx, sorted(changed, key=lambda one: one.merged_into is not None))


def _find_connected(tx: ReadTx, model_ids: Iterable[int]) -> list[int]:
    """These entries without a file, and all that are connected to them by a name, a hash or a merge."""
    return tx.column(
        """
        WITH RECURSIVE connected (id) AS (
             SELECT m.id
               FROM json_each(:ids) AS given
                    CROSS JOIN models AS m ON m.id = given.value
              WHERE m.file_path IS NULL
              UNION
             SELECT o.id
               FROM connected
                    CROSS JOIN models AS m ON m.id = connected.id
                    CROSS JOIN models AS o ON o.kind = m.kind AND o.name = m.name
              WHERE o.file_path IS NULL
              UNION
             SELECT o.id
               FROM connected
                    CROSS JOIN models AS m ON m.id = connected.id
                    CROSS JOIN model_hashes AS s ON s.model_id = m.id
                    CROSS JOIN model_hashes AS t ON t.kind = s.kind AND t.value = s.value
                    CROSS JOIN models AS o ON o.id = t.model_id AND o.kind = m.kind
              WHERE o.file_path IS NULL
              UNION
             SELECT o.id
               FROM connected
                    CROSS JOIN models AS m NOT INDEXED ON m.id = connected.id
                    CROSS JOIN models AS o ON o.id = m.merged_into
              WHERE o.file_path IS NULL
              UNION
             SELECT o.id
               FROM connected
                    CROSS JOIN models AS m ON m.id = connected.id
                    CROSS JOIN models AS o ON o.merged_into = m.id
              WHERE o.file_path IS NULL
              LIMIT :most)
        SELECT id FROM connected
        """,
        ids=json.dumps(list(model_ids)),
        most=MAX_CONNECTED,
    )


def _load_reference(tx: WriteTx, model_id: int) -> Reference | None:
    row = tx.one("SELECT kind, name, merged_into, merged_by FROM models WHERE id = :model_id", model_id=model_id)
    if row is None:
        return None
    hashes = frozenset(tx.rows("SELECT kind, value FROM model_hashes WHERE model_id = :model_id", model_id=model_id))
    target, by = _find_target(tx, model_id, row["merged_into"], row["merged_by"])
    return Reference(model_id, row["kind"], row["name"], hashes, target, by)


def _find_target(tx: WriteTx, model_id: int, merged_into: int | None, by: str | None) -> tuple[int | None, str | None]:
    if by == "user":
        return merged_into, by
    file = _find_file_by_hash(tx, model_id)
    if any(member.merged_by == "user" for member in list_members(tx, model_id)):
        # The file joins the entries that the user merged, if nothing is merged into it.
        if file is not None and find_main_entry(tx, file) == file and not list_members(tx, file):
            set_groupings(tx, [Grouping(file, model_id, "hash")])
        return model_id, "user"
    if file is not None:
        return find_main_entry(tx, file), "hash"
    file = _find_file_by_name(tx, model_id)
    return (find_main_entry(tx, file), "name") if file is not None else (None, None)


def regroup_around(tx: WriteTx, model_id: int) -> None:
    """Regroup every entry that refers, or may refer, to a file that was added or hashed."""
    entries = tx.column(
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
    )
    regroup(tx, *entries)


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
               CROSS JOIN models AS m ON m.id = t.model_id
         WHERE m.file_path IS NOT NULL AND t.model_id <> :model_id
         ORDER BY t.source <> 'file', m.file_path, t.model_id
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
