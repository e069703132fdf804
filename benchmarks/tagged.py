"""A seeded library with everything that is searched: prompts of 20 to 80 words over a Zipf vocabulary, 8
tags an image over 20,000 tags, 200 models, 500 LoRAs, marks, samplers, sizes, folders, years.

`fill` writes rows as an import leaves them, without files on disk.
"""

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate

from mysticanvas.db.database import Database, WriteTx

SEED = 20_260_901
BATCH = 5_000
FIRST_S = 400_000_000
SECONDS_APART = 90
TAGS, MODELS, LORAS, WORDS = 20_000, 200, 500, 50_000
_SYLLABLES = ("vi", "sto", "lum", "fer", "nox", "sil", "mar", "dra", "ka", "ben", "tor", "lys",
              "qua", "rin", "os", "el")  # fmt: skip
_SAMPLERS = ("Euler a", "DPM++ 2M", "DPM++ 2M Karras", "DDIM", "UniPC", "euler", "res_multistep", None)
_ENGINES = ("ComfyUI", "A1111", "Forge", "InvokeAI", None)
_SIZES = ((832, 1216), (1216, 832), (1024, 1024), (768, 1344), (512, 512), (512, 768), (1536, 2048), (1920, 1080))


def word(number: int) -> str:
    """A word of syllables, its own for each number; the first are the most used."""
    letters = [_SYLLABLES[number % 16]]
    rest = number // 16
    while rest or len(letters) < 3:
        letters.append(_SYLLABLES[rest % 16])
        rest //= 16
    return "".join(letters)


class Zipf:
    """Numbers from 0 on, the n-th with a weight of 1 / (n + offset)."""

    def __init__(self, count: int, chance: random.Random, *, offset: float = 1.0) -> None:
        self._sums = list(accumulate(1 / (n + offset) for n in range(count)))
        self._chance = chance

    def some(self, count: int) -> list[int]:
        total = self._sums[-1]
        return [bisect(self._sums, self._chance.random() * total) for _ in range(count)]


def fill(database: Database, rows: int) -> None:
    chance = random.Random(SEED)
    zipfs = (
        Zipf(WORDS, chance, offset=8), Zipf(TAGS, chance, offset=30), Zipf(MODELS, chance),
        Zipf(LORAS, chance, offset=3),
    )  # fmt: skip
    vocabulary = [word(number) for number in range(WORDS)]
    database.write(_add_names)
    for start in range(0, rows, BATCH):
        database.write_bulk(_add_images, start, min(rows, start + BATCH), chance, zipfs, vocabulary)
    database.write_bulk(lambda tx: tx.run("ANALYZE"))


def _add_names(tx: WriteTx) -> None:
    tx.run("INSERT INTO roots (id, path, added_at) VALUES (1, '/pictures', 0)")
    for number in range(MODELS + LORAS):
        kind, name = ("checkpoint", f"model_{number}") if number < MODELS else ("lora", f"lora_{number - MODELS}")
        tx.run("INSERT INTO models (kind, name, created_at) VALUES (:kind, :name, 0)", kind=kind, name=name)
    names = [{"name": f"tag {number}"} for number in range(TAGS)]
    tx.run_many("INSERT INTO tags (name, normalized_name, created_at) VALUES (:name, :name, 0)", names)


def _add_images(
    tx: WriteTx, start: int, end: int, chance: random.Random, zipfs: Sequence[Zipf], vocabulary: Sequence[str]
) -> None:
    words, tags, models, loras = zipfs
    images, files, tagged, uses = [], [], [], []
    for number in range(start, end):
        image = (FIRST_S + number * SECONDS_APART) << 8
        prompt = " ".join(vocabulary[n] for n in words.some(chance.randrange(20, 81)))
        if number % 50 == 0:
            prompt += " 城市夜景" if number % 200 else " 夜景のさくら"
        model = 1 + models.some(1)[0]
        images.append(
            {
                "id": image, "uuid": f"{number:08x}-0000-4000-8000-{number:012x}",
                "timestamp": ((image >> 8) + 1_262_304_000) * 1000, "prompt": prompt, "model": model,
                "seed": str(chance.randrange(1 << 32)), "steps": chance.choice((8, 20, 25, 28, 30, 40)),
                "cfg": chance.choice((1.0, 3.5, 4.5, 7.0)), "sampler": chance.choice(_SAMPLERS),
                "engine": chance.choice(_ENGINES), "favorite": int(chance.random() < 0.02),
                "rating": chance.choice((0,) * 20 + (1, 2, 3, 4, 5)),
            }
        )  # fmt: skip
        width, height = chance.choice(_SIZES)
        path = f"{2022 + number * 5 // 1_000_000}/{number // 2_000:04}/{number:08}.png"
        files.append({"image": image, "path": path, "bytes": path.encode(), "width": width, "height": height,
                      "hash": number.to_bytes(32, "big"), "color": chance.randrange(1 << 24)})  # fmt: skip
        tagged += [{"tag": 1 + tag, "image": image} for tag in set(tags.some(8))]
        uses.append({"model": model, "image": image, "role": "checkpoint", "weight": None})
        uses += [
            {"model": MODELS + 1 + lora, "image": image, "role": "lora", "weight": chance.choice((0.4, 0.6, 0.8, 1.0))}
            for lora in set(loras.some(chance.choice((0, 0, 1, 1, 2))))
        ]
    _write(tx, images, files, sorted(tagged, key=lambda t: (t["tag"], t["image"])), uses)


def _write(
    tx: WriteTx,
    images: list[dict[str, object]],
    files: list[dict[str, object]],
    tagged: list[dict[str, int]],
    uses: list[dict[str, object]],
) -> None:
    tx.run_many(
        """
        INSERT INTO generations (id, uuid, timestamp, timestamp_source, prompt, model_id, seed, steps, cfg_scale,
                                 sampler, engine_name, is_favorite, rating, app_version, parser_version, imported_at,
                                 updated_at)
        VALUES (:id, :uuid, :timestamp, 'mtime', :prompt, :model, :seed, :steps, :cfg, :sampler, :engine, :favorite,
                :rating, 'bench', 1, 0, 0)
        """,
        images,
    )
    tx.run_many(
        """
        INSERT INTO generation_files (generation_id, kind, root_id, path_bytes, path, format, fingerprint, blake3,
                                      bytes, mtime_ns, width, height, color_rgb)
        VALUES (:image, 'final', 1, :bytes, :path, 'png', :hash, :hash, 500000, 0, :width, :height, :color)
        """,
        files,
    )
    tx.run_many("INSERT INTO image_tags (tag_id, generation_id) VALUES (:tag, :image)", tagged)
    tx.run_many(
        "INSERT INTO generation_models (generation_id, model_id, role, weight) VALUES (:image, :model, :role, :weight)",
        uses,
    )
    tx.run(
        """
        INSERT INTO generations_fts (rowid, prompt, negative_prompt, notes)
        SELECT rowid, prompt, negative_prompt, notes FROM generations_text WHERE rowid BETWEEN :first AND :last
        """,
        first=images[0]["id"], last=images[-1]["id"],
    )  # fmt: skip
