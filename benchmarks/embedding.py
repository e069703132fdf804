"""From a fresh library to one that is searchable by meaning: jobs, workers and all.

    python3 dev.py bench embedding [PROMPTS]

Rows with distinct prompts as an import leaves them; then every job of the instant model by two workers, and
the first question. CPU is that of this process and of the workers.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from tests import application

from benchmarks.vectors import prompts
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.clock import now_ms
from mysticanvas.features.semantic import service as semantic_service
from mysticanvas.jobs.dispatcher import Dispatcher
from mysticanvas.jobs.lanes import Executors
from mysticanvas.ml import embedding_models
from mysticanvas.ml.embedding_models import INSTANT
from mysticanvas.search.similarity import Similarity
from mysticanvas.worker.pool import WorkerPool

BATCH = 1_000


def add(tx: WriteTx, first: int, texts: list[str]) -> None:
    tx.run_many(
        """
        INSERT INTO generations (id, uuid, timestamp, timestamp_source, prompt, app_version, parser_version,
                                 imported_at, updated_at)
        VALUES (:id, :uuid, 0, 'mtime', :prompt, 'bench', 1, 0, 0)
        """,
        (
            {"id": (first + n) << 8, "uuid": f"{first + n:08x}-0000-4000-8000-{first + n:012x}", "prompt": text}
            for n, text in enumerate(texts)
        ),
    )
    tx.run_many(
        """
        INSERT INTO generation_files (generation_id, kind, path_bytes, path, bytes, mtime_ns, width, height)
        VALUES (:id, 'final', CAST(:path AS BLOB), :path, 1, 0, 64, 64)
        """,
        ({"id": (first + n) << 8, "path": f"{first + n}.png"} for n in range(len(texts))),
    )
    semantic_service.queue_new(tx, now_ms=0)


def cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    texts = list(prompts(count))
    embedding_models.list_available = lambda: [INSTANT]
    with tempfile.TemporaryDirectory() as name, Database.open(Path(name) / "library") as database:
        began = time.process_time()
        for start in range(0, count, BATCH):
            database.write_bulk(add, start + 1, texts[start : start + BATCH])
        print(f"{count:,} rows written: {time.process_time() - began:.1f} s of CPU")
        began_s, cpu = time.monotonic(), cpu_s()
        with (
            WorkerPool(2, memory_bytes=512 * 1024 * 1024, task_limit_s=30) as pool,
            Dispatcher(database, Executors(workers=pool, slow=pool, in_flight=8), now_ms=now_ms),
        ):
            while database.read_within(60_000, semantic_service.list_progress)[0].done < count:
                time.sleep(0.1)
        spent = cpu_s() - cpu
        took_s = time.monotonic() - began_s
        print(f"embedded: {took_s:.1f} s, {spent:.1f} s of CPU, {count / spent:,.0f} prompts per second of CPU")
        similarity = Similarity(database, database.folder / "vectors")
        for which in ("first", "second"):
            began = time.process_time()
            found = similarity.to_text("sad robot", limit=100)
            print(f"{which} question: {(time.process_time() - began) * 1_000:.0f} ms of CPU, {len(found.ids)} images")
        size = sum(file.stat().st_size for file in database.folder.glob("mysticanvas.db*"))
        print(f"the database: {size / 2**20:.0f} MB")


if __name__ == "__main__":
    application.load()
    main()
