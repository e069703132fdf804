"""What an image came from, and what came from it: found from what files name, corrected by the person.

What is found is a function of what the files name and of the images there are, so the order of their
arrival makes no difference: whenever an image, a name or a hash arrives, those that may mean it are
looked at anew, also those that had found another. Nothing here compares ids, which follow the arrival.

First each image leads to those that it names. Where that makes a circle, an image came from those in the
circle that are older, and from none of it where the person has joined two of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import former_names, generations
from mysticanvas.domain import clock
from mysticanvas.domain.errors import ConflictError
from mysticanvas.domain.generation import GenerationId, InputImage, InputRole, Recipe
from mysticanvas.edits.changesets import RowChange
from mysticanvas.features.file_hashes import service as file_hash_service
from mysticanvas.features.hooks import NewImage
from mysticanvas.features.lineage import queries
from mysticanvas.features.lineage.queries import Candidate, NamedInput
from mysticanvas.jobs import queue as job_queue

_SHA256_HEX = 64


def on_images_added(tx: WriteTx, images: Sequence[NewImage], *, now_ms: int) -> None:
    """New images: remember what went into them, and see who waited for them. Without a single input in
    the library this is one statement for all."""
    naming = []
    for one in images:
        if inputs := list_inputs(one.recipe):
            queries.set_inputs(tx, one.id, inputs)
            naming.append(one.id)
    if naming or queries.has_inputs(tx):
        names = _Names(tx)
        _resolve_all(tx, [*naming, *_list_waiting(tx, [one.id for one in images], names)], names, now_ms=now_ms)


def on_recipe_set(tx: WriteTx, image: GenerationId, recipe: Recipe, *, now_ms: int) -> None:
    """A known image was read again."""
    inputs = list_inputs(recipe)
    if inputs or queries.list_inputs(tx, image):
        queries.set_inputs(tx, image, inputs)
        find(tx, image, now_ms=now_ms)


def on_names_changed(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    """A known image goes by another name now, or by one more, or is older than was known."""
    names = _Names(tx)
    _resolve_all(tx, _list_waiting(tx, [image], names), names, now_ms=now_ms)
    if queries.list_inputs(tx, image):
        find(tx, image, now_ms=now_ms)


def on_file_moved(tx: WriteTx, image: GenerationId, *, before: bytes, after: bytes, now_ms: int) -> None:
    """A file was moved or renamed; what was made from it may still call it by its old name."""
    if before != after:
        former_names.remember_path(tx, image, before.decode("utf-8", "replace"))
    on_names_changed(tx, image, now_ms=now_ms)


@contextmanager
def around_removal(tx: WriteTx, image: GenerationId, *, heir: GenerationId | None, now_ms: int) -> Iterator[None]:
    """The row of an image goes within this context; what was made from it is asked before."""
    images = concerned(tx, image)
    if heir is not None:
        _inherit_names(tx, image, heir)
    yield
    note_gone(tx, images, now_ms=now_ms)


def _inherit_names(tx: WriteTx, loose: GenerationId, image: GenerationId) -> None:
    """The files of one image are files of another from now on, which goes by their names too."""
    for path in queries.list_paths(tx, loose):
        former_names.remember_path(tx, image, path)


def on_file_hashed(tx: WriteTx, image: GenerationId, sha256: bytes, *, now_ms: int) -> None:
    """The sha256 of an image's file is known now: it is what some look for, or only a namesake."""
    names = _Names(tx)
    waiting = [*queries.list_waiting_for_hash(tx, sha256.hex()), *_list_waiting(tx, [image], names, by_hash=True)]
    _resolve_all(tx, waiting, names, now_ms=now_ms)


def concerned(tx: ReadTx, image: GenerationId) -> list[GenerationId]:
    """The images that were made from this one, or may have been."""
    return list(dict.fromkeys([*queries.list_made_from(tx, image), *_list_waiting(tx, [image], None)]))


