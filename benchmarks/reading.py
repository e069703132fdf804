"""Reading metadata: CPU time a file and fields read right, beside Pillow with regular expressions.

    python3 dev.py bench reading [FOLDER]

Reads 5,000 PNGs made from a seed (A1111's text, ComfyUI's graphs, InvokeAI's JSON; 512² pixels each),
and the images of FOLDER that its `expected.json` knows, without their sidecars and hidden texts. Every way
opens the same files, which are in the page cache. A field is right when the file states it and it was read
so; wrong when something else was given for it, also where the file states nothing.

The peers are one script over what Pillow hands out: `.info` as it is when a file is opened, which holds the
texts before the pixels alone; `.text`, for which Pillow goes through the pixels; and the texts after
`load()`, which decodes them. The script knows A1111's, ComfyUI's and InvokeAI's texts, in PNG and EXIF.
What takes part of our way (the bytes, the texts) is beside it. Imports are not counted; what they cost is named.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from tests.pictures import PARAMETERS, png_chunk
from tests.property.hostile import SHAPES
from tests.property.hostile import read as read_texts
from tests.property.writers import Made, graph

from benchmarks.metadata_accuracy import CORE, is_right
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.containers.source import HEAD_BYTES
from mysticanvas.formats.describing import build_inspect_row
from mysticanvas.formats.detect import read_recipe
from mysticanvas.fs.safe_open import open_beneath

SEED = 7
COUNT = 5_000
SIDE_PX = 512
ROUNDS = 3

Row = dict[str, Any]
Read = Callable[[Path], Any]


# -- the files ----------------------------------------------------------------------------------------------


def write_files(folder: Path) -> dict[Path, Row]:
    """The files, and what each states."""
    rng = random.Random(SEED)
    row = b"\0" + rng.randbytes(3 * SIDE_PX)
    rows = b"".join(row[:1] + row[1 + 3 * y :] + row[1 : 1 + 3 * y] for y in range(SIDE_PX))
    pixels = png_chunk(b"IDAT", zlib.compress(rows, 1))
    begin = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", SIDE_PX.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0")
    found = {}
    for number in range(COUNT):
        texts, stated = _texts(number)
        chunks = b"".join(
            png_chunk(b"tEXt", key.encode() + b"\0" + text.encode("latin-1")) for key, text in texts.items()
        )
        path = folder / f"{number:05}.png"
        path.write_bytes(begin + chunks + pixels + png_chunk(b"IEND", b""))
        found[path] = stated
    return found


def _texts(number: int) -> tuple[dict[str, str], Row]:
    """Of ten images six are A1111's, three ComfyUI's, and one is InvokeAI's."""
    made = Made("a red fox in snow, " * 8, "blurry, low quality", number, 20, 7.0, "euler", "karras", 512, 512, "m")
    stated = {
        "prompt": made.prompt, "negative_prompt": made.negative, "seed": number, "steps": 20, "cfg_scale": 7.0,
        "sampler": "euler", "model": "m", "loras": [], "width": 512, "height": 512,
    }  # fmt: skip
    if number % 10 < 6:
        text = PARAMETERS.format(seed=number, model="dreamer_v1", model_hash="0123456789")
        said = {"prompt": f"a red fox in snow, number {number}", "negative_prompt": "blurry", "sampler": "Euler a"}
        return {"parameters": text}, stated | said | {"model": "dreamer_v1", "width": 64, "height": 64}
    if number % 10 < 9:
        return {"prompt": json.dumps(graph(made))}, stated
    record = {
        "positive_prompt": made.prompt, "negative_prompt": made.negative, "seed": number, "steps": 20,
        "cfg_scale": 7, "scheduler": "euler", "width": 512, "height": 512, "model": {"name": "m"},
    }  # fmt: skip
    return {"invokeai_metadata": json.dumps(record)}, stated | {"sampler": None}


def real_files(folder: Path) -> dict[Path, Row]:
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return {folder / path: want for path, want in expected.items()}


# -- the readers --------------------------------------------------------------------------------------------


