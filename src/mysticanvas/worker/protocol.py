"""Messages between the Orchestrator and a worker: length-prefixed MessagePack, bounded in size.

A frame is a 4-byte big-endian length and that many bytes. A task is [id, kind, body]; a reply is
[id, kind, body], where the kind "error" carries a sentence.
"""

from dataclasses import fields
from operator import attrgetter
from typing import Any, BinaryIO, get_type_hints

import msgspec

from mysticanvas.domain.file import FileStat, ImageFormat
from mysticanvas.domain.generation import Recipe
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.autotag.types import AskForTags, TagsSuggested
from mysticanvas.features.duplicates.types import HashPicture, PictureHashed
from mysticanvas.features.file_hashes.types import FileHashed, HashFile
from mysticanvas.features.importing.types import (
    FolderListing,
    ImageRead,
    ImagesRead,
    KeptRead,
    ListFolder,
    NotRead,
    ReadImages,
    ReadKept,
)
from mysticanvas.features.models.task_types import (
    HashModel,
    ListModels,
    ModelHashed,
    ModelListing,
    ModelRead,
    ReadModel,
)
from mysticanvas.features.semantic.types import EmbedTexts, TextsEmbedded
from mysticanvas.features.thumbnails.types import MakeThumbs, ThumbsMade
from mysticanvas.features.verify.types import FilesVerified, VerifyFiles
from mysticanvas.features.vision.types import LookAtPictures, PicturesSeen
from mysticanvas.features.wd_tagger.types import PictureTagged, TagPicture

MAX_FRAME_BYTES = 64 * 1024 * 1024
ERROR = "error"

_TASKS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        ListFolder,
        ReadImages,
        HashFile,
        MakeThumbs,
        ListModels,
        ReadModel,
        HashModel,
        ReadKept,
        EmbedTexts,
        HashPicture,
        AskForTags,
        VerifyFiles,
        TagPicture,
        LookAtPictures,
    )
}
_ANSWERS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        FolderListing,
        FileHashed,
        ThumbsMade,
        ModelListing,
        ModelRead,
        ModelHashed,
        KeptRead,
        TextsEmbedded,
        PictureHashed,
        TagsSuggested,
        FilesVerified,
        PictureTagged,
        PicturesSeen,
    )
}

# Recipes are many: their fields travel in order, without names. A seed may exceed 64 bits, so it is text.
_FIELDS = tuple(field.name for field in fields(Recipe))
_SEED = _FIELDS.index("seed")
_values_of = attrgetter(*_FIELDS)
_RecipeOnWire = msgspec.defstruct(
    "_RecipeOnWire",
    [(name, str | None if name == "seed" else kind) for name, kind in get_type_hints(Recipe).items()],
    array_like=True,
)


class BrokenPipeFrameError(Exception):
    """The other side went away, or sent what is no frame."""


class _Frame(msgspec.Struct, array_like=True):
    id: int
    kind: str
    body: msgspec.Raw


class _ReadOnWire(msgspec.Struct, array_like=True):
    """`recipe` is a `_RecipeOnWire`, decoded by itself."""

    stat: FileStat
    format: ImageFormat
    width_px: int
    height_px: int
    frames: int
    complete: bool
    fingerprint: bytes
    recipe: msgspec.Raw
    params_json: str
    raw: bytes
    problems: list[str]
    sidecars: list[FileStat]
    is_grid: bool


_read_values_of = attrgetter(*(name for name in _ReadOnWire.__struct_fields__))
_RECIPE = _ReadOnWire.__struct_fields__.index("recipe")
_recipes = msgspec.msgpack.Decoder(_RecipeOnWire)
_reads = msgspec.msgpack.Decoder(list[_ReadOnWire | str])


def task_frame(number: int, task: Task) -> bytes:
    return _frame(number, type(task).__name__, msgspec.msgpack.encode(task))


def answer_frame(number: int, answer: Answer) -> bytes:
    """Raises `ValueError` for an answer that is too large to send."""
    if isinstance(answer, ImagesRead):
        reads = [read.reason if isinstance(read, NotRead) else _read_on_wire(read) for read in answer.reads]
        return _frame(number, "ImagesRead", msgspec.msgpack.encode(reads))
    return _frame(number, type(answer).__name__, msgspec.msgpack.encode(answer))


def error_frame(number: int, sentence: str) -> bytes:
    return _frame(number, ERROR, msgspec.msgpack.encode(sentence[:4_000]))


def read_frame(pipe: BinaryIO) -> _Frame | None:
    """The next frame; None at the end. Raises `BrokenPipeFrameError`."""
    prefix = pipe.read(4)
    if not prefix:
        return None
    length = int.from_bytes(prefix, "big")
    if len(prefix) < 4 or length > MAX_FRAME_BYTES:
        raise BrokenPipeFrameError
    content = pipe.read(length)
    if len(content) < length:
        raise BrokenPipeFrameError
    try:
        return msgspec.msgpack.decode(content, type=_Frame)
    except msgspec.DecodeError as error:
        raise BrokenPipeFrameError from error


def task_of(frame: _Frame) -> Task:
    task: Task = msgspec.msgpack.decode(frame.body, type=_TASKS[frame.kind])
    return task


def answer_of(frame: _Frame) -> Answer | str:
    """The answer; for a failure its sentence."""
    if frame.kind == ERROR:
        return msgspec.msgpack.decode(frame.body, type=str)
    if frame.kind == "ImagesRead":
        return ImagesRead([NotRead(r) if isinstance(r, str) else _image_read(r) for r in _reads.decode(frame.body)])
    answer: Answer = msgspec.msgpack.decode(frame.body, type=_ANSWERS[frame.kind])
    return answer


def _read_on_wire(read: ImageRead) -> list[Any]:
    recipe = list(_values_of(read.recipe))
    recipe[_SEED] = None if recipe[_SEED] is None else str(recipe[_SEED])
    values = list(_read_values_of(read))
    values[_RECIPE] = recipe
    return values


def _image_read(wire: _ReadOnWire) -> ImageRead:
    recipe = list(_values_of(_recipes.decode(wire.recipe)))
    recipe[_SEED] = None if recipe[_SEED] is None else int(recipe[_SEED])
    values = list(_read_values_of(wire))
    values[_RECIPE] = Recipe(*recipe)
    return ImageRead(*values)


def _frame(number: int, kind: str, body: bytes) -> bytes:
    content = msgspec.msgpack.encode(_Frame(number, kind, msgspec.Raw(body)))
    if len(content) > MAX_FRAME_BYTES:
        raise ValueError("The answer is too large to be sent.")
    return len(content).to_bytes(4, "big") + content
