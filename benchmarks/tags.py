"""Pages by tag in a million images with nineteen assertions each, and what a new implication costs.

    python3 dev.py bench tags [IMAGES]

Makes the library from a seed, in a temporary folder or in the one that MYSTICANVAS_BENCH_FOLDER names,
where it is kept. Figures are CPU milliseconds; pages hold 200 images at random depths. "Closure at
query time" joins what was said with a table of the relations' closure; "recursion" walks the relations
in the query.
"""

# ruff: noqa: S608 - the numbers in these statements are our own

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
from tests import application

from mysticanvas.db.connections import open_writer
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.edits.kinds import decode
from mysticanvas.edits.runner import EditRunner
from mysticanvas.features.tags import image_tag_queries

SEED = 20_261_124
TAGS = 20_000
SAID = 19
CHUNK = 50_000
FIRST_S = 400_000_000
PAGE = 200
PAGES = 200
PARENT, CHILDREN = TAGS + 1, 30


def fill(path: Path, images: int) -> None:
    """Rows as imports and taggers leave them. Derived tables are made at the end, in their own order."""
    connection = open_writer(path)
    connection.execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = FILE")
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'image_tags'"
    )
    kept = triggers.fetchall()
    for name, _ in kept:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("DROP INDEX tag_assertions_of_tag")
    with connection:
        _add_tags(connection)
    chance = np.random.default_rng(SEED)
    for start in range(0, images, CHUNK):
        with connection:
            _add_images(connection, start, min(images, start + CHUNK))
            _add_assertions(connection, start, min(images, start + CHUNK), chance)
    with connection:
        connection.execute("CREATE INDEX tag_assertions_of_tag ON tag_assertions (tag_id, generation_id)")
        connection.execute(
            """
            INSERT INTO image_tags (tag_id, generation_id)
            SELECT e.effective_id, a.generation_id
              FROM tag_effects AS e CROSS JOIN tag_assertions AS a ON a.tag_id = e.tag_id
             WHERE TRUE
             ORDER BY e.effective_id, a.generation_id
                ON CONFLICT DO NOTHING
            """
        )
        connection.execute(
            "UPDATE tag_counts SET images = (SELECT count(*) FROM image_tags AS i WHERE i.tag_id = tag_counts.tag_id)"
        )
        for _, sql in kept:
            connection.execute(sql)
    connection.execute("PRAGMA optimize")
    connection.close()


def _add_tags(connection: apsw.Connection) -> None:
    """`PARENT` is implied by some middling tags, and implies one more."""
    names = [(n, f"tag {n}") for n in range(1, TAGS + 3)]
    connection.executemany("INSERT INTO tags (id, name, normalized_name, created_at) VALUES (?1, ?2, ?2, 0)", names)
    edges = [(200 + n, PARENT) for n in range(CHILDREN)] + [(PARENT, PARENT + 1)]
    connection.executemany("INSERT INTO tag_implications (tag_id, implied_id) VALUES (?, ?)", edges)
    effects = [(tag, PARENT) for tag, _ in edges[:-1]] + [(tag, PARENT + 1) for tag, _ in edges]
    connection.executemany("INSERT INTO tag_effects (tag_id, effective_id, implied) VALUES (?, ?, 1)", effects)


def _add_images(connection: apsw.Connection, start: int, end: int) -> None:
    rows = [((FIRST_S + n * 3) << 8, f"{n:08x}-0000-4000-8000-{n:012x}") for n in range(start, end)]
    connection.executemany(
        """
        INSERT INTO generations (id, uuid, timestamp, timestamp_source, prompt, app_version, parser_version,
                                 imported_at, updated_at)
        VALUES (?, ?, 0, 'mtime', 'a prompt of some length, such as people write for their images', 'bench', 1, 0, 0)
        """,
        rows,
    )
    connection.executemany(
        """
        INSERT INTO live_generations (id, uuid, ratio_milli, is_favorite, rating, flags, width_px, height_px)
        VALUES (?, ?, 1000, 0, 0, 0, 1024, 1024)
        """,
        rows,
    )


