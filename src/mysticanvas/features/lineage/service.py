"""What an image came from, and what came from it: found from what files name, corrected by the person.

What is found is a function of what the files name and of the images there are, so the order of their
arrival makes no difference: whenever an image, a name or a hash arrives, those that may mean it are
looked at anew, also those that had found another. Nothing here compares ids, which follow the arrival.

First each image leads to those that it names. Where that makes a circle, an image came from those in the
circle that are older, and from none of it where the person has joined two of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import former_names, generations
from mysticanvas.domain import clock
from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.domain.generation import GenerationId, InputImage, InputRole, ParentRelation, Recipe
from mysticanvas.edits.changesets import RowChange
from mysticanvas.features.file_hashes import service as file_hash_service
from mysticanvas.features.lineage import queries
from mysticanvas.features.lineage.queries import Candidate, NamedInput, Parent
from mysticanvas.jobs import queue as job_queue

_SHA256_HEX = 64


def note(tx: WriteTx, images: Sequence[tuple[GenerationId, Recipe]], *, now_ms: int) -> None:
    """New images: remember what went into them, and see who waited for them. Without a single input in
    the library this is one statement for all."""
    naming = []
    for image, recipe in images:
        if inputs := inputs_of(recipe):
            queries.set_inputs(tx, image, inputs)
            naming.append(image)
    if naming or queries.has_inputs(tx):
        names = _Names(tx)
        _find_all(tx, [*naming, *_waiting(tx, [image for image, _ in images], names)], names, now_ms=now_ms)


def note_anew(tx: WriteTx, image: GenerationId, recipe: Recipe, *, now_ms: int) -> None:
    """A known image was read again."""
    inputs = inputs_of(recipe)
    if inputs or queries.inputs_of(tx, image):
        queries.set_inputs(tx, image, inputs)
        find(tx, image, now_ms=now_ms)


def note_arrival(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    """A known image goes by another name now, or by one more, or is older than was known."""
    names = _Names(tx)
    _find_all(tx, _waiting(tx, [image], names), names, now_ms=now_ms)
    if queries.inputs_of(tx, image):
        find(tx, image, now_ms=now_ms)


def note_move(tx: WriteTx, image: GenerationId, *, before: bytes, after: bytes, now_ms: int) -> None:
    """A file was moved or renamed; what was made from it may still call it by its old name."""
    if before != after:
        former_names.remember_path(tx, image, before.decode("utf-8", "replace"))
    note_arrival(tx, image, now_ms=now_ms)


def take_names(tx: WriteTx, loose: GenerationId, image: GenerationId) -> None:
    """The files of one image are files of another from now on, which goes by their names too."""
    for path in queries.paths_of(tx, loose):
        former_names.remember_path(tx, image, path)


def note_hash(tx: WriteTx, image: GenerationId, sha256: bytes, *, now_ms: int) -> None:
    """The sha256 of an image's file is known now: it is what some look for, or only a namesake."""
    names = _Names(tx)
    waiting = [*queries.naming_hash(tx, sha256.hex()), *_waiting(tx, [image], names, by_hash=True)]
    _find_all(tx, waiting, names, now_ms=now_ms)


def concerned(tx: ReadTx, image: GenerationId) -> list[GenerationId]:
    """The images that were made from this one, or may have been."""
    return list(dict.fromkeys([*queries.made_from(tx, image), *_waiting(tx, [image], None)]))


