"""Reading metadata, in files per second of CPU, beside the way most scripts go: Pillow, `.info`, regular expressions.

    python3 dev.py bench reading [FOLDER]

Reads 5,000 PNGs made from a seed (A1111's text, ComfyUI's graphs, InvokeAI's JSON; 512² pixels each),
and the real files of FOLDER where there are some. Both ways open the same files, which are in the page
cache, and give prompt, negative prompt, seed, steps, CFG, sampler, model and size; Pillow's of three
generators, ours of every one, with LoRAs and the images that went in. `.info` holds the texts before the
pixels alone; to have them all, as we do, Pillow's reader must go through the pixels (`.text`). The start
of both, their imports, is not counted; it is named.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PIL import Image
from tests.pictures import PARAMETERS, png_chunk
from tests.property.writers import Made, graph

from mysticanvas.disk.opening import open_beneath
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.formats.containers import read_head
from mysticanvas.formats.detect import read_recipe

SEED = 7
COUNT = 5_000
SIDE_PX = 512
ROUNDS = 3


def write_files(folder: Path) -> list[Path]:
    rng = random.Random(SEED)
    row = b"\0" + rng.randbytes(3 * SIDE_PX)
    rows = b"".join(row[:1] + row[1 + 3 * y :] + row[1 : 1 + 3 * y] for y in range(SIDE_PX))
    pixels = png_chunk(b"IDAT", zlib.compress(rows, 1))
    begin = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", SIDE_PX.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0")
    paths = []
    for number in range(COUNT):
        texts = b"".join(
            png_chunk(b"tEXt", key.encode() + b"\0" + text.encode("latin-1")) for key, text in _texts(number).items()
        )
        path = folder / f"{number:05}.png"
        path.write_bytes(begin + texts + pixels + png_chunk(b"IEND", b""))
        paths.append(path)
    return paths


def _texts(number: int) -> dict[str, str]:
    """Of ten images six are A1111's, three ComfyUI's, and one is InvokeAI's."""
    made = Made("a red fox in snow, " * 8, "blurry, low quality", number, 20, 7.0, "euler", "karras", 512, 512, "m")
    if number % 10 < 6:
        return {"parameters": PARAMETERS.format(seed=number, model="dreamer_v1", model_hash="0123456789")}
    if number % 10 < 9:
        return {"prompt": json.dumps(graph(made))}
    return {
        "invokeai_metadata": json.dumps(
            {
                "positive_prompt": made.prompt, "negative_prompt": made.negative, "seed": number, "steps": 20,
                "cfg_scale": 7, "scheduler": "euler", "width": 512, "height": 512, "model": {"name": "m"},
            }
        )
    }  # fmt: skip


def ours(paths: Iterable[Path]) -> int:
    read = 0
    for path in paths:
        try:
            with open_beneath(os.fsencode(path.parent), os.fsencode(path.name)) as source:
                recipe = read_recipe(read_head(source), file_name=path.name)
        except UnreadableFileError:
            continue
        read += recipe.seed is not None
    return read


_SETTING = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')


def with_info(paths: Iterable[Path]) -> int:
    return _with_pillow(paths, lambda image: image.info)


def with_text(paths: Iterable[Path]) -> int:
    return _with_pillow(paths, lambda image: image.info | getattr(image, "text", {}))


def _with_pillow(paths: Iterable[Path], texts: Callable[[Image.Image], dict[Any, Any]]) -> int:
    read = 0
    for path in paths:
        try:
            with Image.open(path) as image:
                said = texts(image) | {"size": image.size}
        except (OSError, SyntaxError, ValueError):
            continue
        read += _by_hand(said).get("seed") is not None
    return read


def _by_hand(said: dict[str, Any]) -> dict[str, Any]:
    if isinstance(said.get("parameters"), str):
        head, _, line = said["parameters"].strip().rpartition("\n")
        prompt, _, negative = head.partition("\nNegative prompt:")
        found = dict(_SETTING.findall(line))
        numbers = {"steps": found.get("Steps"), "cfg": found.get("CFG scale"), "sampler": found.get("Sampler")}
        return {
            "prompt": prompt,
            "negative": negative,
            "seed": found.get("Seed"),
            "model": found.get("Model"),
        } | numbers
    if isinstance(said.get("invokeai_metadata"), str):
        return dict(json.loads(said["invokeai_metadata"]))
    try:
        nodes = json.loads(said["prompt"]).values() if isinstance(said.get("prompt"), str) else []
    except ValueError:
        return {}
    found = {}
    for node in nodes if not isinstance(nodes, list) else []:
        if "KSampler" in node["class_type"]:
            found |= node["inputs"]
        elif node["class_type"] == "CLIPTextEncode":
            found.setdefault("prompt", node["inputs"]["text"])
        elif "ckpt_name" in node["inputs"]:
            found["model"] = node["inputs"]["ckpt_name"]
    return found


def per_second(read: Callable[[Iterable[Path]], int], paths: list[Path]) -> tuple[float, int]:
    """The best of some rounds, and how many files gave a seed."""
    best_s, count = float("inf"), 0
    for _ in range(1 if read is with_text else ROUNDS):
        began_s = time.process_time()
        count = read(paths)
        best_s = min(best_s, time.process_time() - began_s)
    return len(paths) / best_s, count


def start_ms(statement: str) -> float:
    """What it costs to import, in a process of its own."""
    program = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
    spent = [
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
        for _ in range(ROUNDS)
    ]
    return min(spent) * 1000


def main() -> None:
    named = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MYSTICANVAS_CORPUS", "")
    with tempfile.TemporaryDirectory() as made:
        sets = {f"{COUNT:,} synthetic PNGs": write_files(Path(made))}
        if named:
            listed = sorted(path for path in Path(named).rglob("*") if path.is_file())
            endings = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"}
            sets["real files"] = [path for path in listed if path.suffix.lower() in endings]
        readers = {"ours": ours, "Pillow .text": with_text, "Pillow .info": with_info}
        print(f"{'files per second of CPU':28}" + "".join(f"{name:>16}" for name in readers))
        for name, paths in sets.items():
            measured = [per_second(read, paths) for read in readers.values()]
            print(f"{name:28}" + "".join(f"{rate:>16,.0f}" for rate, _ in measured))
            print(f"{'  ours in times of it':28}" + "".join(f"{measured[0][0] / rate:>16.2f}" for rate, _ in measured))
            print(f"{'  with a seed':28}" + "".join(f"{seeds:>16,}" for _, seeds in measured))
    ours_ms = start_ms("import mysticanvas.formats.containers, mysticanvas.formats.detect")
    print(f"imports, ms of CPU: ours {ours_ms:.0f}, Pillow {start_ms('import PIL.Image'):.0f}")


if __name__ == "__main__":
    main()
