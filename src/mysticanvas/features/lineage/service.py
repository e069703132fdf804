"""What an image came from, and what came from it: found from what files name, corrected by the person.

What is found is a function of what the files name and of the images there are, so the order of their
arrival makes no difference: whenever an image, a name or a hash arrives, those that may mean it are
looked at anew.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import generations
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
        waiting = queries.naming(tx, [image for image, _ in images])
        for image in dict.fromkeys([*naming, *waiting]):
            find(tx, image, now_ms=now_ms)


def note_anew(tx: WriteTx, image: GenerationId, recipe: Recipe, *, now_ms: int) -> None:
    """A known image was read again."""
    queries.set_inputs(tx, image, inputs_of(recipe))
    find(tx, image, now_ms=now_ms)


def note_arrival(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    """A known image goes by another name now, or by one more."""
    for waiting in queries.naming(tx, [image]):
        find(tx, waiting, now_ms=now_ms)


def note_move(tx: WriteTx, image: GenerationId, *, before: bytes, after: bytes, now_ms: int) -> None:
    """A file was moved or renamed; what was made from it may still call it by its old name."""
    old, new = (queries.name_key(path.decode("utf-8", "replace")) for path in (before, after))
    if old is not None and old != new:
        queries.remember_name(tx, image, old)
        note_arrival(tx, image, now_ms=now_ms)


def note_hash(tx: WriteTx, image: GenerationId, sha256: bytes, *, now_ms: int) -> None:
    """The sha256 of an image's file is known now: it is what some look for, or only a namesake."""
    for waiting in {*queries.naming_hash(tx, sha256.hex()), *queries.naming(tx, [image])}:
        find(tx, waiting, now_ms=now_ms)


def concerned(tx: ReadTx, image: GenerationId) -> list[GenerationId]:
    """The images that were made from this one, or may have been."""
    return list(dict.fromkeys([*queries.made_from(tx, image), *queries.naming(tx, [image])]))


def note_gone(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    """These were `concerned` with an image whose row is gone."""
    tx.changes.changed.extend(images)
    for image in images:
        find(tx, image, now_ms=now_ms)


def inputs_of(recipe: Recipe) -> Sequence[InputImage]:
    if recipe.inputs or not recipe.parent:
        return recipe.inputs
    return (InputImage(InputRole.SOURCE, name=recipe.parent),)


def find(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    """Look for everything that went into an image; its first source is its parent."""
    parent: tuple[GenerationId | None, str | None] = (None, None)
    for one in queries.inputs_of(tx, image):
        found, by = _found(tx, image, one, now_ms=now_ms)
        if (found, by) != (one.found_id, one.found_by):
            queries.set_found(tx, image, one.position, found, by)
        if one.role == InputRole.SOURCE and parent[0] is None and found is not None:
            parent = (found, by)
    queries.set_found_parent(tx, image, *parent)


def _found(tx: WriteTx, image: GenerationId, one: NamedInput, *, now_ms: int) -> tuple[GenerationId | None, str | None]:
    digest = _sha256_of(one)
    by_hash = queries.with_sha256(tx, digest) if digest is not None else None
    if by_hash is not None and not _would_circle(tx, image, one, by_hash):
        return by_hash, "hash"
    if one.name_key is None:
        return None, None
    candidates = [c for c in queries.named(tx, one.name_key) if c.generation_id != image]
    if digest is not None:
        _ask_for_hashes(tx, candidates, now_ms=now_ms)
        candidates = [c for c in candidates if c.sha256 is None or c.sha256 == digest]
    only = _only(candidates, one, image)
    if only is None or _would_circle(tx, image, one, only):
        return None, None
    # A file that is called by the hash of its content says more than a name does.
    return only, "name" if one.name is not None else "hash"


def _only(candidates: Sequence[Candidate], one: NamedInput, image: GenerationId) -> GenerationId | None:
    """The candidate that is meant, None where several may be: those whose folders agree best with what
    the file names, and of these those that are older than what was made from them."""
    if not candidates:
        return None
    wanted = _folders(one.name or "")
    best = max(_agreement(wanted, c) for c in candidates)
    left = {c.generation_id for c in candidates if _agreement(wanted, c) == best}
    left = {found for found in left if found < image} or left
    return left.pop() if len(left) == 1 else None


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


def _ask_for_hashes(tx: WriteTx, candidates: Sequence[Candidate], *, now_ms: int) -> None:
    """Only the bytes can tell a namesake from the image that is meant."""
    for image in {c.generation_id for c in candidates if c.sha256 is None}:
        job_queue.enqueue(tx, file_hash_service.job_for(image, generations.uuid_of(tx, image)), now_ms=now_ms)


def _would_circle(tx: ReadTx, image: GenerationId, one: NamedInput, found: GenerationId) -> bool:
    return found != one.found_id and queries.comes_from(tx, found, image)


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
        if after.get("parent_by", "user") != "user":
            find(tx, image, now_ms=clock.now_ms())
