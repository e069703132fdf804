"""The uuids of the images that a commit added, changed or removed."""

import json
from collections.abc import Iterable

from mysticanvas.db.database import ChangeSet, ReadTx
from mysticanvas.domain.event import EventKind
from mysticanvas.domain.generation import GenerationId


def list_changed(tx: ReadTx, changes: ChangeSet) -> dict[EventKind, list[str]]:
    """Each image is in one list. Visible images are added or changed; those that were moved to the Trash, excluded,
    deleted or merged into another image are removed."""
    live = _find_uuids(tx, [*changes.added, *changes.changed, *changes.removed])
    hidden = _find_hidden_uuids(tx, [image for image in changes.removed if image not in live])
    uuids = changes.gone | hidden | live
    added = {live[image] for image in changes.added if image in live}
    removed = {uuids[image] for image in changes.removed if image in uuids and image not in live}
    # The ID of an image changes with its date.
    moved = added & removed
    return {
        EventKind.IMAGE_ADDED: _name(changes.added, live, added - moved),
        EventKind.IMAGE_CHANGED: _name([*changes.changed, *changes.added], live, set(live.values()) - (added - moved)),
        EventKind.IMAGE_REMOVED: _name(changes.removed, uuids, removed - moved),
    }


def _name(images: Iterable[GenerationId], uuids: dict[GenerationId, str], wanted: set[str]) -> list[str]:
    """The wanted uuids of these images, each once, in their order."""
    return [uuid for uuid in dict.fromkeys(uuids.get(image, "") for image in images) if uuid in wanted]


def _find_uuids(tx: ReadTx, images: Iterable[GenerationId]) -> dict[GenerationId, str]:
    rows = tx.rows(
        "SELECT l.id, l.uuid FROM json_each(:ids) AS n JOIN live_generations AS l ON l.id = n.value",
        ids=json.dumps(list(dict.fromkeys(images))),
    )
    return {GenerationId(image): uuid for image, uuid in rows}


def _find_hidden_uuids(tx: ReadTx, images: Iterable[GenerationId]) -> dict[GenerationId, str]:
    rows = tx.rows(
        "SELECT g.id, g.uuid FROM json_each(:ids) AS n JOIN generations AS g ON g.id = n.value",
        ids=json.dumps(list(dict.fromkeys(images))),
    )
    return {GenerationId(image): uuid for image, uuid in rows}
