"""Lineage: the inputs recorded in files, the images they were matched to, and parents set by the user.

Names are compared without folders and ASCII case, like the index on `generation_files`. An image is found by its
current names, the names of its copies, and its former names.

An input is matched to the image that it names (`found_id`). The match counts only with `found_by`; without it, the
match would close a circle, and is stored only to be checked again.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images.former_names import LOWER, MAX_NAME, make_name_key
from mysticanvas.domain.generation import GenerationId, InputImage

MAX_INPUTS = 64
# Above this number of images with the same name, only a hash can identify one.
MAX_CANDIDATES = 1_000
# Real images have fewer ancestors; this limits the recursion.
MAX_ANCESTORS = 10_000


@dataclass(frozen=True, slots=True)
class NamedInput:
    """An input as recorded in a file, and the image it was matched to. Without `found_by`, the match would close a
    circle."""

    position: int
    role: str
    name: str | None
    name_key: str | None
    hash: str | None
    hash_kind: str | None
    found_id: GenerationId | None
    found_by: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image with a given name. `path` is the path of one of its files, or a former name. `sha256` is the hash of its
    content, `moment_ms` as in `Age`."""

    generation_id: GenerationId
    path: str
    sha256: bytes | None
    moment_ms: int


@dataclass(frozen=True, slots=True)
class WaitingImage:
    """An image with an input of this name. `found`: the input is matched to an image."""

    generation_id: GenerationId
    name_key: str
    found: bool


@dataclass(frozen=True, slots=True)
class Parent:
    """The parent of an image, not its name in the file. `parent_id` None with `parent_by` 'user': the user removed the
    parent."""

    parent_id: GenerationId | None
    parent_relation: str | None
    parent_by: str | None


@dataclass(frozen=True, slots=True)
class Link:
    child: GenerationId
    parent: GenerationId
    relation: str
    sure: bool


# When an image was created, as far as known. It does not depend on which copy was imported first.
_MOMENT = """
       coalesce(iif(g.timestamp_source = 'mtime',
                    min(g.timestamp, (SELECT min(s.mtime_ns) / 1000000
                                        FROM generation_files AS s
                                       WHERE s.generation_id = g.id AND s.kind IN ('final', 'copy'))),
                    NULL), g.timestamp)
"""


def build_name_key(one: InputImage) -> str | None:
    """The key to find an input by. A1111 names its copy of a source image by the hash that it records."""
    return make_name_key(one.name) or (f"{one.hash}.png".translate(LOWER) if one.hash else None)


def set_inputs(tx: WriteTx, image: GenerationId, inputs: Sequence[InputImage]) -> None:
    """Replace the recorded inputs of an image. They are not matched to images yet."""
    tx.run("DELETE FROM generation_inputs WHERE generation_id = :image", image=image)
    tx.run_many(
        """
        INSERT INTO generation_inputs (generation_id, position, role, name, name_key, hash, hash_kind)
        VALUES (:image, :position, :role, :name, :name_key, :hash, :hash_kind)
        """,
        [
            {
                "image": image,
                "position": position,
                "role": one.role.value,
                "name": one.name[:MAX_NAME] if one.name else None,
                "name_key": build_name_key(one),
                "hash": one.hash[:MAX_NAME].translate(LOWER) if one.hash else None,
                "hash_kind": one.hash_kind,
            }
            for position, one in enumerate(inputs[:MAX_INPUTS])
            if one.name or one.hash
        ],
    )


def has_inputs(tx: ReadTx) -> bool:
    """Whether any image has an input."""
    return bool(tx.value("SELECT EXISTS (SELECT 1 FROM generation_inputs)"))


def list_inputs(tx: ReadTx, image: GenerationId) -> list[NamedInput]:
    rows = tx.all(
        """
        SELECT position, role, name, name_key, hash, hash_kind, found_id, found_by
          FROM generation_inputs
         WHERE generation_id = :image
         ORDER BY position
        """,
        image=image,
    )
    return [NamedInput(**row) for row in rows]


def set_found(tx: WriteTx, image: GenerationId, position: int, found: GenerationId | None, by: str | None) -> None:
    tx.run(
        """
        UPDATE generation_inputs
           SET found_id = :found, found_by = :by
         WHERE generation_id = :image AND position = :position
        """,
        image=image,
        position=position,
        found=found,
        by=by,
    )


