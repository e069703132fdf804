"""What an answer costs over a library of a million images: the page, the exact count with facets and days,
the jump to the middle; beside the same in plain SQL, and beside LIKE, GROUP BY … HAVING and OFFSET.

    python3 dev.py bench search [ROWS] [FOLDER]

Makes the library from a seed (benchmarks/tagged.py) in FOLDER, where it stays for the next time, or in a
temporary folder. Figures are CPU milliseconds.
"""

# ruff: noqa: S608 - SQL as the peers put it together, over words of our own

import gc
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import application

from benchmarks import tagged
from mysticanvas.db.connections import ChangeSet
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import generations
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.query import All, Field, Is, MadeBetween, NamedValue, Node, Not, Number, Query, Text
from mysticanvas.domain.query import Any as Either
from mysticanvas.search import days, facets, language, ordering, paging, timeline
from mysticanvas.search.engine import Finder
from mysticanvas.search.index import Index
from mysticanvas.search.index_state import IndexState
from mysticanvas.search.matches import find
from mysticanvas.search.snapshots import Snapshots, read_items

PAGE = 100
TIMES = 15
SHOWN = (
    Field.MODEL, Field.LORA, Field.TAG, Field.ENGINE, Field.SAMPLER, Field.SIZE, Field.RATING, Field.PATH, Field.DATE,
)  # fmt: skip
COMMON_ROWS = 100_000
LIMIT_MS = 120_000