def note_gone(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    """These were `concerned` with an image whose row is gone, or that may go by fewer names now."""
    tx.changes.changed.extend(images)
    names = _Names(tx)
    for image in images:
        _look(tx, image, names, now_ms=now_ms)
        _settle(tx, image)


def _waiting(
    tx: ReadTx, images: Sequence[GenerationId], names: "_Names | None", *, by_hash: bool = False
) -> Iterable[GenerationId]:
    """Those that may mean one of these images. Of the many that name what very many are called, only
    those that found one: for the others nothing changes."""
    for one in queries.naming(tx, images, by_hash=by_hash):
        if one.found or names is None or not names.crowded(one.name_key):
            yield one.generation_id


def inputs_of(recipe: Recipe) -> Sequence[InputImage]:
    if recipe.inputs or not recipe.parent:
        return recipe.inputs
    return (InputImage(InputRole.SOURCE, name=recipe.parent),)


def find(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    """Look for everything that went into an image; its first source is its parent."""
    _look(tx, image, _Names(tx), now_ms=now_ms)
    _settle(tx, image)


def _find_all(tx: WriteTx, images: Iterable[GenerationId], names: "_Names", *, now_ms: int) -> None:
    for image in dict.fromkeys(images):
        if _look(tx, image, names, now_ms=now_ms):
            _settle(tx, image)


def _look(tx: WriteTx, image: GenerationId, names: "_Names", *, now_ms: int) -> bool:
    """Whether one of its inputs is found to be another image now, or known in another way."""
    changed = False
    for one in queries.inputs_of(tx, image):
        found = _found(tx, image, one, names, now_ms=now_ms)
        by = _by(tx, one, found)
        closes_circle = one.found_id is not None and one.found_by is None
        if found != one.found_id or (by != one.found_by and not closes_circle):
            queries.set_found(tx, image, one.position, found, by)
            changed = True
    return changed


def _found(tx: WriteTx, image: GenerationId, one: NamedInput, names: "_Names", *, now_ms: int) -> GenerationId | None:
    """The image that is meant, None where several may be."""
    digest = _sha256_of(one)
    by_hash = queries.with_sha256(tx, digest) if digest is not None else None
    if by_hash is not None and by_hash != image:
        return by_hash
    if one.name_key is None or names.crowded(one.name_key):
        return None
    if digest is None:
        return _only(tx, names.best(one.name_key, one.name or ""), image)
    candidates = [c for c in names.of(one.name_key) if c.generation_id != image]
    _ask_for_hashes(tx, candidates, names, now_ms=now_ms)
    left = [c for c in candidates if c.sha256 is None or c.sha256 == digest]
    return _only(tx, _by_agreement(left, one.name or ""), image)


def _by(tx: ReadTx, one: NamedInput, found: GenerationId | None) -> str | None:
    """How what was found is known. A file that is called by the hash of its content says more than a
    name does."""
    if found is None:
        return None
    digest = _sha256_of(one)
    is_sure = one.name is None or (digest is not None and queries.with_sha256(tx, digest) == found)
    return "hash" if is_sure else "name"


# -- names ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Namesake:
    moment_ms: int
    image: GenerationId


class _Names:
    """Who goes by a name, looked up once in a transaction however many ask. `asked`: whose hash is asked for."""

    def __init__(self, tx: ReadTx) -> None:
        self.asked: set[GenerationId] = set()
        self._tx = tx
        self._candidates: dict[str, list[Candidate]] = {}
        self._best: dict[tuple[str, str], list[list[_Namesake]]] = {}

    def of(self, key: str) -> list[Candidate]:
        if key not in self._candidates:
            self._candidates[key] = queries.named(self._tx, key)
        return self._candidates[key]

    def crowded(self, key: str) -> bool:
        """Whether so many go by it that it says nothing."""
        return len(self.of(key)) > queries.MAX_CANDIDATES

    def best(self, key: str, name: str) -> list[list[_Namesake]]:
        asked = key, PurePosixPath(name.replace("\\", "/")).parent.as_posix()
        if asked not in self._best:
            self._best[asked] = _by_agreement(self.of(key), name)
        return self._best[asked]


def _by_agreement(candidates: Sequence[Candidate], name: str) -> list[list[_Namesake]]:
    """First those whose folders agree best with what the file names; of these the oldest first."""
    wanted = _folders(name)
    agreements: dict[GenerationId, int] = {}
    for one in candidates:
        agreements[one.generation_id] = max(_agreement(wanted, one), agreements.get(one.generation_id, 0))
    groups: dict[int, list[_Namesake]] = {}
    for image, moment_ms in {one.generation_id: one.moment_ms for one in candidates}.items():
        groups.setdefault(agreements[image], []).append(_Namesake(moment_ms, image))
    return [sorted(groups[best], key=lambda one: one.moment_ms) for best in sorted(groups, reverse=True)]


def _only(tx: ReadTx, groups: Sequence[Sequence[_Namesake]], image: GenerationId) -> GenerationId | None:
    """The only one of the best that are left; of several the only one that is older than what was made
    from it."""
    for group in groups:
        # Three at most tell whether there are two besides the image itself.
        left = [one for one in group[:3] if one.image != image]
        if not left:
            continue
        if len(left) == 1:
            return left[0].image
        moment_ms = queries.ages(tx, [image])[image].moment_ms
        return left[0].image if left[0].moment_ms < moment_ms <= left[1].moment_ms else None
    return None


def _folders(name: str) -> list[str]:
    return list(PurePosixPath(name.replace("\\", "/")).parts[:-1])[::-1]


def _agreement(wanted: Sequence[str], candidate: Candidate) -> int:
    """How many folders, from the innermost on, are the same."""
    agreeing = 0
    for named, there in zip(wanted, _folders(candidate.path), strict=False):
        if named != there:
            break
        agreeing += 1
    return agreeing


def _sha256_of(one: NamedInput) -> bytes | None:
    if one.hash is None or one.hash_kind != "file_sha256" or len(one.hash) != _SHA256_HEX:
        return None
    try:
        return bytes.fromhex(one.hash)
    except ValueError:
        return None


def _ask_for_hashes(tx: WriteTx, candidates: Sequence[Candidate], names: _Names, *, now_ms: int) -> None:
    """Only the bytes can tell a namesake from the image that is meant."""
    unknown = {c.generation_id for c in candidates if c.sha256 is None} - names.asked
    names.asked |= unknown
    for image in unknown:
        job_queue.enqueue(tx, file_hash_service.job_for(image, generations.uuid_of(tx, image)), now_ms=now_ms)


# -- circles ----------------------------------------------------------------------------------


def _settle(tx: WriteTx, image: GenerationId) -> None:
    """What this image names may be another now: see for it, and for those whose circle may be opened or
    closed by that, which of it counts."""
    below = queries.made_of(tx, image)
    circle = queries.circle(tx, image, below)
    _choose(tx, circle or {image}, circle)
    left = set(queries.closing(tx, below)) - circle - {image} if len(below) > 1 else set()
    while left:
        one = min(left)
        circle = queries.circle(tx, one, queries.made_of(tx, one))
        _choose(tx, circle or {one}, circle)
        left -= circle | {one}


def _choose(tx: WriteTx, images: set[GenerationId], circle: set[GenerationId]) -> None:
    ages = queries.ages(tx, circle) if circle else {}
    joined = bool(circle) and queries.person_joins(tx, circle)
    for image in images:
        parent: tuple[GenerationId | None, str | None] = (None, None)
        for one in queries.inputs_of(tx, image):
            found = one.found_id
            closes = found in circle and (joined or not ages[found] < ages[image])
            by = None if closes else _by(tx, one, found)
            if by != one.found_by:
                queries.set_found(tx, image, one.position, found, by)
            if one.role == InputRole.SOURCE and parent[0] is None and by is not None:
                parent = (found, by)
        queries.set_found_parent(tx, image, *parent)


# -- the person's word ------------------------------------------------------------------------


def correct(tx: WriteTx, args: dict[str, Any], images: Sequence[GenerationId], now_ms: int) -> int:
    """{parent, relation?}: the image came from `parent` (a uuid; None: from no other), whatever its file
    says, now and later. A deed of edits/kinds.py.

    Raises `NotFoundError`, and `InvalidInputError` where an image would come from itself.
    """
    [image] = images
    relation = args.get("relation")
    if relation is not None and relation not in list(ParentRelation):
        raise InvalidInputError(f"There is no relation “{relation}”; there are {', '.join(ParentRelation)}.")
    after = Parent(None, None, "user")
    if args["parent"] is not None:
        before, source = queries.parent_of(tx, image), generations.id_of(tx, args["parent"])
        if before.parent_id != source and queries.comes_from(tx, source, image):
            raise InvalidInputError("An image cannot come from itself, not even over several steps.")
        after = Parent(source, relation or before.parent_relation, "user")
    queries.set_parent(tx, image, after, now_ms=now_ms)
    return 1


def follow(tx: WriteTx, rows: Sequence[RowChange]) -> None:
    """After a correction, or its undoing: what the person does not say, the files say, and images may
    have come or gone meanwhile. Raises `ConflictError` where an image would come from itself now."""
    for row in rows:
        after = row.after or {}
        image, parent = row.value("id"), after.get("parent_id")
        if parent is not None and queries.comes_from(tx, parent, image):
            raise ConflictError("The image would come from itself now. Undo the later corrections first.")
        if after.keys() & {"parent_id", "parent_by"}:
            find(tx, image, now_ms=clock.now_ms())
