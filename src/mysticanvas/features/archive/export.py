"""All that a person wrote, as stable text: equal libraries give equal bytes."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.features.archive import export_queries
from mysticanvas.features.collections import queries as collection_queries
from mysticanvas.features.tags import bulk_script
from mysticanvas.features.tags.service import refused
from mysticanvas.features.templates import queries as template_queries

FORMAT = 1


def lines(tx: ReadTx) -> Iterator[str]:
    """JSON, an object a line: first the head with the vocabulary, then collections, templates and
    wildcards, then every image of which the person wrote something; each kind ordered by uuid."""
    yield _line({"mysticanvas": FORMAT, "vocabulary": bulk_script.write(tx).splitlines(), "refused_tags": refused(tx)})
    for one in sorted(collection_queries.listed(tx), key=lambda c: c.uuid):
        shown = {k: v for k, v in asdict(one).items() if k not in ("id", "images", "thumb") and v is not None}
        yield _line({"collection": shown | {"items": export_queries.items(tx, one.id)}})
    for template in sorted(template_queries.listed(tx), key=lambda t: t.uuid):
        yield _line({"template": {k: v for k, v in asdict(template).items() if v is not None and k != "created_at"}})
    for wildcard in template_queries.wildcards(tx):
        yield _line({"wildcard": wildcard})
    for image in export_queries.images(tx):
        yield _line(image)


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
