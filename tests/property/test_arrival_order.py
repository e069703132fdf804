"""The library is a function of the files: whatever the order and the batches in which they arrive.

The same files are imported in random orders and batches, with moves and scans in between. The libraries must be equal
except for ids and times of import.
"""
# ruff: noqa: S608 - texts of our own

import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.importing import import_all
from tests.pictures import png

from mysticanvas.db import checks as doctor_checks
from mysticanvas.db.database import Database, ReadTx
from mysticanvas.db.images import folders
from mysticanvas.features.importing import batch, tally
from mysticanvas.worker.pool import WorkerPool

FIRST_S = 1_700_000_000
HASHES = ("0123456789", "abcdef0123", "01234567", None)


@dataclass(frozen=True)
class File:
    path: str
    content: bytes
    mtime_s: int


@dataclass(frozen=True)
class Move:
    before: str
    after: str


Event = File | Move


def infotext(seed: int, *, prompt: str = "a fox", model: str = "", model_hash: str | None = None) -> str:
    named = f", Model: {model}" if model else ""
    hashed = f", Model hash: {model_hash}" if model_hash else ""
    settings = f"Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: {seed}, Size: 64x64{hashed}{named}, Version: v1.10.1"
    return f"{prompt}\n{settings}"


def a1111(seed: int, *, color: int | None = None, **named: Any) -> bytes:
    color = (seed * 2654435761) & 0xFFFFFF if color is None else color
    return png(color=color, texts={"parameters": infotext(seed, **named)})


def comfy(seed: int, source: str | None) -> bytes:
    graph: dict[str, Any] = {
        "3": {"class_type": "KSampler", "inputs": {
            "seed": seed, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 0.5,
            "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["8", 0]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": f"a fox {seed}", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}},
        "8": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": "x"}},
        "10": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    }  # fmt: skip
    if source:
        graph["8"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["11", 0], "vae": ["4", 2]}}
        graph["11"] = {"class_type": "LoadImage", "inputs": {"image": source}}
    return png(color=(seed * 2654435761) & 0xFFFFFF, texts={"prompt": json.dumps(graph)})


def jpeg(color: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 64), (color & 255, color >> 8 & 255, color >> 16)).save(buffer, "JPEG")
    return buffer.getvalue()


# -- the files, each kind by a function of its own ---------------------------------------------------


def list_singles() -> Iterator[tuple[str, bytes]]:
    for seed in range(24):
        yield f"single/{seed:05}.png", a1111(1_000 + seed, prompt=f"a fox {seed}")


def list_models() -> Iterator[tuple[str, bytes]]:
    for number, name in enumerate(("grain", "noise", "storm", "")):
        for at, model_hash in enumerate(HASHES):
            # Names with several hashes, hashes with several names, and each alone.
            if (number + at) % 3 or number == 0:
                yield f"models/{number}-{at}.png", a1111(2_000 + number * 10 + at, model=name, model_hash=model_hash)


def list_copies() -> Iterator[tuple[str, bytes]]:
    for seed in range(10):
        content = a1111(3_000 + seed, prompt="twice")
        for folder in ("z", "a", "m/deeper")[: 2 + seed % 2]:
            yield f"copies/{folder}/{seed}.png", content
    # The copies of an image without generation data, some of them with a sidecar.
    for seed in range(6):
        content = png(color=0x300000 + seed)
        for at, folder in enumerate(("z", "a", "m")):
            yield f"bare/{folder}/{seed}.png", content
            if (seed >> at) & 1:
                yield f"bare/{folder}/{seed}.txt", infotext(3_500 + seed, prompt=f"in {folder}").encode()


def list_sidecars() -> Iterator[tuple[str, bytes]]:
    for seed in range(8):
        yield f"sidecars/{seed}.png", png(color=0x400000 + seed)
        ending = ("txt", "png.txt", "json", "png.json")[seed % 4]
        text = infotext(4_000 + seed)
        yield f"sidecars/{seed}.{ending}", (json.dumps({"parameters": text}) if "json" in ending else text).encode()
    for seed in range(6):
        # One text beside two images.
        yield f"shared/{seed}.png", png(color=0x410000 + seed)
        yield f"shared/{seed}.jpg", jpeg(0x420000 + seed * 40)
        yield f"shared/{seed}.txt", infotext(4_100 + seed).encode()


