"""Small images that tests make for themselves, a fraction of a millisecond each."""

import struct
import zlib
from pathlib import Path

PARAMETERS = """a red fox in snow, number {seed}
Negative prompt: blurry
Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: {seed}, Size: 64x64, Model hash: {model_hash}, \
Model: {model}, Version: v1.10.1"""


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int = 64, height: int = 64, *, color: int = 0x406080, texts: dict[str, str] | None = None) -> bytes:
    """A PNG of one colour (0xRRGGBB); each text becomes an iTXt chunk before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    row = b"\0" + color.to_bytes(3, "big") * width
    chunks = [png_chunk(b"IHDR", header)]
    for keyword, text in (texts or {}).items():
        chunks.append(png_chunk(b"iTXt", keyword.encode() + b"\0\0\0\0\0" + text.encode()))
    chunks.append(png_chunk(b"IDAT", zlib.compress(row * height, 1)))
    chunks.append(png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def a1111_png(seed: int, *, width: int = 64, height: int = 64, model: str = "v1-5-pruned-emaonly") -> bytes:
    """An image as A1111 writes it; another seed is another prompt and another colour."""
    text = PARAMETERS.format(seed=seed, model=model, model_hash=f"{zlib.crc32(model.encode()):010x}")
    color = (seed * 2654435761) & 0xFFFFFF
    return png(width, height, color=color, texts={"parameters": text})


def write_pictures(folder: Path, count: int, *, first_seed: int = 0) -> list[Path]:
    """`count` different images, a hundred to a sub-folder."""
    paths = []
    for seed in range(first_seed, first_seed + count):
        path = folder / f"day-{seed // 100:03}" / f"{seed:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(a1111_png(seed))
        paths.append(path)
    return paths