def list_waiting(tx: ReadTx, images: Sequence[GenerationId], *, by_hash: bool = False) -> list[WaitingImage]:
    """Images with an input that has a current or former name of one of these images, and is not matched by hash. With
    `by_hash`, only inputs with the hash of a file."""
    rows = tx.all(
        """
        WITH names (name_key) AS MATERIALIZED (
             SELECT lower(replace(f.path, rtrim(f.path, replace(f.path, '/', '')), ''))
               FROM json_each(:images) AS new
                    CROSS JOIN generation_files AS f ON f.generation_id = new.value AND f.kind IN ('final', 'copy')
              UNION
             SELECT n.name_key
               FROM json_each(:images) AS new
                    CROSS JOIN former_names AS n ON n.generation_id = new.value)
        SELECT i.generation_id, i.name_key, max(i.found_id IS NOT NULL) AS found
          FROM names
               CROSS JOIN generation_inputs AS i ON i.name_key = names.name_key
         WHERE (i.found_by IS NOT 'hash' OR i.name IS NULL) AND (NOT :by_hash OR i.hash_kind = 'file_sha256')
         GROUP BY i.generation_id, i.name_key
        """,
        images=json.dumps(list(images)),
        by_hash=by_hash,
    )
    return [WaitingImage(**(row | {"found": bool(row["found"])})) for row in rows]


def list_waiting_for_hash(tx: ReadTx, hex_digest: str) -> list[GenerationId]:
    return tx.column("SELECT DISTINCT generation_id FROM generation_inputs WHERE hash = :hash", hash=hex_digest)


def find_by_sha256(tx: ReadTx, digest: bytes) -> GenerationId | None:
    found: GenerationId | None = tx.value(
        "SELECT generation_id FROM generation_files WHERE sha256 = :digest AND kind IN ('final', 'copy') ORDER BY id",
        digest=digest,
    )
    return found


def find_by_name(tx: ReadTx, key: str) -> list[Candidate]:
    """Every image with this current or former name, each path once; at most `MAX_CANDIDATES` + 1."""
    rows = tx.all(
        f"""
        SELECT named.generation_id, named.path, {_MOMENT} AS moment_ms,
               (SELECT max(s.sha256)
                  FROM generation_files AS s
                 WHERE s.generation_id = named.generation_id AND s.kind IN ('final', 'copy')) AS sha256
          FROM (SELECT f.generation_id, f.path
                  FROM generation_files AS f
                 WHERE lower(replace(f.path, rtrim(f.path, replace(f.path, '/', '')), '')) = :key
                   AND f.kind IN ('final', 'copy')
                 UNION
                SELECT n.generation_id, f.path
                  FROM former_names AS n
                       JOIN generation_files AS f
                         ON f.generation_id = n.generation_id AND f.kind IN ('final', 'copy')
                 WHERE n.name_key = :key
                 UNION
                SELECT p.generation_id, p.name_key
                  FROM former_names AS n
                       JOIN former_names AS p
                         ON p.generation_id = n.generation_id AND instr(p.name_key, '/') > 0
                        AND lower(replace(p.name_key, rtrim(p.name_key, replace(p.name_key, '/', '')), '')) = :key
                 WHERE n.name_key = :key
                 LIMIT :most + 1) AS named
               CROSS JOIN generations AS g ON g.id = named.generation_id
        """,  # noqa: S608 - a text of our own
        key=key,
        most=MAX_CANDIDATES,
    )
    return [Candidate(**row) for row in rows]


@dataclass(frozen=True, slots=True, order=True)
class Age:
    """Orders images by age: by creation time, then by content."""

    moment_ms: int
    fingerprint: bytes


def load_ages(tx: ReadTx, images: Iterable[GenerationId]) -> dict[GenerationId, Age]:
    rows = tx.all(
        f"""
        SELECT g.id, {_MOMENT} AS moment_ms, coalesce(f.fingerprint, x'') AS fingerprint
          FROM json_each(:images) AS wanted
               CROSS JOIN generations AS g ON g.id = wanted.value
               LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
        """,  # noqa: S608 - a text of our own
        images=json.dumps(list(images)),
    )
    return {row["id"]: Age(row["moment_ms"], row["fingerprint"]) for row in rows}


def list_paths(tx: ReadTx, image: GenerationId) -> list[str]:
    """Current paths of an image, without those of its companions."""
    return tx.column(
        "SELECT path FROM generation_files WHERE generation_id = :image AND kind IN ('final', 'copy')", image=image
    )


