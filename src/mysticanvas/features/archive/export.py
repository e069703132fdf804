"""Exports all user data as deterministic text: equal libraries give equal bytes."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.features.archive import export_queries
from mysticanvas.features.collections import queries as collection_queries
from mysticanvas.features.tags import bulk_script
from mysticanvas.features.tags.service import list_refused
from mysticanvas.features.templates import queries as template_queries

FORMAT = 1


def generate_lines(tx: ReadTx) -> Iterator[str]:
    """One JSON object per line: first a header with the vocabulary, then collections, templates and wildcards, then
    every image with user data. Collections, templates and images are ordered by uuid."""
    yield _format_line(
        {"mysticanvas": FORMAT, "vocabulary": bulk_script.write_tags(tx).splitlines(), "refused_tags": list_refused(tx)}
    )
    for one in sorted(collection_queries.list_collections(tx), key=lambda c: c.uuid):
        fields = {k: v for k, v in asdict(one).items() if k not in ("id", "images", "thumb") and v is not None}
        yield _format_line({"collection": fields | {"items": export_queries.list_items(tx, one.id)}})
    for template in sorted(template_queries.list_templates(tx), key=lambda t: t.uuid):
        yield _format_line(
            {"template": {k: v for k, v in asdict(template).items() if v is not None and k != "created_at"}}
        )
    for wildcard in template_queries.list_wildcards(tx):
        yield _format_line({"wildcard": asdict(wildcard)})
    for image in export_queries.list_images(tx):
        yield _format_line(image)


def _format_line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
