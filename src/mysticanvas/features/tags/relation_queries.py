"""Aliases and implications as the user set them, and the effects of every tag that derive from them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.tag import TagId
from mysticanvas.features.tags.graph import Graph


@dataclass(frozen=True, slots=True)
class EffectChange:
    """Images with `tag` now show `effective` (`gained`), or no longer do."""

    tag: TagId
    effective: TagId
    gained: bool


def load_graph(tx: ReadTx) -> Graph:
    return Graph(
        aliases={TagId(a): TagId(b) for a, b in tx.rows("SELECT tag_id, target_id FROM tag_alias_edges")},
        implications=[(TagId(a), TagId(b)) for a, b in tx.rows("SELECT tag_id, implied_id FROM tag_implications")],
    )


def list_names(tx: ReadTx, tags: Iterable[TagId]) -> list[str]:
    """Names of tags, in the given order."""
    return [str(tx.value("SELECT name FROM tags WHERE id = :tag", tag=tag)) for tag in tags]


def add_alias(tx: WriteTx, tag: TagId, target: TagId) -> None:
    tx.run("INSERT INTO tag_alias_edges (tag_id, target_id) VALUES (:tag, :target)", tag=tag, target=target)


def remove_alias(tx: WriteTx, tag: TagId) -> int:
    return tx.run("DELETE FROM tag_alias_edges WHERE tag_id = :tag", tag=tag)


def add_implication(tx: WriteTx, tag: TagId, implied: TagId) -> None:
    tx.run(
        "INSERT INTO tag_implications (tag_id, implied_id) VALUES (:tag, :implied) ON CONFLICT DO NOTHING",
        tag=tag,
        implied=implied,
    )


def remove_implication(tx: WriteTx, tag: TagId, implied: TagId) -> int:
    return tx.run(
        "DELETE FROM tag_implications WHERE tag_id = :tag AND implied_id = :implied", tag=tag, implied=implied
    )


def move_relations(tx: WriteTx, old: TagId, new: TagId) -> None:
    """Move all relations of `old` to `new`, except its own alias and those that would relate `new` to itself."""
    tx.run("DELETE FROM tag_alias_edges WHERE tag_id = :old OR (tag_id = :new AND target_id = :old)", old=old, new=new)
    tx.run("UPDATE tag_alias_edges SET target_id = :new WHERE target_id = :old", old=old, new=new)
    for mine, other in (("tag_id", "implied_id"), ("implied_id", "tag_id")):
        tx.run(
            f"""
            INSERT INTO tag_implications ({mine}, {other})
            SELECT :new, {other} FROM tag_implications WHERE {mine} = :old AND {other} <> :new
                ON CONFLICT DO NOTHING
            """,  # noqa: S608 - column names from the line above
            old=old,
            new=new,
        )
    tx.run("DELETE FROM tag_implications WHERE tag_id = :old OR implied_id = :old", old=old)


def list_edges(tx: ReadTx) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(aliases, implications) as pairs of names, sorted by normalized name."""
    aliases = tx.rows(
        """
        SELECT a.name, b.name
          FROM tag_alias_edges AS e JOIN tags AS a ON a.id = e.tag_id JOIN tags AS b ON b.id = e.target_id
         ORDER BY a.normalized_name
        """
    )
    found = [(a, b) for a, b in aliases]
    implications = tx.rows(
        """
        SELECT a.name, b.name
          FROM tag_implications AS e JOIN tags AS a ON a.id = e.tag_id JOIN tags AS b ON b.id = e.implied_id
         ORDER BY a.normalized_name, b.normalized_name
        """
    )
    return found, [(a, b) for a, b in implications]


def list_relations(tx: ReadTx, tag: TagId) -> dict[str, list[str]]:
    """Names of its aliases, of the tags it implies and of those that imply it, direct relations only."""
    return {
        "aliases": tx.column(
            "SELECT t.name FROM tag_alias_edges AS e JOIN tags AS t ON t.id = e.tag_id WHERE e.target_id = :tag"
            " ORDER BY t.normalized_name",
            tag=tag,
        ),
        "implies": tx.column(
            "SELECT t.name FROM tag_implications AS e JOIN tags AS t ON t.id = e.implied_id WHERE e.tag_id = :tag"
            " ORDER BY t.normalized_name",
            tag=tag,
        ),
        "implied_by": tx.column(
            "SELECT t.name FROM tag_implications AS e JOIN tags AS t ON t.id = e.tag_id WHERE e.implied_id = :tag"
            " ORDER BY t.normalized_name",
            tag=tag,
        ),
    }


