"""Transactions of the import: what a found file becomes in the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas import __version__
from mysticanvas.domain.file import FileKind, FileStat
from mysticanvas.domain.generation import GenerationId, Recipe, TimestampSource
from mysticanvas.domain.job import JobKind
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.domain.task import ImageRead
from mysticanvas.formats.detect import PARSER_VERSION
from mysticanvas.library import companions, lineage
from mysticanvas.store import events, failures, files, fts, generations, jobs, models, raw_metadata, taking_over
from mysticanvas.store.database import WriteTx
from mysticanvas.store.files import Facts, KnownFile
from mysticanvas.store.roots import Root

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
    """Record images with all that hangs on them, and queue their thumbnails: all or nothing."""
    images = [_record(tx, one, now_ms=now_ms) for one in found]
    if images:
        fts.index(tx, images)
        lineage.note(tx, [(image, one.read.recipe) for image, one in zip(images, found, strict=True)], now_ms=now_ms)
        companions.note(tx, [(image, _root_id(one), one.read) for image, one in zip(images, found, strict=True)])
    for one in failed:
        if one.root.id is not None:
            failures.record(tx, root_id=one.root.id, stat=one.stat, reason=one.reason, now_ms=now_ms)


def add_copy(tx: WriteTx, original: KnownFile, found: Found, digest: bytes | None, *, now_ms: int) -> None:
    """The same bytes at another place: one image, two locations (F2). A sidecar beside the copy may
    say what nothing beside the original said."""
    image, stat, root_id = original.generation_id, found.read.stat, _root_id(found)
    facts = facts_of(found.read)
    files.add(tx, image, kind=FileKind.COPY, root_id=root_id, stat=stat, facts=facts, blake3=digest)
    failures.forget(tx, root_id=root_id, path=stat.path_bytes)
    if found.read.recipe.prompt is not None and generations.detail(tx, image).prompt is None:
        _read_anew(tx, image, found.read, now_ms=now_ms)
    lineage.note_arrival(tx, image, now_ms=now_ms)
    companions.note_anew(tx, image, root_id, found.read)
    tx.changes.changed.append(image)


def move(tx: WriteTx, old: KnownFile, found: Found, *, now_ms: int) -> None:
    """The image keeps everything; its file is elsewhere."""
    root_id = _root_id(found)
    files.move(tx, old.id, root_id=root_id, stat=found.read.stat)
    failures.forget(tx, root_id=root_id, path=found.read.stat.path_bytes)
    image, after = old.generation_id, found.read.stat.path_bytes
    lineage.note_move(tx, image, before=old.path_bytes, after=after, now_ms=now_ms)
    companions.note_move(tx, image, root_id, found.read.sidecars)
    tx.changes.changed.append(old.generation_id)


def touch(tx: WriteTx, known: KnownFile, found: Found, *, now_ms: int) -> None:
    files.touch(tx, known.id, stat=found.read.stat)


def replace_content(tx: WriteTx, known: KnownFile, found: Found, *, now_ms: int) -> None:
    """The file was edited in place: its recipe is read anew, what the person wrote stays (F9)."""
    read, image = found.read, known.generation_id
    if known.kind == FileKind.COPY:
        # It is a copy no longer, and its own image from now on.
        files.remove(tx, known.id)
        take_in(tx, [found], [], now_ms=now_ms)
        return
    files.replace_content(tx, known.id, stat=read.stat, facts=facts_of(read))
    if known.kind != FileKind.FINAL:
        # A mask or an upscale says nothing about the image that it is a file of.
        return
    companions.note_anew(tx, image, _root_id(found), read)
    was_never_here = known.fingerprint is None
    if was_never_here:
        taking_over.fill_placeholder(tx, image)
    if not was_never_here or read.recipe.prompt is not None:
        # What came over from another gallery is not lost to a file that says nothing.
        _read_anew(tx, image, read, now_ms=now_ms)
    _queue_thumb(tx, image, now_ms=now_ms)
    data = {"path": read.stat.path_bytes.decode("utf-8", "replace")}
    events.append(tx, level="info", kind="file.changed", subject=found.root.path, data=data, now_ms=now_ms)


def _read_anew(tx: WriteTx, image: GenerationId, read: ImageRead, *, now_ms: int) -> None:
    set_recipe(tx, image, read.recipe, problems_of(read), now_ms=now_ms)
    raw_metadata.keep(tx, image, read.raw)


def set_recipe(tx: WriteTx, image: GenerationId, recipe: Recipe, problems: Sequence[str], *, now_ms: int) -> None:
    """What the parsers of today say of a known image, with its models and inputs."""
    linked, model_id = _models(tx, recipe, now_ms=now_ms)
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
    models.link(tx, image, linked)
    lineage.note_anew(tx, image, recipe, now_ms=now_ms)


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


def _record(tx: WriteTx, found: Found, *, now_ms: int) -> GenerationId:
    read = found.read
    linked, model_id = _models(tx, read.recipe, now_ms=now_ms)
    timestamp_ms, source = _moment(read)
    image = generations.add(
        tx,
        read.recipe,
        timestamp_ms=timestamp_ms,
        timestamp_source=source,
        model_id=model_id,
        problems=problems_of(read),
        parser_version=PARSER_VERSION,
        app_version=__version__,
        now_ms=now_ms,
    )
    root_id = _root_id(found)
    files.add(tx, image, kind=FileKind.FINAL, root_id=root_id, stat=read.stat, facts=facts_of(read))
    failures.forget(tx, root_id=root_id, path=read.stat.path_bytes)
    models.link(tx, image, linked)
    if read.raw:
        raw_metadata.keep(tx, image, read.raw)
    _queue_thumb(tx, image, now_ms=now_ms)
    return image


def _queue_thumb(tx: WriteTx, image: GenerationId, *, now_ms: int) -> None:
    public_uuid = generations.uuid_of(tx, image)
    jobs.enqueue(tx, kind=JobKind.THUMB, payload={"generation": image}, unique_key=public_uuid, now_ms=now_ms)


def _moment(read: ImageRead) -> tuple[int, TimestampSource]:
    created_ms = read.recipe.created_ms
    if created_ms is not None and FIRST_SANE_MS <= created_ms <= LAST_SANE_MS:
        return created_ms, TimestampSource.METADATA
    return read.stat.mtime_ns // 1_000_000, TimestampSource.MTIME


def _models(tx: WriteTx, recipe: Recipe, *, now_ms: int) -> tuple[list[tuple[int, ModelUse]], int | None]:
    """The registry's entries that a recipe names, and the checkpoint's among them."""
    uses = [ModelUse(ModelKind.CHECKPOINT, recipe.model, recipe.model_hash)]
    uses += [ModelUse(ModelKind.VAE, recipe.vae)] if recipe.vae else []
    uses += [ModelUse(ModelKind.LORA, lora.name, lora.hash, lora.weight) for lora in recipe.loras]
    uses += recipe.models
    linked = []
    for use in uses:
        model_id = models.find_or_add(tx, use, now_ms=now_ms)
        if model_id is not None:
            linked.append((model_id, use))
    return linked, next((model_id for model_id, use in linked if use.role is ModelKind.CHECKPOINT), None)


def _root_id(found: Found) -> int:
    if found.root.id is None:
        raise ValueError("a dry run writes nothing")
    return found.root.id
