"""What the database knows of each image of a group, for `proposal.py`, and copying it to the image that is kept."""

import json
import posixpath
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import raw_metadata
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.duplicates.generation_data import COLUMNS, GenerationData
from mysticanvas.features.duplicates.proposal import Candidate

# Real images have fewer.
MAX_ANCESTORS = 1_000
# (model, role) → (weight, whether a hash names the model)
_Uses = dict[tuple[int, str], tuple[float | None, int]]


def list_candidates(tx: ReadTx, images: Sequence[GenerationId]) -> list[Candidate]:
    """The live images, in the given order; others are skipped."""
    found = _read_candidates(tx, images, in_trash=False)
    return [one if one.data.list_known() else replace(one, inherited=_find_inherited(tx, one)) for one in found]


def _find_inherited(tx: ReadTx, image: Candidate) -> GenerationData:
    """The generation data of the nearest ancestor that has some."""
    parent, seen = image.parent, {image.image}
    while parent is not None and parent not in seen and len(seen) <= MAX_ANCESTORS:
        seen.add(parent)
        [above] = _read_candidates(tx, [parent], in_trash=True)
        if above.data.list_known():
            return above.data
        parent = above.parent
    return GenerationData()


def _read_candidates(tx: ReadTx, images: Sequence[GenerationId], *, in_trash: bool) -> list[Candidate]:
    ids = json.dumps(list(images))
    rows = tx.all(
        f"""
        SELECT g.id, g.uuid, f.path, g.missing_at, g.parent_id, g.is_favorite, g.rating, g.notes, g.timestamp,
               f.width AS width_px, f.height AS height_px, f.bytes, {", ".join(f"g.{name}" for name in COLUMNS)},
               g.params_json, coalesce(m.merged_into, m.id) AS model,
               (
                   SELECT count(*) FROM generations AS c
                    WHERE c.parent_id = g.id AND c.deleted_at IS NULL AND c.excluded_at IS NULL
               ) AS children,
               (SELECT count(*) FROM collection_items AS i WHERE i.generation_id = g.id) AS collections,
               EXISTS (SELECT 1 FROM generation_workflows AS w WHERE w.generation_id = g.id) AS has_workflow
          FROM json_each(:images) AS wanted
               CROSS JOIN generations AS g ON g.id = wanted.value
               LEFT JOIN models AS m ON m.id = g.model_id
               LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
         WHERE (g.deleted_at IS NULL AND g.excluded_at IS NULL) OR :in_trash
         ORDER BY wanted.key
        """,  # noqa: S608 - columns of our own
        images=ids,
        in_trash=in_trash,
    )
    uses, tags = _list_uses(tx, ids), _list_own_tags(tx, ids)
    return [_build_candidate(row, uses[row["id"]], tags[row["id"]]) for row in rows]


def _build_candidate(row: dict[str, Any], uses: _Uses, tags: dict[str, bool]) -> Candidate:
    data = GenerationData(
        values={name: row[name] for name in COLUMNS if row[name] not in (None, "")},
        model=row["model"],
        params=json.loads(row["params_json"]),
        uses=uses,
        has_workflow=bool(row["has_workflow"]),
    )
    return Candidate(
        image=GenerationId(row["id"]),
        uuid=row["uuid"],
        name=posixpath.basename(row["path"] or "") or "an image without a file",
        missing=row["missing_at"] is not None,
        data=data,
        parent=row["parent_id"],
        children=row["children"],
        favorite=bool(row["is_favorite"]),
        rating=row["rating"],
        notes=row["notes"],
        collections=row["collections"],
        tags=tags,
        width=row["width_px"] or 0,
        height=row["height_px"] or 0,
        bytes=row["bytes"] or 0,
        timestamp=row["timestamp"],
    )


def _list_uses(tx: ReadTx, images: str) -> dict[int, _Uses]:
    rows = tx.rows(
        """
        SELECT u.generation_id, coalesce(m.merged_into, m.id), u.role, u.weight, u.sure
          FROM json_each(:images) AS wanted
               CROSS JOIN generation_models AS u ON u.generation_id = wanted.value
               JOIN models AS m ON m.id = u.model_id
        """,
        images=images,
    )
    found: dict[int, _Uses] = defaultdict(dict)
    for image, model, role, weight, sure in rows:
        found[image][model, role] = weight, sure
    return found


