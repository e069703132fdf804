"""Models of the signatures of a WD tagger and of CLIP in some hundred bytes: mean colours decide.

ONNX files are protocol buffers; the numbers of the fields are those of the published `onnx.proto`.
"""

import csv
import json
import struct
from pathlib import Path

# Name, category, and how much of blue, green and red it takes to fire, in this order.
LABELS = (
    ("general", 9, (0.0, 0.0, 0.0)),
    ("explicit", 9, (1.0, 1.0, 1.0)),
    ("blue_thing", 0, (1.0, 0.0, 0.0)),
    ("green_thing", 0, (0.0, 1.0, 0.0)),
    ("red_thing", 0, (0.0, 0.0, 1.0)),
    ("^_^", 0, (0.0, 0.0, 1.0)),
    ("hero_(red)", 4, (0.0, 0.0, 0.55)),
)
SLOPE, OFFSET = 0.05, -6.0


def write_tagger(folder: Path, *, side_px: int = 96, channels_first: bool = False, sigmoid: bool = True) -> Path:
    """A label fires (0.99) on a picture of its colour, and not (0.002) on one of another; the character does
    so less surely (0.73)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(_model(side_px, channels_first, sigmoid))
    with (folder / "selected_tags.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("tag_id", "name", "category", "count"))
        rows.writerows((number, name, category, 1000) for number, (name, category, _) in enumerate(LABELS))
    return folder


# Pieces of the tiny CLIP: their numbers, and what grows together.
CLIP_PIECES = ("<|startoftext|>", "<|endoftext|>", "red</w>", "green</w>", "blue</w>", "x</w>")
CLIP_MERGES = ("g r", "e e", "gr ee", "gree n</w>", "r e", "re d</w>", "b l", "bl u", "blu e</w>")
FLOAT, INT64 = 1, 7


def write_clip(folder: Path, *, side_px: int = 32, with_text: bool = True, dimensions: int = 8) -> Path:
    """Red, green and blue are three directions; pictures go by their mean colour, texts by their words."""
    folder.mkdir(parents=True, exist_ok=True)
    axes = [[float(row == column) for column in range(dimensions)] for row in range(3)]
    flat = [value for row in axes for value in row]
    image = [
        _node("ReduceMean", ["pixel_values"], "mean", _ints("axes", [2, 3]), _ints("keepdims", [0], single=True)),
        _node("Gemm", ["mean", "axes"], "image_embeds"),
    ]
    shape: list[int | None] = [None, 3, side_px, side_px]
    constants = {"axes": ([3, dimensions], flat)}
    (folder / "clip_image.onnx").write_bytes(
        _whole(image, constants, ("pixel_values", shape), "image_embeds", dimensions)
    )
    if not with_text:
        return folder
    text = [
        _node("Gather", ["pieces", "input_ids"], "found"),
        _node("ReduceMean", ["found"], "text_embeds", _ints("axes", [1]), _ints("keepdims", [0], single=True)),
    ]
    nothing = [0.0] * dimensions
    table = [value for row in (nothing, nothing, *axes, nothing) for value in row]
    constants = {"pieces": ([len(CLIP_PIECES), dimensions], table)}
    length: list[int | None] = [None, 77]
    (folder / "clip_text.onnx").write_bytes(
        _whole(text, constants, ("input_ids", length), "text_embeds", dimensions, kind=INT64)
    )
    (folder / "vocab.json").write_text(json.dumps({piece: number for number, piece in enumerate(CLIP_PIECES)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(CLIP_MERGES) + "\n")
    return folder


def _whole(
    nodes: list[bytes],
    constants: dict[str, tuple[list[int], list[float]]],
    given: tuple[str, list[int | None]],
    output: str,
    dimensions: int,
    *,
    kind: int = FLOAT,
) -> bytes:
    graph = b"".join(_message(1, node) for node in nodes) + _message(2, b"mean colour")
    graph += b"".join(_message(5, _tensor(name, *constant)) for name, constant in constants.items())
    graph += _message(11, _value(*given, kind)) + _message(12, _value(output, [None, dimensions]))
    return _number(1, 8) + _message(7, graph) + _message(8, _message(1, b"") + _number(2, 13))


def _model(side_px: int, channels_first: bool, sigmoid: bool) -> bytes:
    shape = [None, 3, side_px, side_px] if channels_first else [None, side_px, side_px, 3]
    weights = [share * SLOPE for channel in range(3) for share in (label[2][channel] for label in LABELS)]
    axes = [2, 3] if channels_first else [1, 2]
    scores = "logits" if sigmoid else "output"
    nodes = [
        _node("ReduceMean", ["input"], "mean", _ints("axes", axes), _ints("keepdims", [0], single=True)),
        _node("Gemm", ["mean", "weights", "offsets"], scores),
    ]
    if sigmoid:
        nodes.append(_node("Sigmoid", ["logits"], "output"))
    constants = {"weights": ([3, len(LABELS)], weights), "offsets": ([len(LABELS)], [OFFSET] * len(LABELS))}
    return _whole(nodes, constants, ("input", shape), "output", len(LABELS))


def _node(kind: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    content = b"".join(_message(1, name.encode()) for name in inputs)
    content += _message(2, output.encode()) + _message(4, kind.encode())
    return content + b"".join(_message(5, attribute) for attribute in attributes)


def _ints(name: str, values: list[int], *, single: bool = False) -> bytes:
    content = _message(1, name.encode())
    if single:
        return content + _number(3, values[0]) + _number(20, 2)
    return content + b"".join(_number(8, value) for value in values) + _number(20, 7)


def _tensor(name: str, dims: list[int], values: list[float]) -> bytes:
    content = b"".join(_number(1, dim) for dim in dims) + _number(2, 1) + _message(8, name.encode())
    return content + _message(9, struct.pack(f"<{len(values)}f", *values))


def _value(name: str, shape: list[int | None], kind: int = FLOAT) -> bytes:
    dims = (_message(2, b"batch") if dim is None else _number(1, dim) for dim in shape)
    tensor = _number(1, kind) + _message(2, b"".join(_message(1, dim) for dim in dims))
    return _message(1, name.encode()) + _message(2, _message(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
