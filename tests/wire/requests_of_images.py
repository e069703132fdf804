"""Requests about images and what is said of them: search, edits, tags, collections, Trash, templates, lineage, jobs.

In this order, because some need what earlier ones made. Each is a sensible one that succeeds.
"""

from functools import partial
from typing import Any

import httpx

from tests.wire.world import Requests, World


def _post(path: str, body: Any, world: World) -> httpx.Response:
    return world.post(path.format(**world.kept, image=world.images[0], other=world.images[1]), body)


def _get(path: str, world: World, **query: Any) -> httpx.Response:
    return world.get(path.format(**world.kept, image=world.images[0], other=world.images[1]), **query)


def _delete(path: str, world: World) -> httpx.Response:
    return world.ask("DELETE", path.format(**world.kept, image=world.images[0], other=world.images[1]))


def _edit_some(world: World) -> httpx.Response:
    changed = world.post("/edits", {"uuids": world.images[:2], "set": {"tags": {"add": ["fox"]}}})
    return world.keep("edit", "operation", changed)


def _thumbnail(world: World) -> httpx.Response:
    name = world.get(f"/images/{world.images[0]}").json()["thumb"]
    return world.get(f"/thumbnails/{name}/256")


SEARCH: Requests = {
    "snapshots.open": lambda world: world.keep("snapshot", "snapshot", world.post("/snapshots", {"q": "sort:rating"})),
    "snapshots.narrow": partial(_post, "/snapshots/{snapshot}:narrow", {"ranges": [[0, 4]], "q": "-rating:5"}),
    "snapshots.getGeometry": partial(_get, "/snapshots/{snapshot}/geometry"),
    "snapshots.listItems": partial(_get, "/snapshots/{snapshot}/items", start=0, count=8),
    "snapshots.findPosition": lambda world: _get("/snapshots/{snapshot}/position", world, uuid=world.images[0]),
    "snapshots.countNewer": partial(_get, "/snapshots/{snapshot}/newer"),
    "snapshots.getHighlights": lambda world: _get("/snapshots/{snapshot}/highlights", world, uuid=world.images[0]),
    "snapshots.listFacets": partial(_get, "/snapshots/{snapshot}/facets"),
    "snapshots.listFacetValues": partial(_get, "/snapshots/{snapshot}/facets/model"),
    "search.complete": partial(_get, "/completions", q="mod"),
    "search.getStatistics": partial(_get, "/stats"),
    "search.listFacets": partial(_get, "/facets", field=["model", "size"]),
}
IMAGES: Requests = {
    "images.list": partial(_get, "/images", limit=3),
    "images.listDetails": partial(_get, "/images/details", limit=3),
    "images.get": partial(_get, "/images/{image}"),
    "images.listRawMetadata": partial(_get, "/images/{image}/raw"),
    "images.getFile": partial(_get, "/images/{image}/file"),
    "thumbnails.get": _thumbnail,
    "thumbnails.prioritize": lambda world: world.post(
        "/thumbnails:prioritize", {"snapshot": world.kept["snapshot"], "start": 0, "count": 8}
    ),
    "images.update": lambda world: world.ask(
        "PATCH", f"/images/{world.images[0]}", {"rating": 4, "notes": "by the sea", "tags": {"add": ["sea"]}}
    ),
    "images.setParent": lambda world: world.ask(
        "PUT", f"/images/{world.images[0]}/parent", {"parent": world.images[1], "relation": "variation"}
    ),
    "images.getLineage": partial(_get, "/images/{image}/lineage"),
}
EDITS: Requests = {
    "edits.create": _edit_some,
    "edits.get": partial(_get, "/edits/{edit}"),
    "edits.list": partial(_get, "/edits", limit=1),
    "edits.undo": partial(_post, "/edits/{edit}/undo", {}),
    "edits.redo": partial(_post, "/edits/{edit}/redo", {}),
    "edits.undoLast": partial(_post, "/edits:undo", {}),
    "edits.redoLast": partial(_post, "/edits:redo", {}),
}
TAGS: Requests = {
    "tags.create": partial(_post, "/tags:create", {"name": "arctic fox", "category": "animal"}),
    "tags.list": partial(_get, "/tags", limit=1),
    "tags.listSlice": partial(_get, "/tags/slice", q="f"),
    "tags.listCategories": partial(_get, "/tag-categories"),
    "tags.complete": partial(_get, "/tags/completions", q="fo"),
    "tags.alias": partial(_post, "/tags:alias", {"tag": "vixen", "of": "fox"}),
    "tags.imply": partial(_post, "/tags:imply", {"tag": "fox", "implies": "mammal"}),
    "tags.setThreshold": partial(_post, "/tags:set-threshold", {"source": "vision", "value": 0.4, "tag": "fox"}),
    "tags.get": partial(_get, "/tags/by-name", name="fox"),
    "tags.countOnImages": lambda world: _post(
        "/tags:count", {"snapshot": world.kept["snapshot"], "ranges": [[0, 8]]}, world
    ),
    "images.listTags": partial(_get, "/images/{image}/tags"),
    "tags.unalias": partial(_post, "/tags:unalias", {"tag": "vixen"}),
    "tags.unimply": partial(_post, "/tags:unimply", {"tag": "fox", "implies": "mammal"}),
    "tags.setCategory": partial(_post, "/tags:set-category", {"tags": ["fox", "mammal"], "category": "animal"}),
    "tags.propose": partial(_post, "/tags:propose", {"tags": ["mammal", "vixen"]}),
    "tags.listSuggestions": partial(_get, "/tags/suggestions"),
    "tags.accept": partial(_post, "/tags:accept", {"tags": ["mammal"]}),
    "tags.reject": partial(_post, "/tags:reject", {"tags": ["vixen"]}),
    "tags.retag": partial(_post, "/tags:retag", {"tag": "fox", "to": "arctic fox"}),
    "tags.rename": partial(_post, "/tags:rename", {"tag": "arctic fox", "to": "polar fox"}),
    "tags.merge": partial(_post, "/tags:merge", {"tag": "polar fox", "to": "fox"}),
    "tags.split": partial(_post, "/tags:split", {"tag": "fox", "to": ["snow", "animal"]}),
    "tags.delete": partial(_post, "/tags:delete", {"tag": "snow"}),
    "tags.bulkEdit": partial(_post, "/tags:bulk-edit", {"text": "tag storm : weather\nimply storm -> sky"}),
    "tags.export": partial(_get, "/tags/export"),
    "tags.listUpdates": partial(_get, "/tags/updates"),
    "tags.getPromptTags": partial(_get, "/tags/prompt-tags"),
    "tags.setPromptTags": lambda world: world.ask("PUT", "/tags/prompt-tags", {"on": True}),
}
COLLECTIONS: Requests = {
    "collections.create": lambda world: world.keep("collection", "uuid", world.post("/collections", {"name": "Best"})),
    "collections.addItem": lambda world: world.ask(
        "PUT", f"/collections/{world.kept['collection']}/items/{world.images[0]}"
    ),
    "collections.list": partial(_get, "/collections"),
    "collections.get": partial(_get, "/collections/{collection}"),
    "collections.update": lambda world: world.ask(
        "PATCH", f"/collections/{world.kept['collection']}", {"notes": "For the wall"}
    ),
    "collections.listItems": partial(_get, "/collections/{collection}/items"),
    "collections.reorder": lambda world: _post(
        "/collections/{collection}:reorder", {"images": [world.images[0]], "before": None}, world
    ),
    "collections.removeItem": partial(_delete, "/collections/{collection}/items/{image}"),
    "collections.convertToManual": lambda world: world.post(
        f"/collections/{world.post('/collections', {'name': 'Rated', 'query': 'rating:4'}).json()['uuid']}"
        ":convert-to-manual"
    ),
    "collections.delete": partial(_delete, "/collections/{collection}"),
}
TEMPLATES: Requests = {
    "wildcards.set": lambda world: world.ask("PUT", "/wildcards", {"name": "light", "content": "dawn\ndusk"}),
    "templates.create": lambda world: world.keep(
        "template", "uuid", world.post("/templates", {"name": "Foxes", "content": "a {red|blue} fox, __light__"})
    ),
    "templates.list": partial(_get, "/templates"),
    "templates.get": partial(_get, "/templates/{template}"),
    "templates.update": lambda world: world.ask(
        "PATCH", f"/templates/{world.kept['template']}", {"category": "animals", "preview": world.images[0]}
    ),
    "templates.try": partial(_post, "/templates:try", {"content": "a {subject}", "params": {"steps": 20}, "seed": 1}),
    "templates.expand": partial(_post, "/templates/{template}:expand", {"form": "json", "count": 2}),
    "templates.importStyles": partial(_post, "/templates/styles", {"text": "name,prompt\nSea,a sea"}),
    "templates.exportStyles": partial(_get, "/templates/styles"),
    "templates.delete": partial(_delete, "/templates/{template}"),
}
REMOVAL: Requests = {
    "duplicates.list": partial(_get, "/duplicates", by="bytes"),
    "duplicates.merge": lambda world: world.post(
        "/duplicates:merge", {"kept": world.images[0], "others": world.images[1:2], "accept_loss": True}
    ),
    "images.delete": lambda world: world.ask("DELETE", f"/images/{world.images[2]}"),
    "trash.openSnapshot": partial(_post, "/trash/snapshots", {}),
    "trash.list": partial(_get, "/trash", limit=1),
    "trash.updateSettings": lambda world: world.ask("PATCH", "/trash/settings", {"days": 20, "locked": ["favorites"]}),
    "trash.restore": lambda world: world.post("/trash:restore", {"uuids": world.images[2:3]}),
    "trash.purge": lambda world: world.post("/trash:purge", {"which": "all", "dry_run": True}),
}
_JOB_ACTIONS = ("retry", "discard", "cancel", "prune", "pause", "resume", "start", "stop")
JOBS: Requests = {
    "jobs.getSummary": partial(_get, "/jobs/summary"),
    "jobs.list": lambda world: world.keep_first("job", "jobs", "id", world.get("/jobs", limit=1)),
    "jobs.get": partial(_get, "/jobs/{job}"),
    **{f"jobs.{action}": partial(_post, f"/jobs:{action}", {"kind": "sha256"}) for action in _JOB_ACTIONS},
}
REQUESTS: Requests = SEARCH | IMAGES | EDITS | TAGS | COLLECTIONS | TEMPLATES | REMOVAL | JOBS
