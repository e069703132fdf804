"""Matches the inputs recorded in files to images in the library, and applies parents set by the user.

The result depends only on the recorded inputs and the images in the library, not on the order of import: when an
image, a name or a hash is added, all inputs that may refer to it are matched again, including those matched to another
image. IDs are never compared, because they depend on the order of import.

First, each input is matched to the image that it names. If the matches form a circle, only matches to older images in
the circle count, or none of them if the user linked two images of the circle.
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
    """Record the inputs of new images, and match inputs that were waiting for them. Without inputs in the library, this
    is a single statement."""
    naming = []
    for one in images:
        if inputs := list_inputs(one.recipe):
            queries.set_inputs(tx, one.id, inputs)
            naming.append(one.id)
    if naming or queries.has_inputs(tx):
        names = _Names(tx)
        _resolve_all(tx, [*naming, *_list_waiting(tx, [one.id for one in images], names)], names, now_ms=now_ms)


def on_recipe_set(tx: WriteTx, image: GenerationId, recipe: Recipe, *, now_ms: int) -> None:
    """Update the inputs of an image that was read again."""
    inputs = list_inputs(recipe)
    if inputs or queries.list_inputs(tx, image):
        queries.set_inputs(tx, image, inputs)
        match_inputs(tx, image, now_ms=now_ms)


def on_names_changed(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    """Match inputs again after an image got another name or turned out to be older."""
    names = _Names(tx)
    _resolve_all(tx, _list_waiting(tx, [image], names), names, now_ms=now_ms)
    if queries.list_inputs(tx, image):
        match_inputs(tx, image, now_ms=now_ms)


def on_file_moved(tx: WriteTx, image: GenerationId, *, before: bytes, after: bytes, now_ms: int) -> None:
    """Keep the former path of a moved file, because images made from it may still refer to it."""
    if before != after:
        former_names.remember_path(tx, image, before.decode("utf-8", "replace"))
    on_names_changed(tx, image, now_ms=now_ms)


@contextmanager
def around_removal(tx: WriteTx, image: GenerationId, *, heir: GenerationId | None, now_ms: int) -> Iterator[None]:
    """Delete the row of an image within this context; inputs matched to it are matched again on exit. Its current names
    go to `heir`, if any."""
    images = list_dependents(tx, image)
    if heir is not None:
        _inherit_names(tx, image, heir)
    yield
    on_image_removed(tx, images, now_ms=now_ms)


def _inherit_names(tx: WriteTx, loose: GenerationId, image: GenerationId) -> None:
    """Record the current names of an image as former names of the image that gets its files."""
    for path in queries.list_paths(tx, loose):
        former_names.remember_path(tx, image, path)


def on_file_hashed(tx: WriteTx, image: GenerationId, sha256: bytes, *, now_ms: int) -> None:
    """Match inputs again after the SHA-256 of an image was computed: it may confirm or reject a match by name."""
    names = _Names(tx)
    waiting = [*queries.list_waiting_for_hash(tx, sha256.hex()), *_list_waiting(tx, [image], names, by_hash=True)]
    _resolve_all(tx, waiting, names, now_ms=now_ms)


def list_dependents(tx: ReadTx, image: GenerationId) -> list[GenerationId]:
    """Images that were made from this one, or may have been."""
    return list(dict.fromkeys([*queries.list_made_from(tx, image), *_list_waiting(tx, [image], None)]))


def on_image_removed(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    """Match the inputs of `images` again. They depended on an image that was removed or lost a name."""
    tx.changes.changed.extend(images)
    names = _Names(tx)
    for image in images:
        _resolve_inputs(tx, image, names, now_ms=now_ms)
        _resolve_circles(tx, image)


def _list_waiting(
    tx: ReadTx, images: Sequence[GenerationId], names: "_Names | None", *, by_hash: bool = False
) -> Iterable[GenerationId]:
    """Images with inputs that may refer to one of these images. For a name that is too common, only inputs that are
    already matched, because the others stay unmatched."""
    for one in queries.list_waiting(tx, images, by_hash=by_hash):
        if one.found or names is None or not names.is_crowded(one.name_key):
            yield one.generation_id


def list_inputs(recipe: Recipe) -> Sequence[InputImage]:
    if recipe.inputs or not recipe.parent:
        return recipe.inputs
    return (InputImage(InputRole.SOURCE, name=recipe.parent),)


def match_inputs(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    """Match all inputs of an image. Its first source becomes its parent."""
    _resolve_inputs(tx, image, _Names(tx), now_ms=now_ms)
    _resolve_circles(tx, image)


def _resolve_all(tx: WriteTx, images: Iterable[GenerationId], names: "_Names", *, now_ms: int) -> None:
    for image in dict.fromkeys(images):
        if _resolve_inputs(tx, image, names, now_ms=now_ms):
            _resolve_circles(tx, image)


def _resolve_inputs(tx: WriteTx, image: GenerationId, names: "_Names", *, now_ms: int) -> bool:
    """Match the inputs of an image. Returns whether a match or its kind changed."""
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
    """The image that an input refers to; None when it is unknown or ambiguous."""
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
    """How a match is known: "hash" or "name"; None without a match. A file named after the hash of its content counts
    as "hash"."""
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
    """Caches images by name for one transaction. `hash_queued`: images whose hash was queued."""

    def __init__(self, tx: ReadTx) -> None:
        self.hash_queued: set[GenerationId] = set()
        self._tx = tx
        self._candidates: dict[str, list[Candidate]] = {}
        self._best: dict[tuple[str, str], list[list[_Namesake]]] = {}

    def find(self, key: str) -> list[Candidate]:
        if key not in self._candidates:
            self._candidates[key] = queries.find_by_name(self._tx, key)
        return self._candidates[key]

    def is_crowded(self, key: str) -> bool:
        """Whether too many images have this name to identify one."""
        return len(self.find(key)) > queries.MAX_CANDIDATES

    def rank(self, key: str, name: str) -> list[list[_Namesake]]:
        asked = key, PurePosixPath(name.replace("\\", "/")).parent.as_posix()
        if asked not in self._best:
            self._best[asked] = _group_by_folders(self.find(key), name)
        return self._best[asked]


def _group_by_folders(candidates: Sequence[Candidate], name: str) -> list[list[_Namesake]]:
    """Group candidates by how many folders match those in `name`, best match first, oldest first in a group."""
    folders = _list_folders(name)
    agreements: dict[GenerationId, int] = {}
    for one in candidates:
        agreements[one.generation_id] = max(_count_matching_folders(folders, one), agreements.get(one.generation_id, 0))
    groups: dict[int, list[_Namesake]] = {}
    for image, moment_ms in {one.generation_id: one.moment_ms for one in candidates}.items():
        groups.setdefault(agreements[image], []).append(_Namesake(moment_ms, image))
    return [sorted(groups[best], key=lambda one: one.moment_ms) for best in sorted(groups, reverse=True)]


def _pick_one(tx: ReadTx, groups: Sequence[Sequence[_Namesake]], image: GenerationId) -> GenerationId | None:
    """The only image in the best group that is not `image` itself; with several, the only one that is older than
    `image`."""
    for group in groups:
        # Three are enough to know whether there are two besides the image itself.
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


def _count_matching_folders(folders: Sequence[str], candidate: Candidate) -> int:
    """How many folders match, starting with the innermost."""
    agreeing = 0
    for named, there in zip(folders, _list_folders(candidate.path), strict=False):
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
    """Queue SHA-256 jobs for candidates, because only their content can identify the right one."""
    unknown = {c.generation_id for c in candidates if c.sha256 is None} - names.hash_queued
    names.hash_queued |= unknown
    for image in unknown:
        job_queue.enqueue(tx, file_hash_service.build_job(image, generations.get_uuid(tx, image)), now_ms=now_ms)


# -- circles ----------------------------------------------------------------------------------


def _resolve_circles(tx: WriteTx, image: GenerationId) -> None:
    """Decide which matches count after the matches of `image` changed, for it and for all images in circles that this
    opens or closes."""
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


# -- parents set by the user -----------------------------------------------------------------


def update_derived(tx: WriteTx, rows: Sequence[RowChange]) -> None:
    """Match inputs again after a parent was set or the edit undone, because images may have been added or removed
    since. Raises `ConflictError` when an image would be its own ancestor."""
    for row in rows:
        after = row.after or {}
        image, parent = row.value("id"), after.get("parent_id")
        if parent is not None and queries.descends_from(tx, parent, image):
            raise ConflictError("The image would become its own ancestor. Undo the later changes of its source first.")
        if after.keys() & {"parent_id", "parent_by"}:
            match_inputs(tx, image, now_ms=clock.now_ms())