def list_made_from(tx: ReadTx, image: GenerationId) -> list[GenerationId]:
    """Images made from this one, including matches that would close a circle."""
    return tx.column(
        """
        SELECT id FROM generations WHERE parent_id = :image
         UNION
        SELECT generation_id FROM generation_inputs WHERE found_id = :image
        """,
        image=image,
    )


# -- parents ----------------------------------------------------------------------------------


def get_parent(tx: ReadTx, image: GenerationId) -> Parent:
    row = tx.one("SELECT parent_id, parent_relation, parent_by FROM generations WHERE id = :image", image=image)
    return Parent(**row) if row else Parent(None, None, None)


def set_parent(tx: WriteTx, image: GenerationId, parent: Parent, *, now_ms: int) -> None:
    tx.run(
        """
        UPDATE generations
           SET parent_id = :parent_id, parent_relation = :relation, parent_by = :by, updated_at = :now_ms
         WHERE id = :image
        """,
        image=image,
        parent_id=parent.parent_id,
        relation=parent.parent_relation,
        by=parent.parent_by,
        now_ms=now_ms,
    )
    tx.changes.changed.append(image)


def set_found_parent(tx: WriteTx, image: GenerationId, found: GenerationId | None, by: str | None) -> None:
    """Set the parent found from the file. Does nothing if the user has set a parent or nothing changes."""
    changed = tx.run(
        """
        UPDATE generations
           SET parent_id = :found, parent_by = :by
         WHERE id = :image AND parent_by IS NOT 'user' AND (parent_id IS NOT :found OR parent_by IS NOT :by)
        """,
        image=image,
        found=found,
        by=by,
    )
    if changed:
        tx.changes.changed.append(image)


def descends_from(tx: ReadTx, image: GenerationId, ancestor: GenerationId) -> bool:
    """Whether `ancestor` is `image` itself or one of its ancestors."""
    return ancestor in _list_ancestors(tx, image, closing=False)


def _list_ancestors(tx: ReadTx, image: GenerationId, *, closing: bool) -> set[GenerationId]:
    """The image and its ancestors; with `closing`, including matches that would close a circle. A parent set by the
    user replaces the source in the file."""
    return set(
        tx.column(
            """
            WITH RECURSIVE above (id) AS (
                 SELECT :image
                  UNION
                 SELECT g.parent_id
                   FROM above
                        JOIN generations AS g ON g.id = above.id
                  WHERE g.parent_id IS NOT NULL AND g.parent_by = 'user'
                  UNION
                 SELECT i.found_id
                   FROM above
                        JOIN generations AS g ON g.id = above.id
                        JOIN generation_inputs AS i ON i.generation_id = g.id
                  WHERE i.found_id IS NOT NULL AND (:closing OR i.found_by IS NOT NULL)
                    AND (i.role <> 'source' OR g.parent_by IS NOT 'user')
                  LIMIT :most)
            SELECT id FROM above
            """,
            image=image,
            closing=closing,
            most=MAX_ANCESTORS,
        )
    )


def list_descendants(tx: ReadTx, image: GenerationId) -> set[GenerationId]:
    """The image and its descendants, including matches that would close a circle."""
    return set(
        tx.column(
            """
            WITH RECURSIVE below (id) AS (
                 SELECT :image
                  UNION
                 SELECT g.id
                   FROM below
                        JOIN generations AS g ON g.parent_id = below.id
                  WHERE g.parent_by = 'user'
                  UNION
                 SELECT i.generation_id
                   FROM below
                        JOIN generation_inputs AS i ON i.found_id = below.id
                        JOIN generations AS g ON g.id = i.generation_id
                  WHERE i.role <> 'source' OR g.parent_by IS NOT 'user'
                  LIMIT :most)
            SELECT id FROM below
            """,
            image=image,
            most=MAX_ANCESTORS,
        )
    )


def find_circle(tx: ReadTx, image: GenerationId, below: set[GenerationId]) -> set[GenerationId]:
    """The images in a circle with this one: both its ancestors and its descendants, including itself. Empty without a
    circle. `below` is the result of `list_descendants`."""
    if len(below) == 1:
        return set()
    found = below & _list_ancestors(tx, image, closing=True)
    return found if len(found) > 1 else set()