def _list_own_tags(tx: ReadTx, images: str) -> dict[int, dict[str, bool]]:
    """The tags that the user assigned (True) or rejected (False), by image. Aliases are resolved."""
    rows = tx.rows(
        """
        SELECT a.generation_id, t.name, max(a.decision)
          FROM json_each(:images) AS wanted
               CROSS JOIN tag_assertions AS a ON a.generation_id = wanted.value AND a.source = 'user'
               JOIN tag_effects AS e ON e.tag_id = a.tag_id AND e.implied = 0
               JOIN tags AS t ON t.id = e.effective_id
         GROUP BY a.generation_id, e.effective_id
        """,
        images=images,
    )
    found: dict[int, dict[str, bool]] = defaultdict(dict)
    for image, tag, decision in rows:
        found[image][tag] = bool(decision)
    return found


def set_generation_data(
    tx: WriteTx, image: GenerationId, before: GenerationData, after: GenerationData, *, problem: str, now_ms: int
) -> None:
    """Write what `after` has and `before` lacks. `problem` is shown with the image and says where it comes from."""
    new = {name: value for name, value in after.values.items() if name not in before.values}
    assignments = "".join(f"{name} = :{name}, " for name in new)
    tx.run(
        f"""
        UPDATE generations
           SET {assignments} params_json = :params, updated_at = :now_ms,
               problems_json = json_insert(problems_json, '$[#]', :problem)
         WHERE id = :image
        """,  # noqa: S608 - columns of our own
        image=image,
        params=json.dumps(after.params, ensure_ascii=False),
        problem=problem,
        now_ms=now_ms,
        **new,
    )
    tx.run_many(
        """
        INSERT INTO generation_models (generation_id, model_id, role, weight, sure)
        VALUES (:image, :model, :role, :weight, :sure)
            ON CONFLICT DO NOTHING
        """,
        [
            {"image": image, "model": model, "role": role, "weight": weight, "sure": sure}
            for (model, role), (weight, sure) in after.uses.items()
            if (model, role) not in before.uses
        ],
    )


def copy_texts(tx: WriteTx, image: GenerationId, source: GenerationId) -> None:
    """Add the original texts of `source` to those of the image, without repeating one."""
    known = {one.text for one in raw_metadata.list_entries(tx, image)}
    for entry in raw_metadata.list_entries(tx, source):
        if entry.text not in known:
            raw_metadata.store_another(tx, image, entry)


def copy_other_tags(tx: WriteTx, image: GenerationId, sources: Sequence[GenerationId]) -> None:
    """Copy tags that files, prompts and models assigned. What the image has already is not changed."""
    tx.run(
        """
        INSERT INTO tag_assertions (generation_id, tag_id, source, run, decision, confidence, created_at)
        SELECT :image, tag_id, source, run, decision, confidence, created_at
          FROM tag_assertions
         WHERE generation_id IN (SELECT value FROM json_each(:sources)) AND source <> 'user'
         ORDER BY confidence DESC
            ON CONFLICT DO NOTHING
        """,
        image=image,
        sources=json.dumps(list(sources)),
    )


def replace_covers(tx: WriteTx, image: GenerationId, others: Sequence[GenerationId], *, now_ms: int) -> None:
    """Make the image the cover of collections and the preview of templates, where one of the others was it."""
    for table, column in (("collections", "cover_generation_id"), ("prompt_templates", "preview_generation_id")):
        tx.run(
            f"""
            UPDATE {table} SET {column} = :image, updated_at = :now_ms
             WHERE {column} IN (SELECT value FROM json_each(:others))
            """,  # noqa: S608 - names of our own
            image=image,
            others=json.dumps(list(others)),
            now_ms=now_ms,
        )


def list_children(tx: ReadTx, images: Sequence[GenerationId]) -> list[tuple[GenerationId, str | None]]:
    """(image, relation) of the images that were made from any of these, without these themselves."""
    rows = tx.rows(
        """
        SELECT id, parent_relation
          FROM generations
         WHERE parent_id IN (SELECT value FROM json_each(:images))
           AND id NOT IN (SELECT value FROM json_each(:images))
        """,
        images=json.dumps(list(images)),
    )
    return [(GenerationId(image), relation) for image, relation in rows]
