"""What a page costs in a library of a million images, at any depth, beside OFFSET.

    python3 dev.py bench million [ROWS]

Makes the library from a seed in a temporary folder. Figures are CPU milliseconds, medians of 50.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mysticanvas.domain.file import FileStat
from mysticanvas.domain.query import Query
from mysticanvas.search import language, paging
from mysticanvas.search.snapshots import Snapshots, items
from mysticanvas.store.database import Database, ReadTx, WriteTx

SEED = 20_260_822
WORDS = [
    f"{a}{b}" for a in ("vio", "sto", "lum", "fer", "nox", "sil", "mar", "dra") for b in ("let", "rm", "en", "ia", "ra")
]
BATCH = 5_000
FIRST_S = 400_000_000
PAGE = 100


def fill(database: Database, rows: int) -> None:
    """Rows as an import leaves them, without files on disk: twenty images a minute, forty words."""
    chance = random.Random(SEED)
    database.write(_add_root)
    for start in range(0, rows, BATCH):
        database.write_bulk(_add_rows, start, min(rows, start + BATCH), chance)


def _add_root(tx: WriteTx) -> None:
    tx.run("INSERT INTO roots (id, path, added_at) VALUES (1, '/nowhere', 0)")
    for number in range(200):
        tx.run("INSERT INTO models (kind, name, created_at) VALUES ('checkpoint', :name, 0)", name=f"model_{number}")


def _add_rows(tx: WriteTx, start: int, end: int, chance: random.Random) -> None:
    generations, files = [], []
    for number in range(start, end):
        image = (FIRST_S + number * 3) << 8
        width, height = chance.choice(((832, 1216), (1216, 832), (1024, 1024), (768, 1344)))
        prompt = " ".join(chance.choices(WORDS, k=40))
        model = min(200, int(chance.paretovariate(0.8)))
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
                "height": height, "hash": number.to_bytes(32, "big"), "color": chance.randrange(1 << 24),
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
        VALUES (:image, 'final', 1, :path, :shown, 'png', :hash, :hash, 500000, 0, :width, :height, :color)
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


def cpu_ms(work: Callable[[], object], times: int = 50) -> float:
    spent = []
    for _ in range(times):
        began_ns = time.process_time_ns()
        work()
        spent.append((time.process_time_ns() - began_ns) / 1e6)
    return statistics.median(spent)


def _by_offset(tx: ReadTx, offset: int) -> list[dict[str, object]]:
    return tx.all(
        """
        SELECT g.id, g.uuid, g.prompt FROM generations AS g WHERE deleted_at IS NULL
         ORDER BY id DESC LIMIT 100 OFFSET :offset
        """,
        offset=offset,
    )


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder, Database.open(Path(folder), read_limit_ms=60_000) as database:
        began_s = time.process_time()
        fill(database, rows)
        print(f"{rows:,} rows made in {time.process_time() - began_s:.0f} s of CPU, seed {SEED}\n")
        everything = Query()
        print(f"{'depth':>6} {'keyset':>9} {'OFFSET':>9}   CPU ms, page of {PAGE}")
        for share in (0.0, 0.1, 0.5, 0.87, 1.0):
            depth = int(share * (rows - PAGE))
            after = ((FIRST_S + (rows - depth) * 3) << 8) + 1
            keyset = cpu_ms(lambda a=after: database.read(paging.page, everything, after=a, limit=PAGE))
            offset = cpu_ms(lambda d=depth: database.read(_by_offset, d), 3)
            print(f"{share:6.0%} {keyset:9.2f} {offset:9.1f}")
        snapshots = Snapshots(database)
        print(f"\nsnapshot of everything, first    {cpu_ms(lambda: snapshots.open(''), 1):9.0f}")
        print(f"snapshot of everything, again    {cpu_ms(lambda: snapshots.open(''), 3):9.1f}")
        view = snapshots.open("")
        print(f"256 items in the middle          {cpu_ms(lambda: database.read(items, view, rows // 2, 256)):9.2f}")
        for text in ("violet", '"violet storm"', "model:model_3", "violet model:model_40"):
            query = language.parse(text)
            page = cpu_ms(lambda q=query: database.read(paging.page, q, after=None, limit=PAGE), 5)
            count = cpu_ms(lambda q=query: database.read(paging.count, q), 1)
            print(f"{text:24} page {page:9.1f}   count {count:9.0f}")


if __name__ == "__main__":
    main()
