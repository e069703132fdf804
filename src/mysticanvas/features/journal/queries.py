"""Reads journal entries: the current state of all user data whose rows changed.

An entry is a dictionary with its `kind`, its `key` and the user data; an entry for a deleted object has `gone` instead
of the user data. The triggers of migration 6 record in `journal_due` what changed. Ids are those of the library that
`get_library_id` returns.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import files
from mysticanvas.features.journal.files import Entry, JournalState

Key = tuple[str, int | str]

LIBRARY_SETTING = "journal.library"


def get_library_id(tx: ReadTx) -> str | None:
    """The id of this library in its journal; None while it has no journal."""
    found: str | None = settings_store.get(tx, LIBRARY_SETTING, None)
    return found


def set_library_id(tx: WriteTx, library: str | None) -> None:
    settings_store.put(tx, LIBRARY_SETTING, library)


# -- the state of the journal ---------------------------------------------------------------------


def get_state(tx: ReadTx) -> JournalState | None:
    """None: the journal of this library must be written from scratch."""
    row = tx.one("SELECT file, bytes, checksum, full_bytes, checks FROM journal_state")
    if row is None or not row["file"].startswith(f"{get_library_id(tx)}-"):
        return None
    return JournalState(**row)


def set_state(tx: WriteTx, state: JournalState) -> None:
    tx.run(
        """
        INSERT INTO journal_state (id, file, bytes, checksum, full_bytes, checks)
        VALUES (1, :file, :bytes, :checksum, :full_bytes, :checks)
            ON CONFLICT (id) DO UPDATE
           SET file = excluded.file, bytes = excluded.bytes, checksum = excluded.checksum,
               full_bytes = excluded.full_bytes
        """,
        file=state.file,
        bytes=state.bytes,
        checksum=state.checksum,
        full_bytes=state.full_bytes,
        checks=state.checks,
    )


def forget_state(tx: WriteTx) -> None:
    """Let the journal be written from scratch."""
    tx.run("DELETE FROM journal_state")


def request_check(tx: WriteTx) -> None:
    """Let the journal be checked, and written from scratch if it is damaged."""
    tx.run("UPDATE journal_state SET checks = checks + 1")


# -- all entries ----------------------------------------------------------------------------------

_ALL_BUT_IMAGES = """
SELECT 'tag', id FROM tags
UNION ALL SELECT 'threshold', source FROM source_thresholds
UNION ALL SELECT 'collection', id FROM collections
UNION ALL SELECT 'template', uuid FROM prompt_templates
UNION ALL SELECT 'wildcard', name FROM wildcards
UNION ALL SELECT 'root', id FROM roots
UNION ALL SELECT 'model_folder', path FROM model_folders
UNION ALL SELECT 'setting', name FROM settings_of_a_person
"""


def list_images_with_user_data(tx: ReadTx) -> list[int]:
    """Every image with user data, or referenced by user data, for example as the cover of a collection."""
    return tx.column("SELECT DISTINCT id FROM journaled_images ORDER BY id")


def count_lost_by_rebuild(tx: ReadTx) -> int:
    """The number of missing images that are not in the journal, because they have no user data."""
    return int(
        tx.value(
            """
            SELECT count(*)
              FROM generations
             WHERE missing_at IS NOT NULL AND id NOT IN (SELECT id FROM journaled_images)
            """
        )
    )


def list_all_keys(tx: ReadTx) -> list[Key]:
    """The keys of all user data, images last."""
    found = [(kind, key) for kind, key in tx.rows(_ALL_BUT_IMAGES)]
    return found + [("image", image) for image in list_images_with_user_data(tx)]


# -- due entries ----------------------------------------------------------------------------------


def list_due(tx: ReadTx, *, limit: int) -> tuple[list[Key], int | None]:
    """The keys of the oldest due entries, without duplicates, and `through` for `delete_due`, None without any."""
    rows = list(tx.rows("SELECT seq, kind, key FROM journal_due ORDER BY seq LIMIT :limit", limit=limit))
    keys = dict.fromkeys((kind, key) for _, kind, key in rows)
    return list(keys), rows[-1][0] if rows else None


def delete_due(tx: WriteTx, through: int) -> None:
    tx.run("DELETE FROM journal_due WHERE seq <= :through", through=through)


def list_due_keys(tx: ReadTx) -> set[Key]:
    return {(kind, key) for kind, key in tx.rows("SELECT DISTINCT kind, key FROM journal_due")}


def record_written(tx: WriteTx, through: int, state: JournalState) -> None:
    """The due entries are in the journal, whose state is now this one. Both are recorded together, so that a killed
    process can tell its own last lines from those of others."""
    delete_due(tx, through)
    set_state(tx, state)


def count_due(tx: ReadTx) -> int:
    """The number of due entries, with duplicates."""
    return int(tx.value("SELECT count(*) FROM journal_due"))


# -- entries --------------------------------------------------------------------------------------


def read_entries(tx: ReadTx, keys: Sequence[Key]) -> list[Entry]:
    """The current entries, in the order of `keys`."""
    by_kind: dict[str, list[int | str]] = {}
    for kind, key in keys:
        by_kind.setdefault(kind, []).append(key)
    found: dict[Key, Entry] = {}
    for kind, requested in by_kind.items():
        for key, entry in _READERS[kind](tx, json.dumps(requested)).items():
            found[kind, key] = entry
    return [{"kind": kind, "key": key} | found.get((kind, key), {"gone": True}) for kind, key in keys]


def _read_images(tx: ReadTx, ids: str) -> dict[int | str, Entry]:
    rows = tx.all(
        """
        SELECT g.id, g.uuid, g.timestamp, r.path AS root, f.path, f.path_bytes, f.fingerprint, f.blake3,
               g.is_favorite, g.rating, g.notes, g.deleted_at, g.purge_after, g.excluded_at,
               g.parent_by, p.uuid AS parent, g.parent_relation
          FROM json_each(:ids) AS wanted
               CROSS JOIN generations AS g ON g.id = wanted.value
               LEFT JOIN generations AS p ON p.id = g.parent_id
               LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
               LEFT JOIN roots AS r ON r.id = f.root_id
        """,
        ids=ids,
    )
    assertions = _group_by_image(tx, _ASSERTIONS, ids)
    items = _group_by_image(tx, _COLLECTION_ITEMS, ids)
    return {row["id"]: _build_image(row, assertions.get(row["id"]), items.get(row["id"])) for row in rows}


_ASSERTIONS = """
        SELECT a.generation_id, a.tag_id, a.source, a.run, a.decision, a.confidence, a.created_at
          FROM json_each(:ids) AS wanted CROSS JOIN tag_assertions AS a ON a.generation_id = wanted.value
         WHERE a.source IN ('user', 'import')
         ORDER BY a.generation_id, a.tag_id, a.source, a.run
        """
_COLLECTION_ITEMS = """
        SELECT i.generation_id, i.collection_id, i.position, i.added_at
          FROM json_each(:ids) AS wanted CROSS JOIN collection_items AS i ON i.generation_id = wanted.value
         ORDER BY i.generation_id, i.collection_id
        """


def _group_by_image(tx: ReadTx, sql: str, ids: str) -> dict[int, list[list[Any]]]:
    found: dict[int, list[list[Any]]] = {}
    for image, *rest in tx.rows(sql, ids=ids):
        found.setdefault(image, []).append(rest)
    return found


def _build_image(row: dict[str, Any], assertions: list[list[Any]] | None, items: list[list[Any]] | None) -> Entry:
    """First the fields that identify the image, then the user data."""
    path_bytes: bytes | None = row["path_bytes"]
    odd_path = path_bytes is not None and path_bytes != row["path"].encode()
    if path_bytes is not None and path_bytes.startswith(files.DISPLACED):
        # The rest is an id of this library.
        path_bytes = files.DISPLACED
    by_user = row["parent_by"] == "user"
    values = {
        "uuid": row["uuid"],
        "at": row["timestamp"],
        "root": row["root"],
        "path": row["path"],
        "path_hex": path_bytes.hex() if path_bytes is not None and odd_path else None,
        "fingerprint": row["fingerprint"].hex() if row["fingerprint"] else None,
        "blake3": row["blake3"].hex() if row["blake3"] else None,
        "favorite": bool(row["is_favorite"]) or None,
        "rating": row["rating"] or None,
        "notes": row["notes"],
        "trash": [row["deleted_at"], row["purge_after"]] if row["deleted_at"] is not None else None,
        "excluded": row["excluded_at"],
        "parent": [row["parent"], row["parent_relation"]] if by_user else None,
        "tags": assertions,
        "collections": items,
    }
    return {name: value for name, value in values.items() if value is not None}


def _read_tags(tx: ReadTx, ids: str) -> dict[int | str, Entry]:
    rows = tx.all(
        """
        SELECT t.id, t.name, t.normalized_name, t.category, t.state, t.origin, t.created_at,
               (SELECT target_id FROM tag_alias_edges WHERE tag_id = t.id) AS alias_of,
               (SELECT json_group_array(implied_id ORDER BY implied_id)
                  FROM tag_implications WHERE tag_id = t.id) AS implies,
               (SELECT json_group_object(source, value) FROM tag_thresholds WHERE tag_id = t.id) AS thresholds
          FROM json_each(:ids) AS wanted CROSS JOIN tags AS t ON t.id = wanted.value
        """,
        ids=ids,
    )
    return {row.pop("id"): row | {name: json.loads(row[name]) for name in ("implies", "thresholds")} for row in rows}


_PLAIN = {
    "threshold": """
        SELECT source AS key, value FROM source_thresholds WHERE source IN (SELECT value FROM json_each(:ids))
        """,
    "collection": """
        SELECT id AS key, uuid, name, collections.kind AS how, query_json, parent_id,
               (SELECT uuid FROM generations WHERE id = cover_generation_id) AS cover,
               notes, position, created_at, updated_at
          FROM collections
         WHERE id IN (SELECT value FROM json_each(:ids))
        """,
    "template": """
        SELECT uuid AS key, name, content, negative, params_json, category,
               (SELECT uuid FROM generations WHERE id = preview_generation_id) AS preview,
               uses, created_at, updated_at
          FROM prompt_templates
         WHERE uuid IN (SELECT value FROM json_each(:ids))
        """,
    "wildcard": """
        SELECT name AS key, content, updated_at FROM wildcards WHERE name IN (SELECT value FROM json_each(:ids))
        """,
    "setting": """
        SELECT name AS key, value_json FROM settings_of_a_person WHERE name IN (SELECT value FROM json_each(:ids))
        """,
    "root": """
        SELECT id AS key, path, watched, added_at, removed_at,
               (SELECT patterns_json FROM folder_excludes WHERE root_id = roots.id) AS excludes_json
          FROM roots
         WHERE id IN (SELECT value FROM json_each(:ids))
        """,
    "model_folder": "SELECT path AS key, added_at FROM model_folders WHERE path IN (SELECT value FROM json_each(:ids))",
}


def _build_reader(kind: str) -> Callable[[ReadTx, str], dict[int | str, Entry]]:
    sql = _PLAIN[kind]

    def read(tx: ReadTx, ids: str) -> dict[int | str, Entry]:
        return {row.pop("key"): row for row in tx.all(sql, ids=ids)}

    return read


_READERS: dict[str, Callable[[ReadTx, str], dict[int | str, Entry]]] = {
    "image": _read_images,
    "tag": _read_tags,
    **{kind: _build_reader(kind) for kind in _PLAIN},
}
