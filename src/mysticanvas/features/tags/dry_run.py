"""What a script would do, worked out on a reader: nothing is written (T12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.db.database import ReadTx
from mysticanvas.domain.errors import ConflictError, MystiCanvasError, NotFoundError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.tag import TagId, key_of, tag_name
from mysticanvas.features.tags import assertion_queries, queries, relation_queries
from mysticanvas.features.tags.bulk_script import Line
from mysticanvas.features.tags.graph import Graph


@dataclass(frozen=True, slots=True)
class Outcome:
    """`images` are those of which something else would be said, or that would show something else.
    `conflict` is why the line would be refused, and with it the whole script. `remark` is worth knowing."""

    line: int
    text: str
    images: int
    conflict: str | None = None
    remark: str | None = None


def tried(tx: ReadTx, lines: Sequence[Line]) -> list[Outcome]:
    """Each line after those before it."""
    trial = _Trial(tx)
    outcomes = []
    for line in lines:
        kind, args = line.step
        try:
            images, remark = trial.do(kind.removeprefix("tag."), args)
            outcomes.append(Outcome(line.number, line.text, images, None, remark))
        except MystiCanvasError as error:
            outcomes.append(Outcome(line.number, line.text, 0, str(error)))
    return outcomes


class _Trial:
    """The vocabulary as it would be. New tags have negative ids."""

    def __init__(self, tx: ReadTx) -> None:
        self._tx = tx
        self._graph = relation_queries.graph(tx)
        self._ids: dict[str, TagId | None] = {}
        self._names: dict[TagId, str] = {}
        self._images: dict[TagId, set[GenerationId]] = {}

    def do(self, verb: str, args: dict[str, Any]) -> tuple[int, str | None]:
        if verb in ("ensure", "threshold"):
            tag = self._found_or_new(args["tag"]) if args.get("tag") else None
            return (0 if verb == "ensure" or tag is None else len(self._of(tag))), None
        if verb in ("alias", "imply"):
            return self._relate(
                verb, self._found_or_new(args["tag"]), self._found_or_new(args["of" if verb == "alias" else "implies"])
            )
        tag = self._known(args["tag"])
        if verb == "unalias":
            return self._unalias(tag), None
        if verb == "unimply":
            return self._unimply(tag, self._known(args["implies"])), None
        if verb == "rename":
            return self._rename(tag, args["to"]), None
        targets = [] if verb == "delete" else [args["to"]] if isinstance(args["to"], str) else args["to"]
        return self._move(verb, tag, [self._found_or_new(name) for name in targets]), None

    # -- relations ----------------------------------------------------------------------------

    def _relate(self, verb: str, tag: TagId, other: TagId) -> tuple[int, str | None]:
        if tag == other:
            raise ConflictError("A tag has no relation to itself.")
        graph = Graph(dict(self._graph.aliases), list(self._graph.implications))
        remark = None
        if verb == "alias":
            there = graph.aliases.get(tag)
            if there is not None and there != other:
                raise ConflictError(f"It is another name already: {self._path([tag, there])}.")
            if circle := graph.alias_path(tag, other):
                raise ConflictError(f"That would lead in a circle: {self._path([tag, *circle])}.")
            graph.aliases[tag] = other
        else:
            remark = "It follows from others already." if graph.is_redundant(tag, other) else None
            graph.implications = sorted({*graph.implications, (tag, other)})
        if circle := graph.circle():
            raise ConflictError(f"That would make tags imply each other in a circle: {self._path(circle)}.")
        self._graph = graph
        return len(self._of(tag)), remark

    def _unalias(self, tag: TagId) -> int:
        if self._graph.aliases.pop(tag, None) is None:
            raise NotFoundError(f"“{self._names[tag]}” is no other name of a tag.")
        return len(self._of(tag))

    def _unimply(self, tag: TagId, implied: TagId) -> int:
        if (tag, implied) not in self._graph.implications:
            raise NotFoundError(f"“{self._names[tag]}” does not imply “{self._names[implied]}” by itself.")
        self._graph.implications.remove((tag, implied))
        return len(self._of(tag))

    # -- tags ---------------------------------------------------------------------------------

    def _rename(self, tag: TagId, to: str) -> int:
        wanted = tag_name(to)
        if (other := self._find(wanted.key)) is not None and other != tag:
            raise ConflictError(f"There is a tag “{self._names[other]}” already; merge the two instead.")
        self._ids[key_of(self._names[tag])] = None
        self._ids[wanted.key], self._names[tag] = tag, wanted.shown
        return 0

    def _move(self, verb: str, tag: TagId, targets: Sequence[TagId]) -> int:
        if tag in targets:
            raise ConflictError(f"“{self._names[tag]}” cannot become itself.")
        images = self._of(tag)
        for target in targets:
            self._images[target] = self._of(target) | images
        self._images[tag] = set()
        if verb != "retag":
            self._drop(tag, targets[0] if verb == "merge" else None)
        return len(images)

    def _drop(self, tag: TagId, successor: TagId | None) -> None:
        def now(other: TagId) -> TagId | None:
            return successor if other == tag else other

        aliases = {a: now(b) for a, b in self._graph.aliases.items() if a != tag}
        pairs = [(now(a), now(b)) for a, b in self._graph.implications]
        self._graph = Graph(
            {a: b for a, b in aliases.items() if b is not None and a != b},
            sorted({(a, b) for a, b in pairs if a is not None and b is not None and a != b}),
        )
        if circle := self._graph.circle():
            raise ConflictError(f"That would make tags imply each other in a circle: {self._path(circle)}.")
        self._ids[key_of(self._names[tag])] = None

    # -- looking up ---------------------------------------------------------------------------

    def _find(self, key: str) -> TagId | None:
        if key not in self._ids:
            found = queries.find(self._tx, key)
            self._ids[key] = found.id if found else None
            if found:
                self._names[found.id] = found.name
        return self._ids[key]

    def _known(self, name: str) -> TagId:
        found = self._find(key_of(name))
        if found is None:
            raise NotFoundError(f"There is no tag “{name}”.")
        return found

    def _found_or_new(self, name: str) -> TagId:
        wanted = tag_name(name)
        found = self._find(wanted.key)
        if found is None:
            found = TagId(-1 - len(self._ids))
            self._ids[wanted.key], self._names[found] = found, wanted.shown
            self._images[found] = set()
        return found

    def _of(self, tag: TagId) -> set[GenerationId]:
        if tag not in self._images:
            self._images[tag] = set(assertion_queries.images_of(self._tx, tag))
        return self._images[tag]

    def _path(self, path: Sequence[TagId]) -> str:
        stored = [tag for tag in path if tag not in self._names]
        self._names |= dict(zip(stored, relation_queries.names_of(self._tx, stored), strict=True))
        return " → ".join(self._names[tag] for tag in path)