def _add_assertions(connection: apsw.Connection, start: int, end: int, chance: np.random.Generator) -> None:
    """Tags by Zipf's law, four in five from a tagger with a confidence."""
    ranks = chance.zipf(1.15, size=(end - start, SAID * 3)) - 1
    confidence = chance.random((end - start, SAID))

    def rows() -> object:
        for number in range(start, end):
            drawn = ranks[number - start]
            tags = list(dict.fromkeys(int(rank) % TAGS + 1 for rank in drawn))[:SAID]
            image = (FIRST_S + number * 3) << 8
            for place, tag in enumerate(sorted(tags)):
                said = confidence[number - start, place]
                yield (image, tag, "user" if said < 0.2 else "vision", None if said < 0.2 else float(said))

    connection.executemany(
        "INSERT INTO tag_assertions (generation_id, tag_id, source, confidence, created_at) VALUES (?, ?, ?, ?, 0)",
        rows(),  # type: ignore[arg-type]
    )


# -- three ways to a page -----------------------------------------------------------------------------

_ROWS = "SELECT l.id, l.uuid, l.ratio_milli, l.rating FROM live_generations AS l"


def by_postings(tx: ReadTx, tags: list[int], after: int) -> list[dict[str, object]]:
    """The rarest tag drives; the others are looked up."""
    driving, *others = sorted(tags, key=lambda t: tx.value("SELECT images FROM tag_counts WHERE tag_id = :t", t=t))
    probes = "".join(
        f" AND EXISTS (SELECT 1 FROM image_tags WHERE tag_id = {other} AND generation_id = t.generation_id)"
        for other in others
    )
    return tx.all(
        f"""
        SELECT l.id, l.uuid, l.ratio_milli, l.rating
          FROM (SELECT t.generation_id FROM image_tags AS t
                 WHERE t.tag_id = :driving AND t.generation_id < :after{probes}
                 ORDER BY t.generation_id DESC LIMIT {PAGE}) AS p
               CROSS JOIN live_generations AS l ON l.id = p.generation_id
        """,
        driving=driving,
        after=after,
    )


def by_closure(tx: ReadTx, tags: list[int], after: int) -> list[dict[str, object]]:
    said = " AND ".join(
        f"""EXISTS (SELECT 1 FROM tag_assertions AS a JOIN tag_effects AS e ON e.tag_id = a.tag_id
                     WHERE a.generation_id = l.id AND e.effective_id = {tag} AND a.decision = 1)"""
        for tag in tags
    )
    return tx.all(f"{_ROWS} WHERE l.id < :after AND {said} ORDER BY l.id DESC LIMIT {PAGE}", after=after)


def by_recursion(tx: ReadTx, tags: list[int], after: int) -> list[dict[str, object]]:
    said = " AND ".join(
        f"""l.id IN (WITH RECURSIVE below(tag) AS (
                         SELECT {tag} UNION
                         SELECT i.tag_id FROM below JOIN tag_implications AS i ON i.implied_id = below.tag)
                     SELECT a.generation_id FROM below JOIN tag_assertions AS a ON a.tag_id = below.tag
                      WHERE a.decision = 1)"""
        for tag in tags
    )
    return tx.all(f"{_ROWS} WHERE l.id < :after AND {said} ORDER BY l.id DESC LIMIT {PAGE}", after=after)


def cpu_ms(work: Callable[[], object]) -> float:
    began_ns = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - began_ns) / 1e6


