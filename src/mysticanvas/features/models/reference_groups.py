"""Decides which references of images to models mean the same model. It does not depend on the order of arrival.

A reference is a name, a hash, or both, as an image names a model. All references with the same hash are one model.
References with the same name are one model if nothing contradicts that: no two of them have different hashes of one
kind, and they do not belong to different files. A name without a hash that could mean several models is a model of its
own.

The main entry of a group is its file, or the entry that the user merged others into, or else the first by name and
hash. IDs are never compared, because they depend on the order of import.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

Hash = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry without a file. `target` is the entry that it certainly belongs to (`by`: "hash" or "user"), or the only
    file with its name (`by`: "name"). An entry that the user merged others into has itself as `target`."""

    id: int
    kind: str
    name: str
    hashes: frozenset[Hash]
    target: int | None
    by: str | None

    @property
    def rank(self) -> tuple[bool, str, str, list[Hash]]:
        return self.name.startswith("unknown "), self.name.lower(), self.name, sorted(self.hashes)


def group_references(references: Sequence[Reference]) -> dict[int, tuple[int | None, str | None]]:
    """The main entry of each reference and how that is known; both None for a main entry. Entries that the user merged
    are left out. `references` contains all references that share a name or a hash with one of them."""
    by_hash = _Groups(references)
    for same in _collect(references, lambda one: [(one.kind, *hashed) for hashed in one.hashes]):
        by_hash.join(same)
    targets = {by_hash.find(members[0]): _find_target(members) for members in by_hash.list_members(references)}
    found: dict[int, tuple[int | None, str | None]] = {}
    for members in _join_names(references, by_hash, targets):
        found |= _choose_main(members, by_hash, targets)
    return found


@dataclass(frozen=True, slots=True)
class _Target:
    entry: int
    is_sure: bool


# By the key of a group of references with the same hash; None without a target.
_Targets = dict[int, _Target | None]


class _Groups:
    """Disjoint sets of references."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self._above = {one.id: one.id for one in references}

    def find(self, one: Reference) -> int:
        """The key of its set."""
        key = one.id
        while self._above[key] != key:
            key = self._above[key]
        return key

    def join(self, members: Sequence[Reference]) -> None:
        for one in members[1:]:
            self._above[self.find(one)] = self.find(members[0])

    def list_members(self, references: Sequence[Reference]) -> list[list[Reference]]:
        return _collect(references, lambda one: [self.find(one)])


def _collect(
    references: Sequence[Reference], list_keys: Callable[[Reference], Sequence[Hashable]]
) -> list[list[Reference]]:
    """The references with each key."""
    found: dict[Hashable, list[Reference]] = defaultdict(list)
    for one in references:
        for key in list_keys(one):
            found[key].append(one)
    return list(found.values())


def _find_target(members: Sequence[Reference]) -> _Target | None:
    sure = [one for one in members if one.target is not None and one.by != "name"]
    if sure:
        best = min(sure, key=lambda one: (one.by != "user", one.rank))
        return _Target(best.target or 0, is_sure=True)
    named = {one.target for one in members if one.target is not None}
    return _Target(named.pop(), is_sure=False) if len(named) == 1 else None


def _join_names(references: Sequence[Reference], by_hash: _Groups, targets: _Targets) -> list[list[Reference]]:
    groups = _Groups(references)
    for members in by_hash.list_members(references):
        groups.join(members)
    for same in _collect(references, lambda one: [(one.kind, one.name)]):
        if _is_one_model(same, by_hash, targets):
            groups.join(same)
    found: list[list[Reference]] = []
    for members in groups.list_members(references):
        # Several names may connect different models. Then only hashes count.
        is_one = len(_list_targets(members, by_hash, targets)) <= 1
        found += [members] if is_one else by_hash.list_members(members)
    return found


def _is_one_model(same: Sequence[Reference], by_hash: _Groups, targets: _Targets) -> bool:
    kinds = [kind for kind, _ in {hashed for one in same for hashed in one.hashes}]
    return len(kinds) == len(set(kinds)) and len(_list_targets(same, by_hash, targets)) <= 1


def _list_targets(members: Sequence[Reference], by_hash: _Groups, targets: _Targets) -> set[int]:
    return {target.entry for one in members if (target := targets[by_hash.find(one)]) is not None}


def _choose_main(
    members: Sequence[Reference], by_hash: _Groups, targets: _Targets
) -> dict[int, tuple[int | None, str | None]]:
    entries = _list_targets(members, by_hash, targets)
    first = min(members, key=lambda one: one.rank)
    main = entries.pop() if entries else first.id
    sure = {key for key, target in targets.items() if target is not None and target.entry == main and target.is_sure}
    if main == first.id:
        sure.add(by_hash.find(first))
    found: dict[int, tuple[int | None, str | None]] = {}
    for one in members:
        by = "hash" if by_hash.find(one) in sure else "name"
        found[one.id] = (None, None) if one.id == main else (main, by)
    return found
