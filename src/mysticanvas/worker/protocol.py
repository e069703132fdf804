"""Messages between the Orchestrator and a worker: length-prefixed MessagePack, bounded in size.

A frame is a 4-byte big-endian length and that many bytes. A task is [id, kind, body]; a reply is
[id, kind, body], where the kind "error" carries a sentence. Recipes travel as JSON inside, because a
seed may exceed 64 bits.
"""

from dataclasses import fields
from typing import BinaryIO

import msgspec

from mysticanvas.domain.file import FileStat, ImageFormat
from mysticanvas.domain.model_tasks import HashModel, ListModels, ModelHashed, ModelListing, ModelRead, ReadModel
from mysticanvas.domain.recipe_json import dump as recipe_json_of
from mysticanvas.domain.recipe_json import load as recipe_of
from mysticanvas.domain.task import (
    Answer,
    FileHashed,
    FolderListing,
    HashFile,
    ImageRead,
    KeptRead,
    ListFolder,
    MakeThumbs,
    ReadImage,
    ReadKept,
    Task,
    ThumbsMade,
)

MAX_FRAME_BYTES = 64 * 1024 * 1024
ERROR = "error"

_TASKS: dict[str, type] = {
    kind.__name__: kind
    for kind in (ListFolder, ReadImage, HashFile, MakeThumbs, ListModels, ReadModel, HashModel, ReadKept)
}
_ANSWERS: dict[str, type] = {
    kind.__name__: kind
    for kind in (FolderListing, FileHashed, ThumbsMade, ModelListing, ModelRead, ModelHashed, KeptRead)
}


class BrokenPipeFrameError(Exception):
    """The other side went away, or sent what is no frame."""


class _Frame(msgspec.Struct, array_like=True):
    id: int
    kind: str
    body: msgspec.Raw


class _ReadOnWire(msgspec.Struct, array_like=True):
    stat: FileStat
    format: ImageFormat
    width_px: int
    height_px: int
    frames: int
    complete: bool
    fingerprint: bytes
    recipe_json: bytes
    raw: bytes
    problems: list[str]
    sidecars: list[FileStat]


def task_frame(number: int, task: Task) -> bytes:
    return _frame(number, type(task).__name__, msgspec.msgpack.encode(task))


def answer_frame(number: int, answer: Answer) -> bytes:
    """Raises `ValueError` for an answer that is too large to send."""
    if isinstance(answer, ImageRead):
        values = {field.name: getattr(answer, field.name) for field in fields(answer) if field.name != "recipe"}
        recipe_json = recipe_json_of(answer.recipe)
        return _frame(number, "ImageRead", msgspec.msgpack.encode(_ReadOnWire(recipe_json=recipe_json, **values)))
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
    if frame.kind == "ImageRead":
        return _image_read(msgspec.msgpack.decode(frame.body, type=_ReadOnWire))
    answer: Answer = msgspec.msgpack.decode(frame.body, type=_ANSWERS[frame.kind])
    return answer


def _image_read(wire: _ReadOnWire) -> ImageRead:
    values = {name: getattr(wire, name) for name in wire.__struct_fields__ if name != "recipe_json"}
    return ImageRead(recipe=recipe_of(wire.recipe_json), **values)


def _frame(number: int, kind: str, body: bytes) -> bytes:
    content = msgspec.msgpack.encode(_Frame(number, kind, msgspec.Raw(body)))
    if len(content) > MAX_FRAME_BYTES:
        raise ValueError("The answer is too large to be sent.")
    return len(content).to_bytes(4, "big") + content
