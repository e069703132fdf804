"""Transactions of the import: what a found file becomes in the database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mysticanvas import __version__
from mysticanvas.db import event_log
from mysticanvas.db.database import WriteTx
from mysticanvas.db.images import failures, files, generations, placeholders, raw_metadata, word_index
from mysticanvas.db.images.files import Facts, KnownFile, NewFile
from mysticanvas.db.images.folders import Root
from mysticanvas.db.images.generations import New
from mysticanvas.domain.file import FileKind, FileStat
from mysticanvas.domain.generation import GenerationId, Recipe, TimestampSource
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.features import hooks as import_hooks
from mysticanvas.features.hooks import NewImage
from mysticanvas.features.importing import missing, related_files
from mysticanvas.features.importing.messages import ImageRead
from mysticanvas.features.models import queries as model_queries
from mysticanvas.formats.detect import PARSER_VERSION

# A date in metadata outside of these is a clock that was never set.
FIRST_SANE_MS = 1_600_000_000_000
LAST_SANE_MS = 4_102_444_800_000


@dataclass(frozen=True, slots=True)
class Found:
    """An image that was read. `known` is the row of its path, when the path has one already."""

    root: Root
    read: ImageRead
    known: KnownFile | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    root: Root
    stat: FileStat
    reason: str


def take_in(tx: WriteTx, found: Sequence[Found], failed: Sequence[Failed], *, now_ms: int) -> None:
    """Record images with all that hangs on them: all or nothing."""
    if found:
        _record_all(tx, found, now_ms=now_ms)
    for one in failed:
        if one.root.id is not None:
            failures.record(tx, root_id=one.root.id, stat=one.stat, reason=one.reason, now_ms=now_ms)


def add_copy(tx: WriteTx, original: KnownFile, found: Found, digest: bytes | None, *, now_ms: int) -> None:
    """The same bytes at another place: one image, two locations (F2). A sidecar beside the copy may
    say what nothing beside the original said."""
    image, stat, root_id = original.generation_id, found.read.stat, _root_id(found)
    displaced = _make_room(tx, found, now_ms=now_ms)
    files.add_all(tx, [NewFile(image, FileKind.COPY, root_id, stat, facts_of(found.read), digest)])
    failures.forget(tx, root_id=root_id, paths=[stat.path_bytes])
    if found.read.recipe.prompt is not None and generations.detail(tx, image).prompt is None:
        _read_anew(tx, image, found.read, now_ms=now_ms)
    _note_names(tx, image, now_ms=now_ms)
    related_files.note_anew(tx, image, root_id, found.read)
    missing.reckon(tx, [image, *displaced], now_ms=now_ms)


def move(tx: WriteTx, old: KnownFile, found: Found, *, now_ms: int) -> None:
    """The image keeps everything; its file is elsewhere."""
    root_id = _root_id(found)
    displaced = _make_room(tx, found, now_ms=now_ms)
    files.move(tx, old.id, root_id=root_id, stat=found.read.stat)
    image, after = old.generation_id, found.read.stat.path_bytes
    failures.forget(tx, root_id=root_id, paths=[after])
    for hooks in import_hooks.all_hooks():
        hooks.on_file_moved(tx, image, before=old.path_bytes, after=after, now_ms=now_ms)
    related_files.note_move(tx, image, root_id, found.read.sidecars)
    _read_if_never(tx, old, found.read, now_ms=now_ms)
    missing.reckon(tx, [image, *displaced], now_ms=now_ms)


def _make_room(tx: WriteTx, found: Found, *, now_ms: int) -> list[GenerationId]:
    """The row of the path belongs to other content: it waits until that is found, or is missing."""
    here = found.known
    if here is None:
        return []
    if here.kind == FileKind.FINAL:
        files.displace(tx, here.id, now_ms=now_ms)
    else:
        files.remove(tx, here.id)
    return [here.generation_id]


def touch(tx: WriteTx, known: KnownFile, found: Found, *, now_ms: int) -> None:
    files.touch(tx, known.id, stat=found.read.stat)
    if found.read.stat.mtime_ns < known.mtime_ns:
        _note_names(tx, known.generation_id, now_ms=now_ms)
    _read_if_never(tx, known, found.read, now_ms=now_ms)
    if known.missing_at is not None:
        missing.reckon(tx, [known.generation_id], now_ms=now_ms)


def found_again(tx: WriteTx, known: Sequence[KnownFile], *, now_ms: int) -> None:
    """Files that were missing are where they were, with the size and date they had."""
    for one in known:
        files.touch(tx, one.id, stat=FileStat(one.path_bytes, one.bytes, one.mtime_ns))
    images = [one.generation_id for one in known]
    missing.reckon(tx, images, now_ms=now_ms)
    _note_contents(tx, [one.generation_id for one in known if one.blake3 is None], now_ms=now_ms)


def replace_content(tx: WriteTx, known: KnownFile, found: Found, *, now_ms: int) -> bool:
    """The file was edited in place: its recipe is read anew, what the person wrote stays (F9). Where
    the old content is at another place too, that is the image, and this a new one: whether it is."""
    read, image = found.read, known.generation_id
    if known.kind not in (FileKind.FINAL, FileKind.COPY):
        # A mask or an upscale says nothing about the image that it is a file of.
        files.replace_content(tx, known.id, stat=read.stat, facts=facts_of(read))
        return False
    other = files.other_location(tx, known.id, image)
    if known.kind == FileKind.FINAL and other is not None:
        files.promote(tx, image, other)
    if known.kind == FileKind.COPY or other is not None:
        files.remove(tx, known.id)
        missing.reckon(tx, [image], now_ms=now_ms)
        take_in(tx, [found], [], now_ms=now_ms)
        return True
    files.remove_copies(tx, image)
    files.replace_content(tx, known.id, stat=read.stat, facts=facts_of(read))
    related_files.note_anew(tx, image, _root_id(found), read)
    was_never_here = known.fingerprint is None
    if was_never_here:
        placeholders.fill_placeholder(tx, image)
    if not was_never_here or read.recipe.prompt is not None:
        # What came over from another gallery is not lost to a file that says nothing.
        _read_anew(tx, image, read, now_ms=now_ms)
    _note_names(tx, image, now_ms=now_ms)
    missing.reckon(tx, [image], now_ms=now_ms)
    _note_contents(tx, [image], now_ms=now_ms)
    data = {"path": read.stat.path_bytes.decode("utf-8", "replace")}
    event_log.append(tx, level="info", kind="file.changed", subject=found.root.path, data=data, now_ms=now_ms)
    return False


def _read_if_never(tx: WriteTx, known: KnownFile, read: ImageRead, *, now_ms: int) -> None:
    """An image that was known by the journal alone: its file has come."""
    image = known.generation_id
    if known.kind != FileKind.FINAL or not generations.is_unread(tx, image):
        return
    files.replace_content(tx, known.id, stat=read.stat, facts=facts_of(read))
    _read_anew(tx, image, read, now_ms=now_ms)
    _note_contents(tx, [image], now_ms=now_ms)


def _read_anew(tx: WriteTx, image: GenerationId, read: ImageRead, *, now_ms: int) -> None:
    recipe = replace(read.recipe, params=json.loads(read.params_json))
    set_recipe(tx, image, recipe, problems_of(read), now_ms=now_ms)
    raw_metadata.keep_all(tx, [(image, read.raw)])
    for hooks in import_hooks.all_hooks():
        hooks.on_image_read_again(tx, image, now_ms=now_ms)


def _note_names(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    for hooks in import_hooks.all_hooks():
        hooks.on_names_changed(tx, image, now_ms=now_ms)


def _note_contents(tx: WriteTx, images: Sequence[GenerationId], *, now_ms: int) -> None:
    names = [(image, generations.uuid_of(tx, image)) for image in images]
    for hooks in import_hooks.all_hooks():
        hooks.on_contents_changed(tx, names, now_ms=now_ms)


def set_recipe(tx: WriteTx, image: GenerationId, recipe: Recipe, problems: Sequence[str], *, now_ms: int) -> None:
    """What the parsers of today say of a known image, with its models and inputs."""
    linked, model_id = _Models(tx, now_ms).of(recipe)
    if generations.says_already(tx, image, recipe, model_id=model_id, problems=problems):
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
    for hooks in import_hooks.all_hooks():
        hooks.on_recipe_set(tx, image, recipe, now_ms=now_ms)


def facts_of(read: ImageRead) -> Facts:
    return Facts(
        format=read.format.value,
        fingerprint=read.fingerprint,
        width=read.width_px,
        height=read.height_px,
        frames=read.frames,
    )


def problems_of(read: ImageRead) -> list[str]:
    incomplete = [] if read.complete else ["The file ends too early: part of the picture is missing."]
    return [*incomplete, *read.problems, *read.recipe.problems]


def _record_all(tx: WriteTx, found: Sequence[Found], *, now_ms: int) -> None:
    """One statement a table for all of them: a statement a file costs more than the rows do."""
    registry = _Models(tx, now_ms)
    linked, new = [], []
    for one in found:
        uses, model_id = registry.of(one.read.recipe)
        linked.append(uses)
        moment = _moment(one.read)
        new.append(New(one.read.recipe, one.read.params_json, *moment, model_id, problems_of(one.read)))
    names = generations.add_all(tx, new, parser_version=PARSER_VERSION, app_version=__version__, now_ms=now_ms)
    images = [image for image, _ in names]
    taken = list(zip(images, found, strict=True))
    files.add_all(
        tx,
        [NewFile(i, FileKind.FINAL, _root_id(one), one.read.stat, facts_of(one.read)) for i, one in taken],
    )
    for root_id in {_root_id(one) for one in found}:
        failures.forget(tx, root_id=root_id, paths=[o.read.stat.path_bytes for o in found if _root_id(o) == root_id])
    model_queries.link_all(tx, list(zip(images, linked, strict=True)))
    raw_metadata.keep_all(tx, [(image, one.read.raw) for image, one in taken if one.read.raw])
    word_index.index(tx, images)
    added = [NewImage(*name, one.read.recipe) for name, one in zip(names, found, strict=True)]
    for hooks in import_hooks.all_hooks():
        hooks.on_images_added(tx, added, now_ms=now_ms)
    related_files.note(tx, [(image, _root_id(one), one.read) for image, one in taken], now_ms=now_ms)
    for hooks in import_hooks.all_hooks():
        hooks.on_prompts_added(tx, added, now_ms=now_ms)


def _moment(read: ImageRead) -> tuple[int, TimestampSource]:
    created_ms = read.recipe.created_ms
    if created_ms is not None and FIRST_SANE_MS <= created_ms <= LAST_SANE_MS:
        return created_ms, TimestampSource.METADATA
    return read.stat.mtime_ns // 1_000_000, TimestampSource.MTIME


class _Models:
    """The registry's entries that recipes name; each model is looked up once in a transaction."""

    def __init__(self, tx: WriteTx, now_ms: int) -> None:
        self._tx = tx
        self._now_ms = now_ms
        self._found: dict[tuple[ModelKind, str | None, str | None], int | None] = {}

    def of(self, recipe: Recipe) -> tuple[list[tuple[int, ModelUse]], int | None]:
        """The entries that a recipe names, and the checkpoint's among them."""
        linked = [(model, use) for use in _uses(recipe) if (model := self._find(use)) is not None]
        return linked, next((model for model, use in linked if use.role is ModelKind.CHECKPOINT), None)

    def _find(self, use: ModelUse) -> int | None:
        key = (use.role, use.name, use.hash)
        if key not in self._found:
            self._found[key] = model_queries.find_or_add(self._tx, use, now_ms=self._now_ms)
        return self._found[key]


def _uses(recipe: Recipe) -> list[ModelUse]:
    uses = [ModelUse(ModelKind.CHECKPOINT, recipe.model, recipe.model_hash)]
    uses += [ModelUse(ModelKind.VAE, recipe.vae)] if recipe.vae else []
    uses += [ModelUse(ModelKind.LORA, lora.name, lora.hash, lora.weight) for lora in recipe.loras]
    return [*uses, *recipe.models]


def _root_id(found: Found) -> int:
    if found.root.id is None:
        raise ValueError("a dry run writes nothing")
    return found.root.id
