"""Aliases and implications as the person said them, and what follows: the effects of every tag."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.tag import TagId
from mysticanvas.features.tags.graph import Graph


@dataclass(frozen=True, slots=True)
class EffectChange:
    """Images with `tag` show `effective` from now on (`gained`), or do not any more."""

    tag: TagId
    effective: TagId
    gained: bool


def graph(tx: ReadTx) -> Graph:
    return Graph(
        aliases={TagId(a): TagId(b) for a, b in tx.rows("SELECT tag_id, target_id FROM tag_alias_edges")},
        implications=[(TagId(a), TagId(b)) for a, b in tx.rows("SELECT tag_id, implied_id FROM tag_implications")],
    )


def names_of(tx: ReadTx, tags: Iterable[TagId]) -> list[str]:
    """In the order given."""
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
    """Everything that led to or from `old` leads to or from `new`; what would lead to itself is dropped."""
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
    """Aliases and implications by name, in order."""
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
    """Names: those that lead here, what it implies and what implies it, as the person said it."""
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
    """Of these tags, those that others of them imply, with the names of those others."""
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


# -- what follows ---------------------------------------------------------------------------------


def update_effects(tx: WriteTx) -> list[EffectChange]:
    """Bring the effects in step with the relations, and say what changed."""
    now = graph(tx)
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
    """What is derived of tags that are gone. Postings that others had of them go with their work."""
    for tag in tags:
        tx.run("DELETE FROM tag_effects WHERE tag_id = :tag OR effective_id = :tag", tag=tag)
        tx.run("DELETE FROM tag_counts WHERE tag_id = :tag", tag=tag)
        tx.run("DELETE FROM posting_work WHERE tag_id = :tag", tag=tag)


def _load_effects(tx: ReadTx) -> dict[TagId, dict[TagId, bool]]:
    """Of tags that have more or other effects than themselves: effective tag → whether it is implied."""
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
    # Thresholds, proposals and noes go by the tag at the end: with another end, all of it is in question.
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
