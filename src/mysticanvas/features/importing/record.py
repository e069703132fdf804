"""Transactions of the import: records found files in the database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mysticanvas import __version__
from mysticanvas.db import event_log
from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.db.images import excludes, failures, files, generations, placeholders, raw_metadata, word_index
from mysticanvas.db.images.files import Facts, KnownFile, NewFile
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.db.images.generations import NewGeneration
from mysticanvas.domain.file import FileKind, FileStat
from mysticanvas.domain.generation import MIN_CLOCK_MS, GenerationId, Recipe, TimestampSource, is_in_future
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.features import hooks as import_hooks
from mysticanvas.features.hooks import NewImage
from mysticanvas.features.importing import missing, related_files
from mysticanvas.features.importing.messages import ImageRead
from mysticanvas.features.importing.related_files_queries import PendingCompanion
from mysticanvas.features.models import queries as model_queries
from mysticanvas.formats.detect import PARSER_VERSION

# A date in metadata after this comes from a clock that was not set.
MAX_CREATED_MS = 4_102_444_800_000


@dataclass(frozen=True, slots=True)
class Found:
    """An image that was read. `known` is the existing row of its path, None for a new path."""

    root: WatchedFolder
    read: ImageRead
    known: KnownFile | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    root: WatchedFolder
    stat: FileStat
    reason: str


def add_images(tx: WriteTx, found: Sequence[Found], failed: Sequence[Failed], *, now_ms: int) -> None:
    """Add images with everything derived from them, and record failed files."""
    if found:
        _record_all(tx, found, now_ms=now_ms)
    for one in failed:
        if one.root.id is not None:
            failures.record(tx, root_id=one.root.id, stat=one.stat, reason=one.reason, now_ms=now_ms)


def add_copy(tx: WriteTx, original: KnownFile, found: Found, digest: bytes | None, *, now_ms: int) -> None:
    """Record a copy: the same content at another path, so one image with two files. A sidecar of the copy may contain
    generation data that the original lacks."""
    image, stat, root_id = original.generation_id, found.read.stat, _get_root_id(found)
    displaced = _displace_row(tx, found, now_ms=now_ms)
    is_companion = original.kind not in (FileKind.FINAL, FileKind.COPY)
    kind = FileKind(original.kind) if is_companion else FileKind.COPY
    files.add_all(tx, [NewFile(image, kind, root_id, stat, build_facts(found.read), digest)])
    failures.forget(tx, root_id=root_id, paths=[stat.path_bytes])
    related_files.update_image(tx, image, root_id, found.read)
    if is_companion:
        companion = PendingCompanion(image, original.kind, root_id, stat.path_bytes)
        related_files.on_companion_copied(tx, companion, now_ms=now_ms)
    elif _describes_image(tx, image, found):
        _store_metadata(tx, image, found.read, now_ms=now_ms)
    _notify_names_changed(tx, image, now_ms=now_ms)
    missing.update_missing(tx, [image, *displaced], now_ms=now_ms)
    _show_again(tx, image, now_ms=now_ms)
    if not is_companion:
        related_files.on_files_arrived(tx, [(image, root_id, stat.path_bytes)], now_ms=now_ms)


def _describes_image(tx: ReadTx, image: GenerationId, found: Found) -> bool:
    """Whether the generation data of an image comes from this file: the first of its files that has a sidecar. If none
    has, the data is in all of them."""
    if found.read.recipe.prompt is None:
        return False
    for file in files.list_ranked(tx, image):
        root_id = file.root_id
        if related_files.has_own_sidecar(tx, image, root_id, file.path_bytes):
            return (root_id, file.path_bytes) == (_get_root_id(found), found.read.stat.path_bytes)
    return generations.get_detail(tx, image).prompt is None


def move(tx: WriteTx, old: KnownFile, found: Found, *, now_ms: int) -> None:
    """Record a moved file. Its image keeps everything."""
    root_id = _get_root_id(found)
    displaced = _displace_row(tx, found, now_ms=now_ms)
    files.move(tx, old.id, root_id=root_id, stat=found.read.stat)
    image, after = old.generation_id, found.read.stat.path_bytes
    failures.forget(tx, root_id=root_id, paths=[after])
    if old.kind in (FileKind.FINAL, FileKind.COPY):
        for hooks in import_hooks.list_hooks():
            hooks.on_file_moved(tx, image, before=old.path_bytes, after=after, now_ms=now_ms)
    else:
        related_files.on_companion_moved(tx, image, before=old.path_bytes, now_ms=now_ms)
    related_files.move_sidecars(tx, image, root_id, found.read.sidecars)
    _fill_unread(tx, old, found.read, now_ms=now_ms)
    missing.update_missing(tx, [image, *displaced], now_ms=now_ms)
    related_files.on_file_moved(tx, (image, root_id, after), now_ms=now_ms)
    _show_again(tx, image, now_ms=now_ms)


def _show_again(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    """Show an image that was excluded: a scan found a file of it, and scans find no excluded files."""
    if excludes.show(tx, [image], now_ms=now_ms):
        tx.changes.added.append(image)
        tx.changes.invalidated.add("roots")
        for hooks in import_hooks.list_hooks():
            hooks.on_image_shown(tx, image, now_ms=now_ms)


def _displace_row(tx: WriteTx, found: Found, *, now_ms: int) -> list[GenerationId]:
    """Displace the row of a path whose content has changed, until the old content is found or missing."""
    here = found.known
    if here is None:
        return []
    if here.kind == FileKind.FINAL:
        files.mark_displaced(tx, here.id, now_ms=now_ms)
    else:
        files.remove(tx, here.id)
    return [here.generation_id]


def touch(tx: WriteTx, known: KnownFile, found: Found, *, now_ms: int) -> None:
    files.touch(tx, known.id, stat=found.read.stat)
    if found.read.stat.mtime_ns < known.mtime_ns:
        _notify_names_changed(tx, known.generation_id, now_ms=now_ms)
    _fill_unread(tx, known, found.read, now_ms=now_ms)
    if known.kind in (FileKind.FINAL, FileKind.COPY) and found.read.sidecars:
        # A sidecar may have been written after the image was read.
        related_files.update_image(tx, known.generation_id, _get_root_id(found), found.read)
        if _describes_image(tx, known.generation_id, found):
            _store_metadata(tx, known.generation_id, found.read, now_ms=now_ms)
    missing.update_missing(tx, [known.generation_id], now_ms=now_ms)


def mark_found(tx: WriteTx, known: Sequence[KnownFile], *, now_ms: int) -> None:
    """Mark missing files as available again. Their size and date are unchanged."""
    for one in known:
        files.touch(tx, one.id, stat=FileStat(one.path_bytes, one.bytes, one.mtime_ns))
    images = [one.generation_id for one in known]
    missing.update_missing(tx, images, now_ms=now_ms)
    _notify_contents_changed(tx, [one.generation_id for one in known if one.blake3 is None], now_ms=now_ms)


def replace_content(tx: WriteTx, known: KnownFile, found: Found, *, now_ms: int) -> bool:
    """Record a file that was edited in place. Its generation data is replaced; ratings, tags and notes stay. If a copy
    has the old content, the image keeps the copy and this file becomes a new image. Returns whether it did."""
    read, image = found.read, known.generation_id
    if known.kind not in (FileKind.FINAL, FileKind.COPY):
        # The metadata of a mask or an upscaled file does not describe the image it belongs to.
        files.replace_content(tx, known.id, stat=read.stat, facts=build_facts(read))
        return False
    other = files.find_other_location(tx, known.id, image)
    if known.kind == FileKind.FINAL and other is not None:
        files.promote(tx, image, other)
    if known.kind == FileKind.COPY or other is not None:
        files.remove(tx, known.id)
        missing.update_missing(tx, [image], now_ms=now_ms)
        add_images(tx, [found], [], now_ms=now_ms)
        return True
    files.remove_copies(tx, image)
    files.replace_content(tx, known.id, stat=read.stat, facts=build_facts(read))
    related_files.update_image(tx, image, _get_root_id(found), read)
    was_never_here = known.fingerprint is None
    if was_never_here:
        placeholders.fill_placeholder(tx, image)
    if not was_never_here or read.recipe.prompt is not None:
        # A file without metadata does not replace generation data migrated from another gallery.
        _store_metadata(tx, image, read, now_ms=now_ms)
    _notify_names_changed(tx, image, now_ms=now_ms)
    missing.update_missing(tx, [image], now_ms=now_ms)
    _notify_contents_changed(tx, [image], now_ms=now_ms)
    data = {"path": read.stat.path_bytes.decode("utf-8", "replace")}
    event_log.append(tx, level="info", kind="file.changed", subject=found.root.path, data=data, now_ms=now_ms)
    return False


def _fill_unread(tx: WriteTx, known: KnownFile, read: ImageRead, *, now_ms: int) -> None:
    """Store the metadata of an image that was known only from the journal, now that its file was found."""
    image = known.generation_id
    if known.kind != FileKind.FINAL or not generations.is_unread(tx, image):
        return
    files.replace_content(tx, known.id, stat=read.stat, facts=build_facts(read))
    _store_metadata(tx, image, read, now_ms=now_ms)
    _notify_contents_changed(tx, [image], now_ms=now_ms)


def _store_metadata(tx: WriteTx, image: GenerationId, read: ImageRead, *, now_ms: int) -> None:
    recipe = replace(read.recipe, params=json.loads(read.params_json))
    set_recipe(tx, image, recipe, list_problems(read), now_ms=now_ms)
    raw_metadata.store_all(tx, [(image, read.raw)])
    for hooks in import_hooks.list_hooks():
        hooks.on_image_read_again(tx, image, now_ms=now_ms)


def _notify_names_changed(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    for hooks in import_hooks.list_hooks():
        hooks.on_names_changed(tx, image, now_ms=now_ms)


def _notify_contents_changed(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    names = [(image, generations.get_uuid(tx, image)) for image in images]
    for hooks in import_hooks.list_hooks():
        hooks.on_contents_changed(tx, names, now_ms=now_ms)


def set_recipe(tx: WriteTx, image: GenerationId, recipe: Recipe, problems: Sequence[str], *, now_ms: int) -> None:
    """Set the generation data of a known image, as the current parsers read it, with its models and inputs."""
    linked, model_id = _Models(tx, now_ms).of(recipe)
    if generations.has_same_recipe(tx, image, recipe, model_id=model_id, problems=problems):
        generations.set_parser_version(tx, image, PARSER_VERSION)
    else:
        generations.set_recipe(
            tx,
            image,
            recipe,
            model_id=model_id,
            problems=problems,
            parser_version=PARSER_VERSION,
            now_ms=now_ms,
        )
    model_queries.link(tx, image, linked)
    for hooks in import_hooks.list_hooks():
        hooks.on_recipe_set(tx, image, recipe, now_ms=now_ms)


def build_facts(read: ImageRead) -> Facts:
    return Facts(
        format=read.format.value,
        fingerprint=read.fingerprint,
        width=read.width_px,
        height=read.height_px,
        frames=read.frames,
        orientation=read.orientation,
    )


def list_problems(read: ImageRead) -> list[str]:
    incomplete = [] if read.complete else ["The file ends too early: part of the image is missing."]
    return [*incomplete, *read.problems, *read.recipe.problems]


def _record_all(tx: WriteTx, found: Sequence[Found], *, now_ms: int) -> None:
    """Insert with one statement per table, because a statement per file costs more than its rows."""
    registry = _Models(tx, now_ms)
    linked, new = [], []
    for one in found:
        uses, model_id = registry.of(one.read.recipe)
        linked.append(uses)
        moment = _get_timestamp(one.read, now_ms=now_ms)
        new.append(NewGeneration(one.read.recipe, one.read.params_json, *moment, model_id, list_problems(one.read)))
    names = generations.add_all(tx, new, parser_version=PARSER_VERSION, app_version=__version__, now_ms=now_ms)
    images = [image for image, _ in names]
    taken = list(zip(images, found, strict=True))
    files.add_all(
        tx,
        [NewFile(i, FileKind.FINAL, _get_root_id(one), one.read.stat, build_facts(one.read)) for i, one in taken],
    )
    for root_id in {_get_root_id(one) for one in found}:
        failures.forget(
            tx, root_id=root_id, paths=[o.read.stat.path_bytes for o in found if _get_root_id(o) == root_id]
        )
    model_queries.link_all(tx, list(zip(images, linked, strict=True)))
    raw_metadata.store_all(tx, [(image, one.read.raw) for image, one in taken if one.read.raw])
    word_index.index_images(tx, images)
    added = [NewImage(*name, one.read.recipe) for name, one in zip(names, found, strict=True)]
    for hooks in import_hooks.list_hooks():
        hooks.on_images_added(tx, added, now_ms=now_ms)
    related_files.on_images_added(tx, [(image, _get_root_id(one), one.read) for image, one in taken], now_ms=now_ms)
    for hooks in import_hooks.list_hooks():
        hooks.on_prompts_added(tx, added, now_ms=now_ms)


def _get_timestamp(read: ImageRead, *, now_ms: int) -> tuple[int, TimestampSource]:
    created_ms = read.recipe.created_ms
    if created_ms is not None and _is_plausible(created_ms, now_ms=now_ms):
        return created_ms, TimestampSource.METADATA
    return read.stat.mtime_ns // 1_000_000, TimestampSource.MTIME


def _is_plausible(created_ms: int, *, now_ms: int) -> bool:
    return MIN_CLOCK_MS <= created_ms <= MAX_CREATED_MS and not is_in_future(created_ms, now_ms=now_ms)


class _Models:
    """Finds registry entries for recipes. Each model is looked up once per transaction."""

    def __init__(self, tx: WriteTx, now_ms: int) -> None:
        self._tx = tx
        self._now_ms = now_ms
        self._found: dict[tuple[ModelKind, str | None, str | None], int | None] = {}

    def of(self, recipe: Recipe) -> tuple[list[tuple[int, ModelUse]], int | None]:
        """(the entries for all models in a recipe, the ID of its checkpoint)."""
        linked = [(model, use) for use in _list_model_uses(recipe) if (model := self._find(use)) is not None]
        return linked, next((model for model, use in linked if use.role is ModelKind.CHECKPOINT), None)

    def _find(self, use: ModelUse) -> int | None:
        key = (use.role, use.name, use.hash)
        if key not in self._found:
            self._found[key] = model_queries.find_or_add(self._tx, use, now_ms=self._now_ms)
        return self._found[key]


def _list_model_uses(recipe: Recipe) -> list[ModelUse]:
    uses = [ModelUse(ModelKind.CHECKPOINT, recipe.model, recipe.model_hash)]
    uses += [ModelUse(ModelKind.VAE, recipe.vae)] if recipe.vae else []
    uses += [ModelUse(ModelKind.LORA, lora.name, lora.hash, lora.weight) for lora in recipe.loras]
    uses += recipe.models
    # A model that is also named without its hash is used once.
    hashed = {(use.role, use.name) for use in uses if use.hash}
    return [use for use in uses if use.hash or (use.role, use.name) not in hashed]


def _get_root_id(found: Found) -> int:
    if found.root.id is None:
        raise ValueError("a dry run writes nothing")
    return found.root.id
