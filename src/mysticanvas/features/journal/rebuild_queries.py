"""Restores user data from journal entries, whose format `features/journal/queries.py` describes.

Calling a function again with the same entries changes nothing. Existing data is kept, but the journal takes precedence
where both have a value. Ids in the journal are those of the library that wrote it; `Ids` maps them to ids of this one.
"""

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import generations, placeholders, word_index
from mysticanvas.db.images.generations import NewGeneration
from mysticanvas.domain.generation import GenerationId, Recipe, TimestampSource
from mysticanvas.features.journal.files import Entry
from mysticanvas.jobs import queue as job_queue


@dataclass(frozen=True, slots=True)
class Ids:
    """Maps ids in the journal to ids in this library. `images` are those that already belong to an entry."""

    tags: dict[int, int] = field(default_factory=dict)
    collections: dict[int, int] = field(default_factory=dict)
    images: set[GenerationId] = field(default_factory=set)


# -- entries without images -----------------------------------------------------------------------


def add_tags(tx: WriteTx, entries: Sequence[Entry], ids: Ids) -> None:
    """Tags with their relations and thresholds."""
    for tag in entries:
        ids.tags[tag["key"]] = _add_tag(tx, tag)
    for tag in entries:
        mine = ids.tags[tag["key"]]
        if (target := ids.tags.get(tag["alias_of"])) is not None and target != mine:
            tx.run("INSERT OR REPLACE INTO tag_alias_edges VALUES (:tag, :target)", tag=mine, target=target)
        for implied in {ids.tags[i] for i in tag["implies"] if i in ids.tags} - {mine}:
            tx.run("INSERT OR IGNORE INTO tag_implications VALUES (:tag, :implied)", tag=mine, implied=implied)
        for source, value in tag["thresholds"].items():
            tx.run(
                "INSERT OR REPLACE INTO tag_thresholds VALUES (:tag, :source, :value)",
                tag=mine,
                source=source,
                value=value,
            )


def _add_tag(tx: WriteTx, tag: Entry) -> int:
    """Update the tag of that name, or add it, with its old id if that is free. Returns its id."""
    here = tx.value("SELECT id FROM tags WHERE normalized_name = :normalized_name", **_select(tag, "normalized_name"))
    if here is not None:
        tx.run(
            "UPDATE tags SET name = :name, category = :category, state = :state, origin = :origin WHERE id = :id",
            id=here,
            **_select(tag, "name", "category", "state", "origin"),
        )
        return int(here)
    is_taken = tx.value("SELECT EXISTS (SELECT 1 FROM tags WHERE id = :id)", id=tag["key"])
    tx.run(
        """
        INSERT INTO tags (id, name, normalized_name, category, state, origin, created_at)
        VALUES (:id, :name, :normalized_name, :category, :state, :origin, :created_at)
        """,
        id=None if is_taken else tag["key"],
        **_select(tag, "name", "normalized_name", "category", "state", "origin", "created_at"),
    )
    return tx.last_id


def add_collections(tx: WriteTx, entries: Sequence[Entry], ids: Ids) -> None:
    """Add collections without their images, which `add_images` adds, and their covers, which `set_covers` sets."""
    for one in entries:
        tx.run(
            """
            INSERT INTO collections (uuid, name, kind, query_json, notes, position, created_at, updated_at)
            VALUES (:uuid, :name, :how, :query_json, :notes, :position, :created_at, :updated_at)
                ON CONFLICT (uuid) DO UPDATE
               SET name = excluded.name, kind = excluded.kind, query_json = excluded.query_json,
                   notes = excluded.notes, position = excluded.position
            """,
            **_select(one, "uuid", "name", "how", "query_json", "notes", "position", "created_at", "updated_at"),
        )
        ids.collections[one["key"]] = tx.value("SELECT id FROM collections WHERE uuid = :uuid", uuid=one["uuid"])
    for one in entries:
        tx.run(
            "UPDATE collections SET parent_id = :parent WHERE id = :id",
            parent=ids.collections.get(one["parent_id"]),
            id=ids.collections[one["key"]],
        )