def find_implied_among(tx: ReadTx, tags: Sequence[int]) -> dict[int, list[str]]:
    """Those of the tags that others of them imply, each with the names of those others."""
    rows = tx.rows(
        """
        SELECT e.effective_id, t.name
          FROM json_each(:tags) AS w
               CROSS JOIN tag_effects AS e ON e.tag_id = w.value AND e.implied = 1
               CROSS JOIN tags AS t ON t.id = e.tag_id
         WHERE e.effective_id IN (SELECT value FROM json_each(:tags))
         ORDER BY t.normalized_name
        """,
        tags=json.dumps(list(tags)),
    )
    found: dict[int, list[str]] = {}
    for effective, name in rows:
        found.setdefault(effective, []).append(name)
    return found


# -- derived effects ------------------------------------------------------------------------------


def update_effects(tx: WriteTx) -> list[EffectChange]:
    """Update the effects after relations changed; returns what changed."""
    now = load_graph(tx)
    old = _load_effects(tx)
    new = now.compute_effects()
    changes = []
    for tag in old.keys() | new.keys():
        exists = tx.value("SELECT 1 FROM tags WHERE id = :tag", tag=tag)
        meant = new.get(tag, {tag: False}) if exists else {}
        changes += _set_effects(tx, tag, old.get(tag, {tag: False}), meant)
    _update_aliases(tx, now)
    return changes


def delete_derived(tx: WriteTx, tags: Iterable[TagId]) -> None:
    """Delete the effects, counts and pending work of deleted tags."""
    for tag in tags:
        tx.run("DELETE FROM tag_effects WHERE tag_id = :tag OR effective_id = :tag", tag=tag)
        tx.run("DELETE FROM tag_counts WHERE tag_id = :tag", tag=tag)
        tx.run("DELETE FROM posting_work WHERE tag_id = :tag", tag=tag)


def _load_effects(tx: ReadTx) -> dict[TagId, dict[TagId, bool]]:
    """For tags with effects other than themselves: effective tag → whether it is implied."""
    found: dict[TagId, dict[TagId, bool]] = {}
    rows = tx.rows(
        """
        SELECT tag_id, effective_id, implied FROM tag_effects
         WHERE tag_id IN (SELECT tag_id FROM tag_effects WHERE effective_id <> tag_id)
        """
    )
    for tag, effective, implied in rows:
        found.setdefault(TagId(tag), {})[TagId(effective)] = bool(implied)
    return found


def _set_effects(tx: WriteTx, tag: TagId, old: Mapping[TagId, bool], new: Mapping[TagId, bool]) -> list[EffectChange]:
    if old == new:
        return []
    tx.run("DELETE FROM tag_effects WHERE tag_id = :tag", tag=tag)
    tx.run_many(
        "INSERT INTO tag_effects (tag_id, effective_id, implied) VALUES (:tag, :effective, :implied)",
        [{"tag": tag, "effective": effective, "implied": int(implied)} for effective, implied in new.items()],
    )
    # Thresholds, states and rejections are those of the resolved tag: if it changes, all effects must be checked.
    same_end = {tag for tag, implied in old.items() if not implied} == {t for t, implied in new.items() if not implied}
    kept = old.keys() & new.keys() if same_end else set()
    lost = [EffectChange(tag, effective, False) for effective in old.keys() - kept]
    return lost + [EffectChange(tag, effective, True) for effective in new.keys() - kept]


def _update_aliases(tx: WriteTx, now: Graph) -> None:
    tx.run("DELETE FROM tag_aliases")
    tx.run_many(
        """
        INSERT INTO tag_aliases (normalized_name, name, tag_id)
        SELECT normalized_name, name, :target FROM tags WHERE id = :tag
        """,
        [{"tag": tag, "target": now.resolve_alias(tag)} for tag in now.aliases],
    )