def list_circle_closers(tx: ReadTx, images: Iterable[GenerationId]) -> list[GenerationId]:
    """Images with a match to one of these images that would close a circle."""
    return tx.column(
        """
        SELECT DISTINCT i.generation_id
          FROM json_each(:images) AS wanted
               CROSS JOIN generation_inputs AS i ON i.found_id = wanted.value
         WHERE i.found_by IS NULL
        """,
        images=json.dumps(list(images)),
    )


def is_joined_by_user(tx: ReadTx, images: Iterable[GenerationId]) -> bool:
    """Whether the user set one of these images as the parent of another."""
    return bool(
        tx.value(
            """
            SELECT EXISTS (SELECT 1
                             FROM json_each(:images) AS wanted
                                  CROSS JOIN generations AS g ON g.id = wanted.value
                            WHERE g.parent_by = 'user' AND g.parent_id IN (SELECT value FROM json_each(:images)))
            """,
            images=json.dumps(list(images)),
        )
    )


# -- lineage view -----------------------------------------------------------------------------


def list_parent_links(tx: ReadTx, images: Sequence[GenerationId], *, limit: int) -> list[Link]:
    """Links from these images to their parents and other inputs. A parent set by the user replaces the source in the
    file."""
    rows = tx.all(
        """
        SELECT g.id AS child, g.parent_id AS parent, coalesce(g.parent_relation, 'source') AS relation,
               g.parent_by IS NOT 'name' AS sure
          FROM json_each(:images) AS wanted
               JOIN generations AS g ON g.id = wanted.value
         WHERE g.parent_id IS NOT NULL
         UNION ALL
        SELECT i.generation_id, i.found_id, i.role, i.found_by IS 'hash'
          FROM json_each(:images) AS wanted
               JOIN generation_inputs AS i ON i.generation_id = wanted.value
               JOIN generations AS g ON g.id = i.generation_id
         WHERE i.found_id IS NOT NULL AND i.found_by IS NOT NULL AND i.found_id IS NOT g.parent_id
           AND (i.role <> 'source' OR g.parent_by IS NOT 'user')
         LIMIT :limit
        """,
        images=json.dumps(list(images)),
        limit=limit,
    )
    return [Link(**(row | {"sure": bool(row["sure"])})) for row in rows]


def list_child_links(tx: ReadTx, images: Sequence[GenerationId], *, limit: int) -> list[Link]:
    """Links from these images to the images made from them."""
    rows = tx.all(
        """
        SELECT g.id AS child, g.parent_id AS parent, coalesce(g.parent_relation, 'source') AS relation,
               g.parent_by IS NOT 'name' AS sure
          FROM json_each(:images) AS wanted
               JOIN generations AS g ON g.parent_id = wanted.value
         UNION ALL
        SELECT i.generation_id, i.found_id, i.role, i.found_by IS 'hash'
          FROM json_each(:images) AS wanted
               JOIN generation_inputs AS i ON i.found_id = wanted.value
               JOIN generations AS g ON g.id = i.generation_id
         WHERE i.found_by IS NOT NULL AND i.found_id IS NOT g.parent_id
           AND (i.role <> 'source' OR g.parent_by IS NOT 'user')
         LIMIT :limit
        """,
        images=json.dumps(list(images)),
        limit=limit,
    )
    return [Link(**(row | {"sure": bool(row["sure"])})) for row in rows]


@dataclass(frozen=True, slots=True)
class ImageSummary:
    id: GenerationId
    uuid: str
    thumb: str | None
    color: int | None
    width: int | None
    height: int | None
    timestamp: int
    favorite: bool
    rating: int
    missing: bool
    deleted: bool


def load_summaries(tx: ReadTx, images: Sequence[GenerationId]) -> list[ImageSummary]:
    rows = tx.all(
        """
        SELECT g.id, g.uuid, lower(hex(f.blake3)) AS thumb, f.color_rgb AS color, f.width, f.height, g.timestamp,
               g.is_favorite AS favorite, g.rating, g.missing_at IS NOT NULL AS missing,
               g.deleted_at IS NOT NULL AS deleted
          FROM json_each(:images) AS wanted
               JOIN generations AS g ON g.id = wanted.value
               LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
        """,
        images=json.dumps(list(images)),
    )
    flags = ("favorite", "missing", "deleted")
    return [
        ImageSummary(**(row | {name: bool(row[name]) for name in flags} | {"thumb": row["thumb"] or None}))
        for row in rows
    ]