def add_templates(tx: WriteTx, entries: Iterable[Entry]) -> None:
    """Add templates without their previews, which `set_covers` sets."""
    for one in entries:
        tx.run(
            """
            INSERT INTO prompt_templates (uuid, name, content, negative, params_json, category, uses, created_at,
                                          updated_at)
            VALUES (:key, :name, :content, :negative, :params_json, :category, :uses, :created_at, :updated_at)
                ON CONFLICT (uuid) DO UPDATE
               SET name = excluded.name, content = excluded.content, negative = excluded.negative,
                   params_json = excluded.params_json, category = excluded.category
            """,
            **_select(one, "key", "name", "content", "negative", "params_json", "category", "uses"),
            **_select(one, "created_at", "updated_at"),
        )


_BY_NAME = {
    "threshold": "INSERT OR REPLACE INTO source_thresholds (source, value) VALUES (:key, :value)",
    "wildcard": "INSERT OR REPLACE INTO wildcards (name, content, updated_at) VALUES (:key, :content, :updated_at)",
    "setting": "INSERT OR REPLACE INTO settings (name, value_json) VALUES (:key, :value_json)",
    "model_folder": "INSERT OR IGNORE INTO model_folders (path, added_at) VALUES (:key, :added_at)",
    "root": """
        INSERT OR IGNORE INTO roots (path, watched, added_at, removed_at)
        VALUES (:path, :watched, :added_at, :removed_at)
        """,
}
BY_NAME = tuple(_BY_NAME)
_PARAMETER = re.compile(r":(\w+)")


def add_by_name(tx: WriteTx, entries: Iterable[Entry]) -> None:
    """Add entries of the kinds `BY_NAME`."""
    for one in entries:
        sql = _BY_NAME[one["kind"]]
        # Entries written by an older version lack newer fields.
        tx.run(sql, **{name: one.get(name) for name in _PARAMETER.findall(sql)})
        if one["kind"] == "root" and one.get("excludes_json"):
            _add_excludes(tx, one)


def _add_excludes(tx: WriteTx, one: Entry) -> None:
    tx.run(
        """
        INSERT OR REPLACE INTO folder_excludes (root_id, patterns_json)
        SELECT id, :excludes_json FROM roots WHERE path = :path
        """,
        **_select(one, "path", "excludes_json"),
    )


def add_lost_roots(tx: WriteTx, entries: Iterable[Entry], *, now_ms: int) -> None:
    """Add the folders that images name, but that have no entry of their own, because its line is damaged."""
    for path in dict.fromkeys(one["root"] for one in entries if one.get("root")):
        tx.run(
            "INSERT OR IGNORE INTO roots (path, watched, added_at) VALUES (:path, 1, :now_ms)", path=path, now_ms=now_ms
        )


# -- images ---------------------------------------------------------------------------------------


def add_images(tx: WriteTx, entries: Sequence[Entry], ids: Ids, *, app_version: str, now_ms: int) -> int:
    """Restore the user data of each image. Returns the number of images that were not found.

    Such an image is added with its user data as a missing image, and gets its file when that is imported.
    """
    missing = 0
    for one in entries:
        image = find_image(tx, one, ids.images)
        if image is None:
            image = _add_missing_image(tx, one, app_version=app_version, now_ms=now_ms)
            missing += 1
        ids.images.add(image)
        _set_marks(tx, image, one, now_ms=now_ms)
        _add_assertions(tx, image, one.get("tags", ()), ids)
        _add_to_collections(tx, image, one.get("collections", ()), ids)
        tx.changes.changed.append(image)
    return missing


def find_image(tx: ReadTx, one: Entry, others: Container[GenerationId] = ()) -> GenerationId | None:
    """The image with its uuid, if an earlier call set it; else with its content, preferring the one at its path, and
    none of the `others`, which belong to other entries."""
    existing: GenerationId | None = tx.value("SELECT id FROM generations WHERE uuid = :uuid", uuid=one["uuid"])
    if existing is not None or "fingerprint" not in one:
        return existing
    found: list[GenerationId] = tx.column(
        """
        SELECT f.generation_id
          FROM generation_files AS f JOIN roots AS r ON r.id = f.root_id
         WHERE f.fingerprint = :fingerprint AND f.kind IN ('final', 'copy')
           AND (:blake3 IS NULL OR f.blake3 IS NULL OR f.blake3 = :blake3)
         ORDER BY (f.path = :path AND r.path = :root) DESC, (f.path = :path) DESC, f.id
        """,
        fingerprint=bytes.fromhex(one["fingerprint"]),
        blake3=_decode_hex(one.get("blake3")),
        path=one.get("path"),
        root=one.get("root"),
    )
    return next((image for image in found if image not in others), None)


