"""Messages between the Orchestrator and a worker: length-prefixed MessagePack, bounded in size.

A frame is a 4-byte big-endian length and that many bytes. A task is [id, kind, body], where the kind is
"MODULE:CLASS" of its dataclass; a reply is [id, kind, body], where the kind "error" carries a sentence.
"""

from functools import cache
from importlib import import_module
from typing import Any, BinaryIO

import msgspec

from mysticanvas.domain.task import Answer, Task

MAX_FRAME_BYTES = 64 * 1024 * 1024
ERROR = "error"
ANSWER = "answer"


class BrokenFrameError(Exception):
    """The other process exited or sent an invalid frame."""


class _Frame(msgspec.Struct, array_like=True):
    id: int
    kind: str
    body: msgspec.Raw


def encode_task(number: int, task: Task) -> bytes:
    kind = type(task)
    return _encode_frame(number, f"{kind.__module__}:{kind.__qualname__}", msgspec.msgpack.encode(task))


def encode_answer(number: int, answer: Answer) -> bytes:
    """Raises `ValueError` for an answer that is too large to send."""
    to_wire = getattr(answer, "to_wire", None)
    return _encode_frame(number, ANSWER, msgspec.msgpack.encode(answer) if to_wire is None else to_wire())


def encode_error(number: int, sentence: str) -> bytes:
    return _encode_frame(number, ERROR, msgspec.msgpack.encode(sentence[:4_000]))


def read_frame(pipe: BinaryIO) -> _Frame | None:
    """The next frame; None at the end of the pipe. Raises `BrokenFrameError`."""
    prefix = pipe.read(4)
    if not prefix:
        return None
    length = int.from_bytes(prefix, "big")
    if len(prefix) < 4 or length > MAX_FRAME_BYTES:
        raise BrokenFrameError
    content = pipe.read(length)
    if len(content) < length:
        raise BrokenFrameError
    try:
        return msgspec.msgpack.decode(content, type=_Frame)
    except msgspec.DecodeError as error:
        raise BrokenFrameError from error


def decode_task(frame: _Frame) -> Task:
    """Raises `BrokenFrameError` for a kind that is no task."""
    task: Task = msgspec.msgpack.decode(frame.body, type=_task_type(frame.kind))
    return task


@cache
def _task_type(kind: str) -> type[Task]:
    module, _, name = kind.partition(":")
    found = getattr(import_module(module), name, None)
    if not (isinstance(found, type) and issubclass(found, Task)):
        raise BrokenFrameError
    return found


def decode_answer(frame: _Frame, task_type: type[Task]) -> Answer | str:
    """The answer to a task of that type; for a failure its sentence."""
    if frame.kind == ERROR:
        return msgspec.msgpack.decode(frame.body, type=str)
    answer_type: Any = task_type.answer_type
    from_wire = getattr(answer_type, "from_wire", None)
    return msgspec.msgpack.decode(frame.body, type=answer_type) if from_wire is None else from_wire(frame.body)


def _encode_frame(number: int, kind: str, body: bytes) -> bytes:
    content = msgspec.msgpack.encode(_Frame(number, kind, msgspec.Raw(body)))
    if len(content) > MAX_FRAME_BYTES:
        raise ValueError("The result is too large to send.")
    return len(content).to_bytes(4, "big") + content