def list_companions() -> Iterator[tuple[str, bytes]]:
    for number, folder in enumerate(("steps/one", "steps/two", "steps/copy of one")):
        of = 0 if folder.endswith("one") else number
        for at in range(4):
            seed, base = 5_000 + of * 100 + at, 10 + at * 20
            yield f"{folder}/{base:05}-{seed}-before-highres-fix.png", a1111(seed, color=seed * 3)
            yield f"{folder}/{base + 1:05}-{seed}.png", a1111(seed, color=seed * 5)
            # Another image of the same settings, which comes later: the nearest one is the result.
            yield f"{folder}/{base + 3:05}-{seed}.png", a1111(seed, color=seed * 7)
            yield f"{folder}/{base + 4:05}-{seed}-mask.png", a1111(seed, color=seed * 11)
            yield f"{folder}/{base + 1:05}-{seed}_upscayl_4x_sharp.png", png(color=seed * 13)
    for at in range(3):
        # One name in two formats.
        yield f"formats/0001{at}-7.png", a1111(5_900 + at, color=1 + at)
        yield f"formats/0001{at}-7.webp", webp(0x510000 + at)
        yield f"formats/0001{at}-7_upscayl_4x_sharp.png", png(color=0x520000 + at)


def webp(color: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 64), (color & 255, color >> 8 & 255, color >> 16)).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def list_children() -> Iterator[tuple[str, bytes]]:
    for number in range(10):
        # A chain, its names ambiguous in places, and a circle at its end.
        source = f"{(number + 1) % 10}.png" if number % 4 else f"chain/{number + 1}.png"
        yield f"chain/{number}.png", comfy(6_000 + number, source)
    for folder in ("first", "second"):
        yield f"{folder}/fox.png", comfy(6_100 + len(folder), None)
    yield "children/of either.png", comfy(6_200, "fox.png")
    yield "children/of second.png", comfy(6_201, "second/fox.png")
    yield "children/of copy.png", comfy(6_202, "copies/a/3.png")
    yield "children/of moved.png", comfy(6_203, "00003.png")


MOVES = [
    Move("single/00003.png", "single/renamed/three.png"),
    Move("single/00004.png", "copies/4 too.png"),
    Move("copies/a/1.png", "copies/b/1.png"),
    Move("copies/z/2.png", "moved away/2.png"),
    Move("first/fox.png", "third/fox.png"),
    Move("chain/5.png", "chain/moved/5.png"),
    Move("models/0-1.png", "models/moved/0-1.png"),
    Move("incoming/1.png", "steps/two/00071-5103.png"),
    Move("incoming/2.png", "steps/two/00070-5103-before-highres-fix.png"),
]


def list_files() -> list[File]:
    makers: Sequence[Callable[[], Iterator[tuple[str, bytes]]]] = (
        list_singles, list_models, list_copies, list_sidecars, list_companions, list_children,
    )  # fmt: skip
    arriving = dict(one for maker in makers for one in maker())
    # These arrive under another name first.
    arriving["incoming/1.png"] = arriving.pop("steps/two/00071-5103.png")
    arriving["incoming/2.png"] = arriving.pop("steps/two/00070-5103-before-highres-fix.png")
    chance = random.Random(7)
    moments = chance.sample(range(len(arriving) * 3), len(arriving))
    return [
        File(path, content, FIRST_S + at * 60) for (path, content), at in zip(arriving.items(), moments, strict=True)
    ]


# -- one library ------------------------------------------------------------------------------------


def arrange(chance: random.Random, files: Sequence[File]) -> list[list[Event]]:
    """Batches of events in a random order; a file is moved in a later batch than it arrives."""
    order = chance.sample(files, len(files))
    batches: list[list[Event]] = []
    while order:
        size = chance.choice((1, 5, 30, 120))
        batches.append(list(order[:size]))
        del order[:size]
        if len(batches) == 6:
            batches[-1] += order
            order = []
    place = {one.path: at for at, events in enumerate(batches) for one in events if isinstance(one, File)}
    batches.append([])
    for move in MOVES:
        batches[chance.randint(place[move.before] + 1, len(batches) - 1)].append(move)
    return batches


def happen(root: Path, event: Event) -> None:
    if isinstance(event, Move):
        target = root / event.after
        target.parent.mkdir(parents=True, exist_ok=True)
        (root / event.before).rename(target)
        return
    path = root / event.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(event.content)
    os.utime(path, (event.mtime_s, event.mtime_s))


def build_library(tmp_path: Path, workers: WorkerPool, batches: Sequence[Sequence[Event]]) -> list[str]:
    images = tmp_path / "images"
    images.mkdir(parents=True)
    with Database.open(tmp_path / "library") as database:
        root = database.write(folders.add, path=str(images), watch=False, now_ms=0)
        for events in batches:
            for event in events:
                happen(images, event)
            counts = import_all(database, workers, root).counts
            assert counts.failed == 0
        again = import_all(database, workers, root).counts
        assert (again.imported, again.changed, again.moved, again.copies, again.missing) == (0, 0, 0, 0, 0)
        assert [
            check.name for check in doctor_checks.run_all(database) if not check.ok and "job" not in check.name
        ] == []
        return database.read(dump)