def _add_missing_image(tx: WriteTx, one: Entry, *, app_version: str, now_ms: int) -> GenerationId:
    new = NewGeneration(Recipe(), "{}", one["at"], TimestampSource.MTIME, None, ())
    [(image, _)] = generations.add_all(
        tx, [new], parser_version=generations.UNREAD, app_version=app_version, now_ms=now_ms
    )
    word_index.index_images(tx, [image])
    path = one.get("path") or ""
    placeholders.add_absent_file(
        tx,
        image,
        root_id=tx.value("SELECT id FROM roots WHERE path = :path", path=one.get("root")),
        path=path,
        path_bytes=_decode_hex(one.get("path_hex")),
        fingerprint=_decode_hex(one.get("fingerprint")),
        blake3=_decode_hex(one.get("blake3")),
        now_ms=now_ms,
    )
    if one.get("excluded") is not None:
        # No scan finds its file. An image that a scan found is not excluded, whatever the journal contains.
        tx.run("UPDATE generations SET excluded_at = :at WHERE id = :image", image=image, at=one["excluded"])
    return image


def _set_marks(tx: WriteTx, image: GenerationId, one: Entry, *, now_ms: int) -> None:
    deleted_at, purge_after = one.get("trash", (None, None))
    job_queue.rename(tx, generations.get_uuid(tx, image), one["uuid"])
    tx.run(
        """
        UPDATE generations
           SET uuid = :uuid, is_favorite = max(is_favorite, :favorite), rating = coalesce(:rating, rating),
               notes = coalesce(:notes, notes), deleted_at = coalesce(:deleted_at, deleted_at),
               purge_after = coalesce(:purge_after, purge_after), updated_at = :now_ms
         WHERE id = :image
        """,
        image=image,
        uuid=one["uuid"],
        favorite=int(one.get("favorite", False)),
        rating=one.get("rating"),
        notes=one.get("notes"),
        deleted_at=deleted_at,
        purge_after=purge_after,
        now_ms=now_ms,
    )


def _add_assertions(tx: WriteTx, image: GenerationId, assertions: Iterable[Sequence[Any]], ids: Ids) -> None:
    tx.run_many(
        """
        INSERT OR REPLACE INTO tag_assertions (generation_id, tag_id, source, run, decision, confidence, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        [(image, ids.tags[tag], *rest) for tag, *rest in assertions if tag in ids.tags],
    )


def _add_to_collections(tx: WriteTx, image: GenerationId, items: Iterable[Sequence[Any]], ids: Ids) -> None:
    tx.run_many(
        """
        INSERT OR REPLACE INTO collection_items (collection_id, generation_id, position, added_at)
        VALUES (?, ?, ?, ?)
        """,
        [(ids.collections[c], image, *rest) for c, *rest in items if c in ids.collections],
    )


# -- references to images -------------------------------------------------------------------------


def link_parents(tx: WriteTx, entries: Iterable[Entry]) -> None:
    """Restore the parents that the user set. Call it after all images are added."""
    for one in entries:
        if "parent" not in one:
            continue
        parent, relation = one["parent"]
        tx.run(
            """
            UPDATE generations
               SET parent_id = (SELECT id FROM generations WHERE uuid = :parent), parent_relation = :relation,
                   parent_by = 'user'
             WHERE uuid = :uuid
            """,
            uuid=one["uuid"],
            parent=parent,
            relation=relation,
        )


def set_covers(tx: WriteTx, collections: Iterable[Entry], templates: Iterable[Entry]) -> None:
    """Set the covers of collections and the previews of templates."""
    for one in collections:
        tx.run(
            """
            UPDATE collections SET cover_generation_id = (SELECT id FROM generations WHERE uuid = :cover)
             WHERE uuid = :uuid
            """,
            **_select(one, "uuid", "cover"),
        )
    for one in templates:
        tx.run(
            """
            UPDATE prompt_templates SET preview_generation_id = (SELECT id FROM generations WHERE uuid = :preview)
             WHERE uuid = :key
            """,
            **_select(one, "key", "preview"),
        )


def _select(entry: Entry, *names: str) -> dict[str, Any]:
    return {name: entry[name] for name in names}


def _decode_hex(text: str | None) -> bytes | None:
    return bytes.fromhex(text) if text else None