def queries() -> list[str]:
    """Rare, common, and all of it together. word(0) is in half of the prompts, word(20000) in some hundred."""
    w = tagged.word
    return [
        "", w(0), w(5), w(40), w(300), w(3_000), w(20_000), w(49_000),
        f"{w(0)} {w(1)}", f"{w(2)} {w(30)}", f"{w(0)} {w(3_000)}", f'"{w(0)} {w(1)}"', f'"{w(40)} {w(300)}"',
        f"{w(5)} -{w(0)}", f"-{w(0)}", f"{w(300)} OR {w(301)}", "夜景", "のさ", f"夜景 {w(1)}",
        "tag:tag_0", "tag:tag_15000", "tag:tag_0 tag:tag_1", "tag:tag_3 -tag:tag_0", "-tag:tag_0",
        "tag:tag_0 OR tag:tag_1 OR tag:tag_2", "tag:tag_0 tag:tag_1 tag:tag_2 tag:tag_3", f"tag:tag_15000 {w(0)}",
        f"tag:tag_0 {w(3_000)}", "model:model_0", "model:model_3 is:favourite", "model:model_150", "lora:lora_0>=0.6",
        "lora:lora_400", "is:favourite", "rating:>=4", "date:2023-01..2023-03", "size:>=1024x1024 -rating:0",
        "sampler:euler* steps:>=30 engine:comfyui", "seed:12345", "path:2024/0900", "has:lora -has:tag",
        (f"{w(2)} {w(9)} -{w(30)} tag:tag_0 -tag:tag_5 model:model_1 lora:lora_0>=0.4 date:2022..2025 "
         "size:>=512x512 (rating:0 OR is:favourite)"),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    text: str
    total: int
    word_rows: int
    page: list[float]
    first: float
    kept: float
    jump: float
    sql_page: float
    sql_answer: float
    peers: float | None


def cpu_ms(work: Callable[[], object]) -> float:
    began_ns = time.process_time_ns()
    work()
    return (time.process_time_ns() - began_ns) / 1e6


def median_ms(work: Callable[[], object], times: int = 5) -> float:
    return sorted(cpu_ms(work) for _ in range(times))[times // 2]


def answer(tx: ReadTx, state: IndexState, query: Query) -> int:
    """Count, nine facets and the days: what the gallery shows beside the images."""
    found = find(tx, state, query)
    for field in SHOWN:
        facets.count_in_index(tx, found, field, limit=20)
    timeline.split_days(ordering.sort_ids(tx, found, query))
    return found.total


def sql_answer(tx: ReadTx, query: Query) -> int:
    """The count, two of the facets and the days, in SQL."""
    for field in (Field.MODEL, Field.TAG):
        facets.count_in_sql(tx, query, field, limit=20)
    timeline.split_days(paging.find_ids(tx, query))
    return paging.count(tx, query)


def measure(database: Database, index: Index, text: str) -> Row:
    query = language.parse(text)
    warm, cold, snapshots = Finder(database, index), Finder(database), Snapshots(database, index)
    index.ask(lambda _, state: state.forget())
    first = cpu_ms(lambda: index.ask(answer, query))
    kept = median_ms(lambda: index.ask(answer, query))
    page = [cpu_ms(lambda: warm.page(query, after=None, limit=PAGE)) for _ in range(TIMES)]
    snapshot = snapshots.open(text)
    middle = snapshot.ids[len(snapshot.ids) // 2] if snapshot.total else None
    page += [cpu_ms(lambda: warm.page(query, after=middle and int(middle), limit=PAGE)) for _ in range(TIMES)]
    words = [term for term in query.terms if isinstance(term, Text)]
    sql = peers(query)
    return Row(
        text, snapshot.total, max((index.count(Query(word)) for word in words), default=0), page, first, kept,
        jump=median_ms(lambda: database.read(read_items, snapshot, snapshot.total // 2, 256)),
        sql_page=cpu_ms(lambda: cold.page(query, after=None, limit=PAGE)),
        sql_answer=cpu_ms(lambda: database.read_within(LIMIT_MS, sql_answer, query)),
        peers=None if sql is None else cpu_ms(lambda: database.read_within(LIMIT_MS, _as_peers, sql, snapshot.total)),
    )  # fmt: skip


# -- as the peers do --------------------------------------------------------------------------


def peers(query: Query) -> str | None:
    """Words by LIKE, tags by GROUP BY and HAVING; None where it is not to be said so."""
    wheres, tags = ["g.deleted_at IS NULL"], []
    for part in query.parts:
        if isinstance(part, NamedValue) and part.field is Field.TAG:
            tags.append(part.value.replace("_", " "))
        elif (where := _where(part)) is None:
            return None
        else:
            wheres.append(where)
    if not tags:
        return f"SELECT g.id FROM generations AS g WHERE {' AND '.join(wheres)}"
    named = ", ".join(f"'{tag}'" for tag in tags)
    return (
        "SELECT g.id FROM generations AS g JOIN image_tags AS i ON i.generation_id = g.id JOIN tags AS t "
        f"ON t.id = i.tag_id WHERE t.name IN ({named}) AND {' AND '.join(wheres)} GROUP BY g.id "
        f"HAVING count(DISTINCT t.id) = {len(tags)}"
    )


def _where(part: Node) -> str | None:
    match part:
        case Text(text, None):
            return f"g.prompt LIKE '%{text}%'"
        case NamedValue(Field.TAG, name):
            return (
                "g.id IN (SELECT i.generation_id FROM image_tags AS i JOIN tags AS t ON t.id = i.tag_id "
                f"WHERE t.name = '{name.replace('_', ' ')}')"
            )
        case NamedValue(Field.MODEL, name):
            return f"g.model_id IN (SELECT id FROM models WHERE name = '{name}')"
        case NamedValue(Field.LORA, name):
            return (
                "g.id IN (SELECT u.generation_id FROM generation_models AS u JOIN models AS m ON m.id = u.model_id "
                f"WHERE m.name = '{name}')"
            )
        case NamedValue(Field.SEED, value):
            return f"g.seed = '{value}'"
        case Is():
            return "g.is_favorite = 1"
        case Number(Field.RATING, interval):
            return f"g.rating >= {interval.low or 0} AND g.rating <= {9 if interval.high is None else interval.high}"
        case MadeBetween():
            first, until = days.to_seconds(part)
            return f"g.timestamp >= {(first or 0) * 1000} AND g.timestamp < {(until or 1 << 33) * 1000}"
        case Not(inner):
            where = _where(inner)
            return where and f"NOT ({where})"
        case Either(parts) | All(parts):
            wheres = [where for inner in parts if (where := _where(inner)) is not None]
            joined = " OR " if isinstance(part, Either) else " AND "
            return f"({joined.join(wheres)})" if len(wheres) == len(parts) else None
        case _:
            return None


def _as_peers(tx: ReadTx, sql: str, total: int) -> None:
    """The page in the middle by OFFSET, and the count."""
    tx.column(f"{sql} ORDER BY g.timestamp DESC LIMIT {PAGE} OFFSET {total // 2}")
    tx.value(f"SELECT count(*) FROM ({sql})")


# -- the index --------------------------------------------------------------------------------


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * resource.getpagesize() / 1024 / 1024


def print_index(database: Database, index: Index) -> None:
    gc.collect()
    before = resident_mib()
    built = cpu_ms(index.build)
    gc.collect()
    held = index.ask(lambda _, state: state.bytes) / 1024 / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"index without text   {built / 1000:8.1f} s CPU, {held:.0f} MiB in arrays, {resident_mib() - before:.0f} MiB"
    )
    print(f"                     {peak - before:.0f} MiB at most while building")
    chance = random.Random(1)
    images = database.read(lambda tx: tx.column("SELECT id FROM live_generations ORDER BY id DESC LIMIT 100000"))
    for text in queries():
        index.count(language.parse(text))
    favorite = [_edit_ms(database, index, _favorite, chance.choice(images)) for _ in range(60)]
    tag = [_edit_ms(database, index, _tag, chance.choice(images)) for _ in range(60)]
    print(f"one edit, followed   favourite {_spread(favorite)}, tag {_spread(tag)}   (p50 / p95, words kept)")
    changes = ChangeSet(changed=[GenerationId(1)])
    print(f"one edit, told       {_spread([cpu_ms(lambda: index._on_commit(changes)) for _ in range(60)])}"
          "   on the writer thread\n")  # fmt: skip
    index.count(Query())


def _edit_ms(database: Database, index: Index, edit: Callable[[WriteTx, int], None], image: int) -> float:
    database.write_bulk(edit, image)
    with index._lock:
        return cpu_ms(index._catch_up)


def _favorite(tx: WriteTx, image: int) -> None:
    generations.set_favorite(tx, [GenerationId(image)], favorite=True, now_ms=0)


def _tag(tx: WriteTx, image: int) -> None:
    tx.run("INSERT INTO image_tags (tag_id, generation_id) VALUES (7, :image) ON CONFLICT DO NOTHING",
           image=image)  # fmt: skip
    tx.changes.changed.append(GenerationId(image))


def _spread(times: list[float]) -> str:
    ordered = sorted(times)
    return f"{ordered[len(ordered) // 2]:.2f} / {ordered[int(len(ordered) * 0.95)]:.2f} ms"


# -- printing ---------------------------------------------------------------------------------


def _p(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def print_head() -> None:
    print(f"{'images':>9}  {'page':>11}  {'count+facets+days':>17}  {'jump':>5}  {'plain SQL':>15}  {'peers':>7}")
    print(f"{'':>9}  {'p50':>5} {'p95':>5}  {'first':>8} {'kept':>8}  {'':>5}  {'page':>6} {'answer':>8}")


def print_row(row: Row) -> None:
    as_peers = "" if row.peers is None else f"{row.peers:7.0f}"
    figures = f"{_p(row.page, 0.5):5.1f} {_p(row.page, 0.95):5.1f}  {row.first:8.1f} {row.kept:8.1f}  {row.jump:5.1f}"
    sql = f"{row.sql_page:6.1f} {row.sql_answer:8.0f}  {as_peers:>7}"
    print(f"{row.total:9,}  {figures}  {sql}  {row.text or '(everything)'}", flush=True)


def print_summary(rows: list[Row]) -> None:
    print("\nplain SQL: the count, two facets and the days; peers: a page in the middle by OFFSET, and the count\n")
    common = [row for row in rows if row.word_rows > COMMON_ROWS]
    others = [row for row in rows if row.word_rows <= COMMON_ROWS]
    print(f"{'page, p95 of all':62}{_p([p for r in rows for p in r.page], 0.95):8.1f}")
    print(f"{'count + facets + days, without a common word: first, p95':62}{_p([r.first for r in others], 0.95):8.1f}")
    print(f"{'kept, p95':>62}{_p([r.kept for r in others], 0.95):8.1f}")
    if common:
        print(f"{f'with a word in more than {COMMON_ROWS:,} rows: first, most':>62}{max(r.first for r in common):8.1f}")
        print(f"{'kept, most':>62}{max(r.kept for r in common):8.1f}")


@contextmanager
def library(rows: int, folder: str | None) -> Iterator[Database]:
    """Made anew, or as it was made before in the folder."""
    with tempfile.TemporaryDirectory() as temporary, Database.open(Path(folder or temporary)) as database:
        made = database.read(lambda tx: int(tx.value("SELECT count(*) FROM generations")))
        if made == 0:
            began_s = time.process_time()
            tagged.fill(database, rows)
            print(f"made in {time.process_time() - began_s:.0f} s of CPU")
        elif made != rows:
            raise SystemExit(f"{folder} holds {made:,} images, not {rows:,}.")
        yield database


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    folder = sys.argv[2] if len(sys.argv) > 2 else None
    with library(rows, folder) as database, Index(database) as index:
        print(f"{rows:,} images, seed {tagged.SEED}; 20 to 80 words, 8 tags of {tagged.TAGS:,}, "
              f"{tagged.MODELS} models, {tagged.LORAS} LoRAs. CPU ms.\n")  # fmt: skip
        print_index(database, index)
        print_head()
        rows_measured = []
        for text in queries():
            rows_measured.append(measure(database, index, text))
            print_row(rows_measured[-1])
        print_summary(rows_measured)


if __name__ == "__main__":
    application.load()
    main()
