"""What a page costs in a library of a million images, at any depth, beside OFFSET.

    python3 dev.py bench million [ROWS]

Makes the library from a seed in a temporary folder. Figures are CPU milliseconds, medians of 50.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests import application
from tests.synthetic import FIRST_S, SEED, fill

from mysticanvas.db.database import Database, ReadTx
from mysticanvas.domain.query import Query
from mysticanvas.search import language, paging
from mysticanvas.search.snapshots import Snapshots, read_items

PAGE = 100


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
            keyset = cpu_ms(lambda a=after: database.read(paging.read_page, everything, after=a, limit=PAGE))
            offset = cpu_ms(lambda d=depth: database.read(_by_offset, d), 3)
            print(f"{share:6.0%} {keyset:9.2f} {offset:9.1f}")
        snapshots = Snapshots(database)
        print(f"\nsnapshot of everything, first    {cpu_ms(lambda: snapshots.open(''), 1):9.0f}")
        print(f"snapshot of everything, again    {cpu_ms(lambda: snapshots.open(''), 3):9.1f}")
        view = snapshots.open("")
        print(
            f"256 items in the middle          {cpu_ms(lambda: database.read(read_items, view, rows // 2, 256)):9.2f}"
        )
        for text in ("violet", '"violet storm"', "model:model_3", "violet model:model_40"):
            query = language.parse(text)
            page = cpu_ms(lambda q=query: database.read(paging.read_page, q, after=None, limit=PAGE), 5)
            count = cpu_ms(lambda q=query: database.read(paging.count, q), 1)
            print(f"{text:24} page {page:9.1f}   count {count:9.0f}")


if __name__ == "__main__":
    application.load()
    main()