def percentiles(database: Database, way: Callable[..., object], tags: list[int], images: int, times: int) -> str:
    chance = random.Random(SEED)
    spent = []
    for _ in range(times):
        after = (FIRST_S + chance.randrange(images // 50, images) * 3) << 8
        spent.append(cpu_ms(lambda a=after: database.read_within(120_000, way, tags, a)))
    spent.sort()
    return f"{statistics.median(spent):10.2f} {spent[int(len(spent) * 0.95)]:10.2f}"


def pages(database: Database, images: int) -> None:
    def counts(tx: ReadTx) -> dict[int, int]:
        return dict(tx.rows("SELECT tag_id, images FROM tag_counts").fetchall())  # type: ignore[arg-type]

    shown = database.read(counts)
    rare = min((t for t in shown if shown[t] >= images // 20_000), key=lambda t: shown[t])
    common = max((t for t in shown if t <= TAGS), key=lambda t: shown[t])
    cases = {"rare": [rare], "common": [common], "implied": [PARENT], "AND of three": [2, 3, 5]}
    ways = {
        "postings (ours)": (by_postings, PAGES),
        "closure at query time": (by_closure, 5),
        "recursion": (by_recursion, 3),
    }
    print(f"{'page of 200':16}{'way':24}{'images':>22}  {'median':>9} {'p95':>10}   CPU ms")
    for name, tags in cases.items():
        for way, (query, times) in ways.items():
            sizes = " ∧ ".join(f"{shown[t]:,}" for t in tags)
            print(f"{name:16}{way:24}{sizes:>22} {percentiles(database, query, tags, images, times)}", flush=True)


def implication(database: Database, images: int) -> None:
    """A tag of some 70,000 images gets a new one above it."""
    wanted = images * 7 // 100

    def nearest(tx: ReadTx) -> tuple[int, int]:
        sql = "SELECT tag_id, images FROM tag_counts WHERE tag_id <= :tags ORDER BY abs(images - :wanted) LIMIT 1"
        [(tag, count)] = tx.rows(sql, tags=TAGS, wanted=wanted).fetchall()
        return tag, count  # type: ignore[return-value]

    tag, count = database.read(nearest)
    steps = [("tag.imply", {"tag": f"tag {tag}", "implies": f"above {tag}"})]
    print(f"\nan implication over {count:,} images, as the Orchestrator carries it through:")
    with Held() as held, EditRunner(database, now_ms=lambda: 0) as edits:
        for kind in ("tag.imply", "tag.unimply"):
            began_s, began_cpu = time.perf_counter(), time.process_time()
            edits.do(decode((kind, steps[0][1])), None)
            said_ms = (time.perf_counter() - began_s) * 1000
            while database.read(image_tag_queries.get_next_work_kind) is not None:
                time.sleep(0.005)
            print(
                f"  {kind:12} said in {said_ms:3.0f} ms, carried through in {time.perf_counter() - began_s:.2f} s"
                f" ({time.process_time() - began_cpu:.2f} s of CPU) in {len(held.ms)} slices;"
                f" the writer held for {statistics.median(held.ms or [0]):.0f} ms,"
                f" at most {max(held.ms, default=0):.0f} ms"
                f" ({max(held.cpu_ms, default=0):.0f} ms of CPU)"
            )
            held.ms.clear()
            held.cpu_ms.clear()


class Held:
    """How long each slice held the writer, in milliseconds of the clock and of CPU."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self.cpu_ms: list[float] = []
        self._carry_on = image_tag_queries.run_slice

    def __enter__(self) -> "Held":
        def timed(tx: WriteTx, *, limit: int) -> bool:
            began_s, began_cpu_s = time.perf_counter(), time.thread_time()
            more = self._carry_on(tx, limit=limit)
            self.ms.append((time.perf_counter() - began_s) * 1000)
            self.cpu_ms.append((time.thread_time() - began_cpu_s) * 1000)
            return more

        image_tag_queries.run_slice = timed
        return self

    def __exit__(self, *_: object) -> None:
        image_tag_queries.run_slice = self._carry_on


def main() -> None:
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(os.environ.get("MYSTICANVAS_BENCH_FOLDER", temporary)) / f"tags-{images}"
        if not folder.exists():
            Database.open(folder).close()
            began_s = time.perf_counter()
            fill(folder / "mysticanvas.db", images)
            print(f"made in {time.perf_counter() - began_s:.0f} s, seed {SEED}")
        with Database.open(folder, read_limit_ms=120_000) as database:
            size = (folder / "mysticanvas.db").stat().st_size
            said = database.read(lambda tx: tx.value("SELECT count(*) FROM tag_assertions"))
            shown = database.read(lambda tx: tx.value("SELECT sum(images) FROM tag_counts"))
            print(f"{images:,} images, {said:,} assertions, {shown:,} postings, {TAGS:,} tags, {size / 1e9:.1f} GB\n")
            pages(database, images)
            implication(database, images)


if __name__ == "__main__":
    application.load()
    main()
