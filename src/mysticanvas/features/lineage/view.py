"""The lineage around one image in layers: ancestors, siblings and descendants."""

from collections.abc import Callable, Sequence

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images import generations
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.lineage import queries
from mysticanvas.features.lineage.queries import Link
from mysticanvas.features.lineage.types import MAX_NODES, Lineage, LineageEdge, LineageNode, Role, UnknownInput

# Ancestors are few and matter most. Descendants and siblings share the rest.
MAX_ANCESTORS = 80
MAX_SIBLINGS = 40
MAX_LAYERS = 40

_Step = Callable[..., list[Link]]


def load_lineage(tx: ReadTx, uuid: str) -> Lineage:
    """The lineage of an image: at most `MAX_NODES` images, nearest first. Raises `NotFoundError`."""
    image = generations.get_id(tx, uuid)
    up, cut_above = _walk(tx, image, queries.list_parent_links, lambda link: link.parent, MAX_ANCESTORS)
    above = {link.parent for link in up}
    parents = [link.parent for link in up if link.child == image]
    beside = queries.list_child_links(tx, parents, limit=MAX_SIBLINGS + 1) if parents else []
    siblings = [link for link in beside if link.child != image and link.child not in above]
    room = MAX_NODES - 1 - len(above) - len({link.child for link in siblings[:MAX_SIBLINGS]})
    down, cut_below = _walk(tx, image, queries.list_child_links, lambda link: link.child, room)
    below = {link.child for link in down} - above
    siblings = [link for link in siblings[:MAX_SIBLINGS] if link.child not in below]
    links = list(dict.fromkeys([*up, *siblings, *down]))
    roles: dict[GenerationId, Role] = {link.child: "sibling" for link in siblings}
    roles |= dict.fromkeys(below, "descendant")
    roles |= dict.fromkeys(above, "ancestor")
    roles[image] = "self"
    layers = _assign_layers(image, up, down) | {link.child: 0 for link in siblings}
    return _build_lineage(tx, image, links, roles, layers, cut_above or cut_below or len(beside) > MAX_SIBLINGS)


def _walk(
    tx: ReadTx, image: GenerationId, step: _Step, far_end: Callable[[Link], GenerationId], most: int
) -> tuple[list[Link], bool]:
    """The links reached from an image step by step, and whether there are more."""
    links: list[Link] = []
    seen, edge = {image}, [image]
    for _ in range(MAX_LAYERS):
        if not edge:
            return links, False
        nearby = step(tx, edge, limit=most * 2)
        edge = []
        for link in nearby:
            end = far_end(link)
            if end not in seen:
                if len(seen) > most:
                    return links, True
                seen.add(end)
                edge.append(end)
            links.append(link)
        if len(nearby) == most * 2:
            return links, True
    return links, bool(edge)


def _assign_layers(image: GenerationId, up: Sequence[Link], down: Sequence[Link]) -> dict[GenerationId, int]:
    """The layer of each image. The longest path decides, so that every edge leads to a higher layer."""
    layers = {image: 0}
    for links, sign in ((up, -1), (down, 1)):
        for _ in range(MAX_LAYERS):
            changed = False
            for link in links:
                near, far = (link.child, link.parent) if sign < 0 else (link.parent, link.child)
                if near in layers and far != image and sign * layers.get(far, 0) <= sign * layers[near]:
                    layers[far] = layers[near] + sign
                    changed = True
            if not changed:
                break
    return layers


def _build_lineage(
    tx: ReadTx,
    image: GenerationId,
    links: Sequence[Link],
    roles: dict[GenerationId, Role],
    layers: dict[GenerationId, int],
    truncated: bool,
) -> Lineage:
    shown = {one.id: one for one in queries.load_summaries(tx, list(roles))}
    nodes = [
        LineageNode(
            uuid=one.uuid,
            layer=layers.get(one.id, 0),
            role=roles[one.id],
            thumb=one.thumb,
            color=one.color,
            width=one.width,
            height=one.height,
            timestamp=one.timestamp,
            favorite=one.favorite,
            rating=one.rating,
            missing=one.missing,
            deleted=one.deleted,
        )
        for one in shown.values()
    ]
    nodes.sort(key=lambda node: (node.layer, node.timestamp, node.uuid))
    edges = [
        LineageEdge(shown[link.parent].uuid, shown[link.child].uuid, link.relation, link.sure)
        for link in links
        if link.parent in shown and link.child in shown
    ]
    parent = queries.get_parent(tx, image)
    unknown = [
        UnknownInput(one.role, one.name, one.hash)
        for one in queries.list_inputs(tx, image)
        if (one.found_id is None or one.found_by is None) and not (one.role == "source" and parent.parent_by == "user")
    ]
    return Lineage(nodes, edges, unknown, parent.parent_by, truncated)