def bytes_alone(path: Path) -> None:
    """What no reader can do without."""
    handle = os.open(path, os.O_RDONLY)
    os.pread(handle, HEAD_BYTES, 0)
    os.close(handle)


def texts_alone(path: Path) -> None:
    """Opened beneath its folder through no link, every text found, the end looked for."""
    with open_beneath(os.fsencode(path.parent), os.fsencode(path.name)) as source:
        read_head(source)


def ours(path: Path) -> Any:
    with open_beneath(os.fsencode(path.parent), os.fsencode(path.name)) as source:
        head = read_head(source)
        return head, read_recipe(head, file_name=path.name)


def with_info(path: Path) -> Row:
    with Image.open(path) as image:
        return _by_hand(image.info, image)


def with_text(path: Path) -> Row:
    with Image.open(path) as image:
        return _by_hand(image.info | getattr(image, "text", {}), image)


def with_load(path: Path) -> Row:
    with Image.open(path) as image:
        image.load()
        return _by_hand(image.info, image)


_SETTING = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_LORA = re.compile(r"<lora:([^:>]+):?([\d.]*)")


def _by_hand(said: Row, image: Image.Image) -> Row:
    if isinstance(said.get("parameters"), str):
        return _infotext(said["parameters"])
    if isinstance(said.get("invokeai_metadata"), str):
        record = json.loads(said["invokeai_metadata"])
        names = {"prompt": "positive_prompt"}
        row = {name: record.get(names.get(name, name)) for name in CORE if name not in ("model", "loras")}
        return row | {"model": (record.get("model") or {}).get("name")}
    if isinstance(said.get("prompt"), str):
        return _graph(json.loads(said["prompt"]))
    if "exif" in said:
        comment = image.getexif().get_ifd(0x8769).get(0x9286) or b""
        if comment[:8] == b"UNICODE\0":
            return _infotext(comment[8:].decode("utf-16-be"))
    return {}


def _infotext(text: str) -> Row:
    head, _, line = text.strip().rpartition("\n")
    prompt, _, negative = head.partition("\nNegative prompt:")
    found = dict(_SETTING.findall(line))
    width, _, height = found.get("Size", "").partition("x")
    return {
        "prompt": prompt,
        "negative_prompt": negative.strip(),
        "seed": int(found["Seed"]),
        "steps": int(found["Steps"]),
        "cfg_scale": float(found["CFG scale"]),
        "sampler": found.get("Sampler"),
        "model": found.get("Model"),
        "loras": [{"name": name, "weight": float(weight or 1)} for name, weight in _LORA.findall(prompt)],
        "width": int(width),
        "height": int(height),
    }


_OF_NODES = {
    "seed": "seed", "noise_seed": "seed", "steps": "steps", "cfg": "cfg_scale", "sampler_name": "sampler",
    "ckpt_name": "model", "unet_name": "model", "width": "width", "height": "height",
}  # fmt: skip


def _graph(nodes: dict[str, Any]) -> Row:
    """The first of each input that bears the name; the first text is the prompt, the second the negative."""
    row: Row = {"loras": []}
    texts = []
    for node in nodes.values():
        inputs = node["inputs"]
        texts += [inputs["text"]] if isinstance(inputs.get("text"), str) else []
        if "lora_name" in inputs:
            row["loras"].append({"name": inputs["lora_name"], "weight": inputs.get("strength_model")})
        for key, name in _OF_NODES.items():
            if key in inputs and not isinstance(inputs[key], list):
                row.setdefault(name, inputs[key])
    return row | dict(zip(("prompt", "negative_prompt"), texts, strict=False))


READERS: dict[str, Read] = {
    "ours": ours,
    "  its bytes": bytes_alone,
    "  its texts": texts_alone,
    "Pillow .info": with_info,
    "Pillow .text": with_text,
    "Pillow load()": with_load,
}


# -- what is counted ----------------------------------------------------------------------------------------


def cpu_us(read: Read, paths: list[Path]) -> float:
    """A file, in the best of some rounds; those that decode pixels take long and have one."""
    best_s = float("inf")
    for _ in range(1 if read in (with_text, with_load) else ROUNDS):
        began_s = time.process_time()
        for path in paths:
            _try(read, path)
        best_s = min(best_s, time.process_time() - began_s)
    return best_s / len(paths) * 1e6