def note_gone(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    """These were `concerned` with an image whose row is gone, or that may go by fewer names now."""
    tx.changes.changed.extend(images)
    names = _Names(tx)
    for image in images:
        _resolve_inputs(tx, image, names, now_ms=now_ms)
        _resolve_circles(tx, image)


def _list_waiting(
    tx: ReadTx, images: Sequence[GenerationId], names: "_Names | None", *, by_hash: bool = False
) -> Iterable[GenerationId]:
    """Those that may mean one of these images. Of the many that name what very many are called, only
    those that found one: for the others nothing changes."""
    for one in queries.list_waiting(tx, images, by_hash=by_hash):
        if one.found or names is None or not names.is_crowded(one.name_key):
            yield one.generation_id


def list_inputs(recipe: Recipe) -> Sequence[InputImage]:
    if recipe.inputs or not recipe.parent:
        return recipe.inputs
    return (InputImage(InputRole.SOURCE, name=recipe.parent),)


def find(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    """Look for everything that went into an image; its first source is its parent."""
    _resolve_inputs(tx, image, _Names(tx), now_ms=now_ms)
    _resolve_circles(tx, image)


def _resolve_all(tx: WriteTx, images: Iterable[GenerationId], names: "_Names", *, now_ms: int) -> None:
    for image in dict.fromkeys(images):
        if _resolve_inputs(tx, image, names, now_ms=now_ms):
            _resolve_circles(tx, image)


def _resolve_inputs(tx: WriteTx, image: GenerationId, names: "_Names", *, now_ms: int) -> bool:
    """Whether one of its inputs is found to be another image now, or known in another way."""
    changed = False
    for one in queries.list_inputs(tx, image):
        found = _find_input(tx, image, one, names, now_ms=now_ms)
        by = _get_match_kind(tx, one, found)
        closes_circle = one.found_id is not None and one.found_by is None
        if found != one.found_id or (by != one.found_by and not closes_circle):
            queries.set_found(tx, image, one.position, found, by)
            changed = True
    return changed


def _find_input(
    tx: WriteTx, image: GenerationId, one: NamedInput, names: "_Names", *, now_ms: int
) -> GenerationId | None:
    """The image that is meant, None where several may be."""
    digest = _parse_sha256(one)
    by_hash = queries.find_by_sha256(tx, digest) if digest is not None else None
    if by_hash is not None and by_hash != image:
        return by_hash
    if one.name_key is None or names.is_crowded(one.name_key):
        return None
    if digest is None:
        return _pick_one(tx, names.rank(one.name_key, one.name or ""), image)
    candidates = [c for c in names.find(one.name_key) if c.generation_id != image]
    _queue_hashes(tx, candidates, names, now_ms=now_ms)
    left = [c for c in candidates if c.sha256 is None or c.sha256 == digest]
    return _pick_one(tx, _group_by_folders(left, one.name or ""), image)


def _get_match_kind(tx: ReadTx, one: NamedInput, found: GenerationId | None) -> str | None:
    """How what was found is known. A file that is called by the hash of its content says more than a
    name does."""
    if found is None:
        return None
    digest = _parse_sha256(one)
    is_sure = one.name is None or (digest is not None and queries.find_by_sha256(tx, digest) == found)
    return "hash" if is_sure else "name"


# -- names ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Namesake:
    moment_ms: int
    image: GenerationId


class _Names:
    """Who goes by a name, looked up once in a transaction however many ask. `asked`: whose hash is asked for."""

    def __init__(self, tx: ReadTx) -> None:
        self.hash_queued: set[GenerationId] = set()
        self._tx = tx
        self._candidates: dict[str, list[Candidate]] = {}
        self._best: dict[tuple[str, str], list[list[_Namesake]]] = {}

    def find(self, key: str) -> list[Candidate]:
        if key not in self._candidates:
            self._candidates[key] = queries.named(self._tx, key)
        return self._candidates[key]

    def is_crowded(self, key: str) -> bool:
        """Whether so many go by it that it says nothing."""
        return len(self.find(key)) > queries.MAX_CANDIDATES

    def rank(self, key: str, name: str) -> list[list[_Namesake]]:
        asked = key, PurePosixPath(name.replace("\\", "/")).parent.as_posix()
        if asked not in self._best:
            self._best[asked] = _group_by_folders(self.find(key), name)
        return self._best[asked]


def _group_by_folders(candidates: Sequence[Candidate], name: str) -> list[list[_Namesake]]:
    """First those whose folders agree best with what the file names; of these the oldest first."""
    wanted = _list_folders(name)
    agreements: dict[GenerationId, int] = {}
    for one in candidates:
        agreements[one.generation_id] = max(_count_matching_folders(wanted, one), agreements.get(one.generation_id, 0))
    groups: dict[int, list[_Namesake]] = {}
    for image, moment_ms in {one.generation_id: one.moment_ms for one in candidates}.items():
        groups.setdefault(agreements[image], []).append(_Namesake(moment_ms, image))
    return [sorted(groups[best], key=lambda one: one.moment_ms) for best in sorted(groups, reverse=True)]


def _pick_one(tx: ReadTx, groups: Sequence[Sequence[_Namesake]], image: GenerationId) -> GenerationId | None:
    """The only one of the best that are left; of several the only one that is older than what was made
    from it."""
    for group in groups:
        # Three at most tell whether there are two besides the image itself.
        left = [one for one in group[:3] if one.image != image]
        if not left:
            continue
        if len(left) == 1:
            return left[0].image
        moment_ms = queries.load_ages(tx, [image])[image].moment_ms
        return left[0].image if left[0].moment_ms < moment_ms <= left[1].moment_ms else None
    return None


def _list_folders(name: str) -> list[str]:
    return list(PurePosixPath(name.replace("\\", "/")).parts[:-1])[::-1]


def _count_matching_folders(wanted: Sequence[str], candidate: Candidate) -> int:
    """How many folders, from the innermost on, are the same."""
    agreeing = 0
    for named, there in zip(wanted, _list_folders(candidate.path), strict=False):
        if named != there:
            break
        agreeing += 1
    return agreeing


def _parse_sha256(one: NamedInput) -> bytes | None:
    if one.hash is None or one.hash_kind != "file_sha256" or len(one.hash) != _SHA256_HEX:
        return None
    try:
        return bytes.fromhex(one.hash)
    except ValueError:
        return None


def _queue_hashes(tx: WriteTx, candidates: Sequence[Candidate], names: _Names, *, now_ms: int) -> None:
    """Only the bytes can tell a namesake from the image that is meant."""
    unknown = {c.generation_id for c in candidates if c.sha256 is None} - names.hash_queued
    names.hash_queued |= unknown
    for image in unknown:
        job_queue.enqueue(tx, file_hash_service.build_job(image, generations.uuid_of(tx, image)), now_ms=now_ms)


# -- circles ----------------------------------------------------------------------------------


def _resolve_circles(tx: WriteTx, image: GenerationId) -> None:
    """What this image names may be another now: see for it, and for those whose circle may be opened or
    closed by that, which of it counts."""
    below = queries.list_descendants(tx, image)
    circle = queries.find_circle(tx, image, below)
    _update_parents(tx, circle or {image}, circle)
    left = set(queries.list_circle_closers(tx, below)) - circle - {image} if len(below) > 1 else set()
    while left:
        one = min(left)
        circle = queries.find_circle(tx, one, queries.list_descendants(tx, one))
        _update_parents(tx, circle or {one}, circle)
        left -= circle | {one}


def _update_parents(tx: WriteTx, images: set[GenerationId], circle: set[GenerationId]) -> None:
    ages = queries.load_ages(tx, circle) if circle else {}
    joined = bool(circle) and queries.is_joined_by_user(tx, circle)
    for image in images:
        parent: tuple[GenerationId | None, str | None] = (None, None)
        for one in queries.list_inputs(tx, image):
            found = one.found_id
            closes = found in circle and (joined or not ages[found] < ages[image])
            by = None if closes else _get_match_kind(tx, one, found)
            if by != one.found_by:
                queries.set_found(tx, image, one.position, found, by)
            if one.role == InputRole.SOURCE and parent[0] is None and by is not None:
                parent = (found, by)
        queries.set_found_parent(tx, image, *parent)


# -- the person's word ------------------------------------------------------------------------


def update_derived(tx: WriteTx, rows: Sequence[RowChange]) -> None:
    """After a correction, or its undoing: what the person does not say, the files say, and images may
    have come or gone meanwhile. Raises `ConflictError` where an image would come from itself now."""
    for row in rows:
        after = row.after or {}
        image, parent = row.value("id"), after.get("parent_id")
        if parent is not None and queries.comes_from(tx, parent, image):
            raise ConflictError("The image would come from itself now. Undo the later corrections first.")
        if after.keys() & {"parent_id", "parent_by"}:
            find(tx, image, now_ms=clock.now_ms())
