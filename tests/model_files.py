"""Model files that tests write for themselves: real safetensors, a few kilobytes each."""

import hashlib
import json
import random
import struct
from collections.abc import Mapping
from pathlib import Path

LORA_SDXL = {
    "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight": (4, 2048),
    "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_up.weight": (8, 4),
}
LORA_SD1 = {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight": (4, 768)}
CHECKPOINT_SD1 = {
    "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768),
    "first_stage_model.decoder.conv_in.weight": (4, 4, 3, 3),
}
CHECKPOINT_FLUX = {"double_blocks.0.img_attn.qkv.weight": (16, 8), "guidance_in.in_layer.weight": (4, 4)}
VAE = {"decoder.conv_in.weight": (4, 4, 3, 3), "encoder.conv_in.weight": (4, 3, 3, 3)}
EMBEDDING_SDXL = {"clip_l": (2, 768), "clip_g": (2, 1280)}


def safetensors(
    tensors: Mapping[str, tuple[int, ...]], texts: Mapping[str, str] | None = None, *, seed: int = 0, padding: int = 0
) -> bytes:
    """A whole file; another seed is other weights under the same header. `padding` adds a tensor of so
    many bytes."""
    header: dict[str, object] = {"__metadata__": dict(texts)} if texts else {}
    offset = 0
    for name, shape in {**tensors, **({"padding": (padding,)} if padding else {})}.items():
        size = 1
        for side in shape:
            size *= side
        header[name] = {"dtype": "U8", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    said = json.dumps(header).encode()
    return struct.pack("<Q", len(said)) + said + random.Random(seed).randbytes(offset)


def write_model(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def hashes_the_long_way(path: Path) -> dict[str, str]:
    """Each hash by a reading of its own, from the definition."""
    content = path.read_bytes()
    after_header = content[8 + int.from_bytes(content[:8], "little") :]
    found = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "autov2": hashlib.sha256(content).hexdigest()[:10],
        "tensor": hashlib.sha256(after_header).hexdigest(),
        "autov3": hashlib.sha256(after_header).hexdigest()[:12],
    }
    if len(content) > 0x100000:
        found["autov1"] = hashlib.sha256(content[0x100000 : 0x100000 + 0x10000]).hexdigest()[:8]
    return found