def _try(read: Read, path: Path) -> Any:
    """None for what a reader cannot read: Pillow's refusals, and texts that are otherwise than a script thinks."""
    try:
        return read(path)
    except (UnreadableFileError, OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError):
        return None


def count_fields(read: Read, files: dict[Path, Row]) -> tuple[int, int, int]:
    """(files with a right prompt or seed, fields right, fields wrong)."""
    good_files = right = wrong = 0
    for path, want in files.items():
        found = _try(read, path)
        row = build_inspect_row(*found) if isinstance(found, tuple) else found or {}
        states = {name for name in CORE if want.get(name) not in (None, "", [])}
        good = {name for name in states if is_right(name, row.get(name), want)}
        given = {name for name in CORE if name in want and row.get(name) not in (None, "", [])}
        good_files += bool(good & {"prompt", "seed"})
        right += len(good)
        wrong += sum(name not in good and not is_right(name, row.get(name), want) for name in given)
    return good_files, right, wrong


def stated(files: dict[Path, Row]) -> tuple[int, int]:
    """(files that state a prompt or a seed, fields stated)."""
    names = [{name for name in CORE if want.get(name) not in (None, "", [])} for want in files.values()]
    return sum(bool(one & {"prompt", "seed"}) for one in names), sum(map(len, names))


def start_ms(statement: str) -> float:
    """What it costs to import, in a process of its own."""
    program = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
    spent = [
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
        for _ in range(ROUNDS)
    ]
    return min(spent) * 1000


def show_hostile() -> None:
    """Texts of a megabyte that are made to cost much (tests/property/hostile.py): the slowest of them."""
    spent = {}
    for name, shape in SHAPES.items():
        texts = shape(1_000_000)
        spent[name] = min(_cpu_ms(lambda t=texts: read_texts(t)) for _ in range(ROUNDS))
    slowest = sorted(spent, key=lambda name: spent[name], reverse=True)[:5]
    said = ", ".join(f"{name} {spent[name]:.0f}" for name in slowest)
    print(f"\n{len(spent)} hostile megabytes, ms of CPU: {said}; all together {sum(spent.values()):,.0f}")


def _cpu_ms(work: Callable[[], Any]) -> float:
    began_s = time.process_time()
    work()
    return (time.process_time() - began_s) * 1000


def show(title: str, files: dict[Path, Row]) -> None:
    every_file, every_field = stated(files)
    print(f"\n{title}: {every_file:,} of {len(files):,} state a prompt or a seed, {every_field:,} fields in all")
    print(f"{'':14}{'CPU µs a file':>14}{'ours is':>10}{'files':>7}{'fields right':>17}{'wrong':>7}{'µs a field':>12}")
    ours_us = 0.0
    for name, read in READERS.items():
        spent_us = cpu_us(read, list(files))
        ours_us = ours_us or spent_us
        print(f"{name:14}{spent_us:>14,.1f}{spent_us / ours_us:>8.2f} ×", end="")
        good_files, right, wrong = count_fields(read, files)
        share = f"{right:,} ({right / every_field:.1%})"
        print(f"{good_files:>7,}{share:>17}{wrong:>7,}{spent_us * len(files) / right:>12,.1f}" if right else "")


def main() -> None:
    named = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("MYSTICANVAS_CORPUS", "")
    with tempfile.TemporaryDirectory() as made:
        show(f"{COUNT:,} synthetic PNGs", write_files(Path(made)))
    if named:
        folder = Path(named)
        show("real files", real_files(folder if (folder / "expected.json").is_file() else folder / "open"))
    show_hostile()
    ours_ms = start_ms("import mysticanvas.formats.containers.identify, mysticanvas.formats.detect")
    print(f"\nimports, ms of CPU: ours {ours_ms:.0f}, Pillow {start_ms('import PIL.Image'):.0f}")


if __name__ == "__main__":
    main()
