"""Which entries of the registry are one model.

An entry that images made leads to the file that is meant: by a hash, for sure; else by its name, in
doubt. That is found anew whenever a file or a hash arrives. What the person merged stays merged. Entries
lead to one that leads nowhere itself, so that one step always finds what is shown.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Grouping:
    """Where an entry leads and why; None twice: nowhere."""

    id: int
    merged_into: int | None
    merged_by: str | None


def find_main_entry(tx: ReadTx, model_id: int) -> int:
    """The entry that is shown for this one."""
    found = tx.value("SELECT coalesce(merged_into, id) FROM models WHERE id = :model_id", model_id=model_id)
    return int(found if found is not None else model_id)


def list_members(tx: ReadTx, model_id: int) -> list[Grouping]:
    """The entries that lead to this one."""
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
    """Find anew which file an entry of images means. Nothing happens to a file's entry, or to what the
    person merged."""
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
        # The person gathered others here: then the file joins them, if it stands alone.
        if by == "hash" and not list_members(tx, into):
            set_groupings(tx, [Grouping(into, model_id, "hash")])
        return
    if (now.merged_into, now.merged_by) != (into, by if into is not None else None):
        set_groupings(tx, [Grouping(model_id, into, by if into is not None else None)])


def regroup_around(tx: WriteTx, model_id: int) -> None:
    """A file has come or is hashed now: look at every entry that may mean it, or that led to it."""
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
    """The file that has a hash of this entry; one computed from its bytes before one that is claimed."""
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
    """The only file by this entry's name. A file whose bytes are hashed and an entry with a hash would
    have met by it: they are two models."""
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
    """(kind, value, source) over some entries, each once."""
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
