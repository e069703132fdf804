"""Prompt templates and wildcards."""

import json
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Template:
    """`preview` is the uuid of an image; `params` maps fields of `Recipe` to values."""

    uuid: str
    name: str
    content: str
    negative: str | None
    params: dict[str, str | int | float]
    category: str | None
    preview: str | None
    uses: int
    created_at: int


_TEMPLATE = """
        SELECT t.uuid, t.name, t.content, t.negative, t.params_json, t.category, g.uuid AS preview, t.uses, t.created_at
          FROM prompt_templates AS t
               LEFT JOIN generations AS g ON g.id = t.preview_generation_id
"""


def list_templates(tx: ReadTx) -> list[Template]:
    """All templates, by category and name."""
    return [_build_template(row) for row in tx.all(_TEMPLATE + " ORDER BY t.category, t.name, t.id")]


def list_thumbs(tx: ReadTx) -> dict[str, str]:
    """Preview images of templates: uuid to content hash in hex."""
    rows = tx.all(
        """
        SELECT g.uuid, lower(hex(f.blake3)) AS thumb
          FROM prompt_templates AS t
               JOIN generations AS g ON g.id = t.preview_generation_id
               JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
         WHERE f.blake3 IS NOT NULL
        """
    )
    return {row["uuid"]: row["thumb"] for row in rows}


def find(tx: ReadTx, uuid: str) -> Template:
    """Raises `NotFoundError`."""
    row = tx.one(_TEMPLATE + " WHERE t.uuid = :uuid", uuid=uuid)
    if row is None:
        raise NotFoundError("This template does not exist. It may have been deleted.")
    return _build_template(row)


def find_by_name(tx: ReadTx, name: str) -> list[Template]:
    """Templates with this name or uuid."""
    return [_build_template(row) for row in tx.all(_TEMPLATE + " WHERE t.name = :name OR t.uuid = :name", name=name)]


def _build_template(row: dict[str, Any]) -> Template:
    return Template(params=json.loads(row.pop("params_json")), **row)


def put(tx: WriteTx, template: Template, *, now_ms: int) -> None:
    """Add a template, or replace the one with its uuid; the count of uses never changes."""
    tx.run(
        """
        INSERT INTO prompt_templates (uuid, name, content, negative, params_json, category, preview_generation_id,
                                      created_at, updated_at)
        VALUES (:uuid, :name, :content, :negative, :params, :category,
                (SELECT id FROM generations WHERE uuid = :preview), :now_ms, :now_ms)
            ON CONFLICT (uuid) DO UPDATE
           SET name = excluded.name, content = excluded.content, negative = excluded.negative,
               params_json = excluded.params_json, category = excluded.category,
               preview_generation_id = excluded.preview_generation_id, updated_at = excluded.updated_at
        """,
        uuid=template.uuid,
        name=template.name,
        content=template.content,
        negative=template.negative,
        params=json.dumps(template.params, ensure_ascii=False, sort_keys=True),
        category=template.category,
        preview=template.preview,
        now_ms=now_ms,
    )


def remove(tx: WriteTx, uuid: str) -> int:
    return tx.run("DELETE FROM prompt_templates WHERE uuid = :uuid", uuid=uuid)


def count_use(tx: WriteTx, uuid: str) -> None:
    tx.run("UPDATE prompt_templates SET uses = uses + 1 WHERE uuid = :uuid", uuid=uuid)
    tx.changes.invalidated.add("templates")


def get_wildcard(tx: ReadTx, name: str) -> str | None:
    """The choices of a wildcard, one per line; None if there is no such wildcard."""
    text: str | None = tx.value("SELECT content FROM wildcards WHERE name = :name", name=name)
    return text


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`content` has one choice per line."""

    name: str
    content: str


def list_wildcards(tx: ReadTx) -> list[Wildcard]:
    """All wildcards, by name."""
    return [Wildcard(**row) for row in tx.all("SELECT name, content FROM wildcards ORDER BY name")]


def put_wildcard(tx: WriteTx, name: str, content: str | None, *, now_ms: int) -> int:
    """Add or replace a wildcard, delete it with None; returns how many rows changed."""
    if content is None:
        return tx.run("DELETE FROM wildcards WHERE name = :name", name=name)
    return tx.run(
        """
        INSERT INTO wildcards (name, content, updated_at) VALUES (:name, :content, :now_ms)
            ON CONFLICT (name) DO UPDATE SET content = excluded.content, updated_at = excluded.updated_at
        """,
        name=name,
        content=content,
        now_ms=now_ms,
    )