# -- what is compared ---------------------------------------------------------------------------------

# An image is named by its content, because paths and ids are what is compared.
# Without a date in its metadata, an image has the date of the file that was imported first.
DATED = """iif((SELECT count(DISTINCT d.mtime_ns)
                  FROM generation_files AS d
                 WHERE d.generation_id = g.id AND d.kind IN ('final', 'copy')) = 1, g.timestamp, NULL)"""
NAMED = "(SELECT hex(own.fingerprint) FROM generation_files AS own WHERE own.generation_id = {} AND own.kind = 'final')"
TABLES = {
    "image": f"""
        SELECT {NAMED.format("g.id")}, f.path, {DATED}, g.timestamp_source, g.prompt, g.negative_prompt, g.seed,
               g.steps, g.sampler, g.width, g.height, g.model_name, g.model_hash, g.params_json, g.problems_json,
               g.is_grid, g.missing_at IS NULL, g.engine_name, g.parent_relation, g.parent_by,
               {NAMED.format("g.parent_id")}, {NAMED.format("l.id")}, l.flags,
               (SELECT hex(content) FROM raw_metadata WHERE generation_id = g.id)
          FROM generations AS g
               LEFT JOIN generation_files AS f ON f.generation_id = g.id AND f.kind = 'final'
               LEFT JOIN live_generations AS l ON l.id = g.id
        """,
    "file": f"""
        SELECT {NAMED.format("f.generation_id")}, f.path, f.kind, hex(f.fingerprint), f.bytes, f.mtime_ns, f.width,
               f.missing_at IS NULL
          FROM generation_files AS f
        """,
    "model": f"""
        SELECT {NAMED.format("u.generation_id")}, u.role, u.weight, u.sure, m.name, m.merged_by, o.name, o.file_path
          FROM generation_models AS u
               JOIN models AS m ON m.id = u.model_id
               JOIN models AS o ON o.id = coalesce(m.merged_into, m.id)
        """,
    "shown model": f"SELECT {NAMED.format('g.id')}, m.name FROM generations AS g JOIN models AS m ON m.id = g.model_id",
    "input": f"""
        SELECT {NAMED.format("i.generation_id")}, i.position, i.role, i.name, i.found_by, {NAMED.format("i.found_id")}
          FROM generation_inputs AS i
        """,
    "former name": f"SELECT {NAMED.format('n.generation_id')}, n.name_key FROM former_names AS n",
    "waiting companion": f"SELECT {NAMED.format('c.generation_id')}, c.kind, c.folder FROM companions AS c",
    "tag": f"""
        SELECT {NAMED.format("t.generation_id")}, n.name, t.source
          FROM tag_assertions AS t
               JOIN tags AS n ON n.id = t.tag_id
        """,
    "word": f"SELECT {NAMED.format('f.rowid')} FROM generations_fts AS f WHERE generations_fts MATCH 'fox'",
}


def dump(tx: ReadTx) -> list[str]:
    lines = [f"{table}: {row}" for table, query in TABLES.items() for row in tx.rows(query)]
    newest = tx.column(
        f"""
        SELECT f.path
          FROM live_generations AS l
               JOIN generations AS g ON g.id = l.id
               JOIN generation_files AS f ON f.generation_id = l.id AND f.kind = 'final'
         WHERE {DATED} IS NOT NULL
         ORDER BY l.id DESC
        """
    )
    return [*sorted(lines), f"newest first: {newest}"]


def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orders: range) -> None:
    files = list_files()
    expected: list[str] | None = None
    with WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=600) as workers:
        for seed in orders:
            chance = random.Random(seed)
            monkeypatch.setattr(batch, "BATCH_FILES", chance.choice((1, 4, 150)))
            monkeypatch.setattr(tally, "FILES_PER_TASK", chance.choice((1, 3, 16)))
            found = build_library(tmp_path / str(seed), workers, arrange(chance, files))
            expected = expected or found
            assert [line for line in found if line not in expected] == [], f"order {seed}"
            assert [line for line in expected if line not in found] == [], f"order {seed}"


def test_the_library_does_not_depend_on_the_order_in_which_files_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(tmp_path, monkeypatch, range(3))


@pytest.mark.long
def test_the_library_does_not_depend_on_any_of_many_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(tmp_path, monkeypatch, range(3, 40))
