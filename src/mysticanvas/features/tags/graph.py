"""Aliases and implications as a graph: resolves aliases, computes implied tags and finds circles."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from mysticanvas.domain.tag import TagId


@dataclass(slots=True)
class Graph:
    """`aliases` maps each alias to its target, which can be an alias too. Implications apply to the resolved tags."""

    aliases: dict[TagId, TagId] = field(default_factory=dict)
    implications: list[tuple[TagId, TagId]] = field(default_factory=list)

    def resolve_alias(self, tag: TagId) -> TagId:
        seen = {tag}
        while (after := self.aliases.get(tag)) is not None and after not in seen:
            seen.add(after)
            tag = after
        return tag

    def compute_effects(self) -> dict[TagId, dict[TagId, bool]]:
        """For every tag with a relation: the tags that it shows, each with whether it is implied."""
        above = self._map_implications()
        tags = self.aliases.keys() | self.aliases.values() | {tag for edge in self.implications for tag in edge}
        found = {}
        for tag in tags:
            end = self.resolve_alias(tag)
            implied = _list_reachable(above, end)
            found[tag] = {one: True for one in implied if one != end} | {end: False}
        return found

    def find_alias_path(self, tag: TagId, target: TagId) -> list[TagId]:
        """The chain from `target` to `tag` if making `tag` an alias of `target` would close a circle; else []."""
        chain = [target]
        while chain[-1] != tag and (after := self.aliases.get(chain[-1])) is not None and after not in chain:
            chain.append(after)
        return chain if chain[-1] == tag else []

    def find_alias_circle(self) -> list[TagId]:
        """Aliases that form a circle, the first one repeated at the end; [] if there is none."""
        for tag in self.aliases:
            if back := self.find_alias_path(tag, self.aliases[tag]):
                return [tag, *back]
        return []

    def circle(self) -> list[TagId]:
        """Implications that form a circle, the first tag repeated at the end; [] if there is none."""
        above = self._map_implications()
        finished: set[TagId] = set()
        for start in above:
            if (found := _find_circle_from(above, start, finished)) is not None:
                return found
        return []

    def is_redundant(self, tag: TagId, implied: TagId) -> bool:
        """Whether `tag` implies `implied` through other tags."""
        rest = Graph(self.aliases, [edge for edge in self.implications if edge != (tag, implied)])
        return self.resolve_alias(implied) in _list_reachable(rest._map_implications(), self.resolve_alias(tag))

    def _map_implications(self) -> dict[TagId, list[TagId]]:
        """Direct implications between resolved tags, without those from a tag to itself."""
        above: dict[TagId, list[TagId]] = {}
        for tag, implied in sorted(self.implications):
            start, end = self.resolve_alias(tag), self.resolve_alias(implied)
            if start != end:
                above.setdefault(start, []).append(end)
        return above


def _list_reachable(above: dict[TagId, list[TagId]], start: TagId) -> set[TagId]:
    reached: set[TagId] = set()
    waiting: list[TagId] = list(above.get(start, ()))
    while waiting:
        tag = waiting.pop()
        if tag not in reached:
            reached.add(tag)
            waiting.extend(above.get(tag, ()))
    return reached


def _find_circle_from(above: dict[TagId, list[TagId]], start: TagId, finished: set[TagId]) -> list[TagId] | None:
    """Depth-first search without recursion, as a chain can be long; None if it finds no circle."""
    path: list[TagId] = []
    waiting: list[tuple[TagId, Iterable[TagId]]] = [(start, iter(above.get(start, ())))]
    path.append(start)
    on_path = {start}
    while waiting:
        tag, rest = waiting[-1]
        after = next(iter(rest), None)
        if after is None:
            waiting.pop()
            path.pop()
            on_path.discard(tag)
            finished.add(tag)
        elif after in on_path:
            return [*path[path.index(after) :], after]
        elif after not in finished:
            waiting.append((after, iter(above.get(after, ()))))
            path.append(after)
            on_path.add(after)
    return None
