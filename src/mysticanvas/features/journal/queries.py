"""What the journal is to say: the things of a person whose rows changed, and how each of them is now.

A thing is a dictionary with its `kind` and its `key`; one that is gone has `gone` and nothing else. The
triggers of migration 6 note what changed. Ids are those of one library, which `library_of` names.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from mysticanvas.db import settings_store
from mysticanvas.db.database import ReadTx, WriteTx

Thing = dict[str, Any]
Key = tuple[str, int | str]

LIBRARY = "journal.library"


def library_of(tx: ReadTx) -> str | None:
    """The name of this library in its journal; None while it has none."""
    found: str | None = settings_store.get(tx, LIBRARY, None)
    return found


def set_library(tx: WriteTx, name: str | None) -> None:
    settings_store.put(tx, LIBRARY, name)


# -- notes ----------------------------------------------------------------------------------------

_ALL_BUT_IMAGES = """
INSERT INTO journal_due (kind, key)
SELECT 'tag', id FROM tags
UNION ALL SELECT 'threshold', source FROM source_thresholds
UNION ALL SELECT 'collection', id FROM collections
UNION ALL SELECT 'template', uuid FROM prompt_templates
UNION ALL SELECT 'wildcard', name FROM wildcards
UNION ALL SELECT 'root', id FROM roots
UNION ALL SELECT 'model_folder', path FROM model_folders
UNION ALL SELECT 'setting', name FROM settings_of_a_person
"""

_IMAGES_OF_A_PERSON = """
SELECT id FROM generations
 WHERE is_favorite = 1 OR rating > 0 OR notes IS NOT NULL OR deleted_at IS NOT NULL OR parent_by = 'user'
UNION SELECT generation_id FROM tag_assertions WHERE source IN ('user', 'import')
UNION SELECT generation_id FROM collection_items
UNION SELECT parent_id FROM generations WHERE parent_by = 'user' AND parent_id IS NOT NULL
UNION SELECT cover_generation_id FROM collections WHERE cover_generation_id IS NOT NULL
UNION SELECT preview_generation_id FROM prompt_templates WHERE preview_generation_id IS NOT NULL
"""


def note_all_but_images(tx: WriteTx) -> None:
    tx.run(_ALL_BUT_IMAGES)


def images_of_a_person(tx: ReadTx) -> list[int]:
    """Every image that a person said something of, or that one of their things names."""
    return tx.column(_IMAGES_OF_A_PERSON)


def note_images(tx: WriteTx, images: Sequence[int]) -> None:
    tx.run_many("INSERT INTO journal_due (kind, key) VALUES ('image', ?)", [(image,) for image in images])


def due(tx: ReadTx, *, limit: int) -> tuple[list[Key], int | None]:
    """The oldest notes, each thing once, and the number up to which they go; None when there are none."""
    rows = list(tx.rows("SELECT seq, kind, key FROM journal_due ORDER BY seq LIMIT :limit", limit=limit))
    keys = dict.fromkeys((kind, key) for _, kind, key in rows)
    return list(keys), rows[-1][0] if rows else None


def forget(tx: WriteTx, through: int) -> None:
    tx.run("DELETE FROM journal_due WHERE seq <= :through", through=through)


def left(tx: ReadTx) -> int:
    """How many notes wait."""
    return int(tx.value("SELECT count(*) FROM journal_due"))


# -- things ---------------------------------------------------------------------------------------


def things(tx: ReadTx, keys: Sequence[Key]) -> list[Thing]:
    """How each of them is now, in the order of `keys`."""
    by_kind: dict[str, list[int | str]] = {}
    for kind, key in keys:
        by_kind.setdefault(kind, []).append(key)
    found: dict[Key, Thing] = {}
    for kind, wanted in by_kind.items():
        for key, thing in _READERS[kind](tx, json.dumps(wanted)).items():
            found[kind, key] = thing
    return [{"kind": kind, "key": key} | found.get((kind, key), {"gone": True}) for kind, key in keys]


def _images(tx: ReadTx, ids: str) -> dict[int | str, Thing]:
    rows = tx.all(
        """
        SELECT g.id, g.uuid, g.timestamp, r.path AS root, f.path, f.path_bytes, f.fingerprint, f.blake3,
               g.is_favorite, g.rating, g.notes, g.deleted_at, g.purge_after,
               g.parent_by, p.uuid AS parent, g.parent_relation
          FROM json_each(:ids) AS wanted
               CROSS JOIN generations AS g ON g.id = wanted.value
               LEFT JOIN generations AS p ON p.id = g.parent_id
               LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
               LEFT JOIN roots AS r ON r.id = f.root_id
        """,
        ids=ids,
    )
    said = _grouped(tx, _SAID, ids)
    collected = _grouped(tx, _COLLECTED, ids)
    return {row["id"]: _image(row, said.get(row["id"]), collected.get(row["id"])) for row in rows}


_SAID = """
        SELECT a.generation_id, a.tag_id, a.source, a.run, a.decision, a.confidence, a.created_at
          FROM json_each(:ids) AS wanted CROSS JOIN tag_assertions AS a ON a.generation_id = wanted.value
         WHERE a.source IN ('user', 'import')
         ORDER BY a.generation_id, a.tag_id, a.source, a.run
        """
_COLLECTED = """
        SELECT i.generation_id, i.collection_id, i.position, i.added_at
          FROM json_each(:ids) AS wanted CROSS JOIN collection_items AS i ON i.generation_id = wanted.value
         ORDER BY i.generation_id, i.collection_id
        """


def _grouped(tx: ReadTx, sql: str, ids: str) -> dict[int, list[list[Any]]]:
    found: dict[int, list[list[Any]]] = {}
    for image, *rest in tx.rows(sql, ids=ids):
        found.setdefault(image, []).append(rest)
    return found


def _image(row: dict[str, Any], said: list[list[Any]] | None, collected: list[list[Any]] | None) -> Thing:
    """First what tells the image from any other; then what the person wrote."""
    path_bytes: bytes | None = row["path_bytes"]
    odd_path = path_bytes is not None and path_bytes != row["path"].encode()
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
        "parent": [row["parent"], row["parent_relation"]] if by_user else None,
        "tags": said,
        "collections": collected,
    }
    return {name: value for name, value in values.items() if value is not None}


def _tags(tx: ReadTx, ids: str) -> dict[int | str, Thing]:
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
        SELECT id AS key, path, watched, added_at, removed_at FROM roots WHERE id IN (SELECT value FROM json_each(:ids))
        """,
    "model_folder": "SELECT path AS key, added_at FROM model_folders WHERE path IN (SELECT value FROM json_each(:ids))",
}


def _plain(kind: str) -> Callable[[ReadTx, str], dict[int | str, Thing]]:
    sql = _PLAIN[kind]

    def read(tx: ReadTx, ids: str) -> dict[int | str, Thing]:
        return {row.pop("key"): row for row in tx.all(sql, ids=ids)}

    return read


_READERS: dict[str, Callable[[ReadTx, str], dict[int | str, Thing]]] = {
    "image": _images,
    "tag": _tags,
    **{kind: _plain(kind) for kind in _PLAIN},
}
