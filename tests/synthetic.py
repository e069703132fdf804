"""Libraries of any size from a seed, as an import leaves them: rows, words, models, no files on disk.

Benchmarks measure on them; the tests of the gallery show them, with thumbnails that are really there.
"""

import os
import random
from pathlib import Path

import numpy as np
import pyvips

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.file import FileStat
from mysticanvas.fs.thumbnail_cache import ThumbCache

SEED = 20_260_822
WORDS = [
    f"{a}{b}" for a in ("vio", "sto", "lum", "fer", "nox", "sil", "mar", "dra") for b in ("let", "rm", "en", "ia", "ra")
]
BATCH = 5_000
FIRST_S = 400_000_000
MODELS = 200
PAINTED = 48


def fill(database: Database, rows: int, *, seconds_apart: int = 3, contents: int | None = None) -> None:
    """One image every `seconds_apart`, forty words each. `contents` is how many different contents
    the images have; each has its own when it is None."""
    chance = random.Random(SEED)
    database.write(_add_root)
    for start in range(0, rows, BATCH):
        database.write_bulk(_add_rows, start, min(rows, start + BATCH), chance, seconds_apart, contents or rows)


def content_hash(content: int) -> bytes:
    return content.to_bytes(32, "big")


def add_thumbs(folder: Path, contents: int, short_edges_px: tuple[int, ...] = (256, 512)) -> None:
    """A thumbnail in both sizes for each content: a few painted ones, each under many names."""
    cache = ThumbCache(folder, short_edges_px)
    chance = np.random.default_rng(SEED)
    for content in range(contents):
        name = content_hash(content)
        if content < PAINTED:
            webps = _painted(chance, short_edges_px)
            cache.keep(name.hex(), webps)
            continue
        for edge_px in short_edges_px:
            linked = cache.path(name.hex(), edge_px)
            linked.parent.mkdir(parents=True, exist_ok=True)
            os.link(cache.path(content_hash(content % PAINTED).hex(), edge_px), linked)


def _painted(chance: np.random.Generator, short_edges_px: tuple[int, ...]) -> list[bytes]:
    """Clouds of colour, as heavy as thumbnails of pictures are."""
    coarse = pyvips.Image.new_from_array(chance.integers(0, 256, (9, 7, 3), dtype=np.uint8), interpretation="srgb")
    return [
        bytes(coarse.resize(edge_px / 7, vscale=edge_px * 1.3 / 9).webpsave_buffer(Q=80, effort=2))
        for edge_px in short_edges_px
    ]


def _add_root(tx: WriteTx) -> None:
    tx.run("INSERT INTO roots (id, path, added_at) VALUES (1, '/nowhere', 0)")
    for number in range(MODELS):
        tx.run("INSERT INTO models (kind, name, created_at) VALUES ('checkpoint', :name, 0)", name=f"model_{number}")


def _add_rows(tx: WriteTx, start: int, end: int, chance: random.Random, seconds_apart: int, contents: int) -> None:
    generations, files = [], []
    for number in range(start, end):
        image = (FIRST_S + number * seconds_apart) << 8
        width, height = chance.choice(((832, 1216), (1216, 832), (1024, 1024), (768, 1344)))
        prompt = " ".join(chance.choices(WORDS, k=40))
        model = min(MODELS, int(chance.paretovariate(0.8)))
        generations.append(
            {
                "id": image, "uuid": f"{number:08x}-0000-4000-8000-{number:012x}",
                "timestamp": ((image >> 8) + 1_262_304_000) * 1000, "prompt": prompt, "model": model,
            }
        )  # fmt: skip
        stat = FileStat(f"{number // 1000}/{number}.png".encode(), 500_000, number)
        files.append(
            {
                "image": image, "path": stat.path_bytes, "shown": stat.path_bytes.decode(), "width": width,
                "height": height, "print": number.to_bytes(32, "big"), "hash": content_hash(number % contents),
                "color": chance.randrange(1 << 24),
            }
        )  # fmt: skip
    tx.run_many(
        """
        INSERT INTO generations (id, uuid, timestamp, timestamp_source, prompt, model_id, app_version, parser_version,
                                 imported_at, updated_at)
        VALUES (:id, :uuid, :timestamp, 'mtime', :prompt, :model, 'bench', 1, 0, 0)
        """,
        generations,
    )
    tx.run_many(
        """
        INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, format, fingerprint, blake3,
                                      bytes, mtime_ns, width, height, color_rgb)
        VALUES (:image, 'final', 1, :path, :shown, 'png', :print, :hash, 500000, 0, :width, :height, :color)
        """,
        files,
    )
    tx.run(
        """
        INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
        SELECT rowid, prompt, negative_prompt, notes FROM generations_text WHERE rowid BETWEEN :first AND :last
        """,
        first=generations[0]["id"], last=generations[-1]["id"],
    )  # fmt: skip
