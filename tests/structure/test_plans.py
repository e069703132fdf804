"""How SQLite goes about every hot query: its plans, as kept in `plans/`, with and without statistics (D10).

A plan that has changed fails its test. Look at it; if it is as good, delete the file and run the test
twice: the first time writes it.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.libraries import RandomLibrary

from mysticanvas.db import event_log
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import file_rows, files, generations, used_models
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.features.models import queries as model_queries
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.search import facets, index_loader, language, paging, snapshots, trash_list
from mysticanvas.search import resolve as search_resolve
from mysticanvas.search.engine import Answer

PLANS = Path(__file__).parent / "plans"
Query = Callable[[WriteTx], object]


class ExplainingTx(WriteTx):
    """Runs as ever, and keeps the plan of each statement; the same one once."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.plans: dict[str, list[str]] = {}

    def _explain(self, sql: str, params: dict[str, Any]) -> None:
        if sql in self.plans or not sql.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            return
        depth = {0: 0}
        lines = []
        for node, parent, _, detail in self._connection.execute("EXPLAIN QUERY PLAN " + sql, params):
            depth[node] = depth.get(parent, 0) + 1
            lines.append("  " * depth[node] + detail)
        self.plans[sql] = lines

    def all(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        self._explain(sql, params)
        return super().all(sql, **params)

    def rows(self, sql: str, **params: Any) -> apsw.Cursor:
        self._explain(sql, params)
        return super().rows(sql, **params)

    def value(self, sql: str, **params: Any) -> Any:
        self._explain(sql, params)
        return super().value(sql, **params)

    def column(self, sql: str, **params: Any) -> list[Any]:
        self._explain(sql, params)
        return super().column(sql, **params)

    def run(self, sql: str, **params: Any) -> int:
        self._explain(sql, params)
        return super().run(sql, **params)


@pytest.fixture(scope="module", params=["without_statistics", "with_statistics"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with Database.open(tmp_path_factory.mktemp(request.param) / "library") as database:
        RandomLibrary(database, random.Random(1)).begin(400)
        if request.param == "with_statistics":
            database.write(lambda tx: tx.run("ANALYZE"))
        yield database


def page(text: str, *, after: int | None = None) -> Query:
    return lambda tx: paging.read_page(tx, language.parse(text), after=after, limit=20)


def whole(text: str) -> Query:
    return lambda tx: (paging.find_ids(tx, language.parse(text)), paging.count(tx, language.parse(text)))


def facet(name: str) -> Query:
    return lambda tx: facets.count_in_sql(tx, language.parse("sea -tag:cat"), facets.find_field(name), limit=20)


# Pages in order of time: none of these may sort, and none may walk all images of a wide table.
TIMELINE: dict[str, Query] = {
    "page_everything": page("", after=1 << 40),
    "page_oldest": page("sort:oldest", after=1),
    "page_word": page("sea"),
    "page_two_words": page("sea storm"),
    "page_word_without_word": page("sea -storm"),
    "page_only_without_word": page("-storm"),
    "page_tag": page("tag:sea"),
    "page_tag_and_tag": page("tag:sea tag:cat"),
    "page_tag_without_tag": page("tag:sea -tag:cat"),
    "page_tag_or_tag": page("tag:sea OR tag:cat"),
    "page_tag_and_word": page("tag:sea storm"),
    "page_collection": page('collection:"for the wall"'),
    "page_collection_and_tag": page("in:b tag:sea -in:a"),
    "page_model": page("model:flux1-dev"),
    "page_model_favourite": page("model:flux1-dev is:favourite"),
    "page_lora_weight": page("lora:x>=0.5"),
    "page_favourites": page("is:favourite"),
    "page_rating": page("rating:5"),
    "page_ratings": page("rating:>=3"),
    "page_dates": page("date:2022..2023"),
    "page_seed": page("seed:342898"),
    "page_id": page("id:00000001"),
    "page_of_no_table": page('steps:>=20 size:>=1024x1024 engine:comfyui path:2026 sampler:"euler a" has:workflow'),
}
OTHERS: dict[str, Query] = {
    "page_by_rating": page("sort:rating"),
    "page_by_added": page("sort:added"),
    "page_added": page("added:>=2022 sort:added"),
    "page_by_size": page("sort:size"),
    "page_by_name": page("sort:name"),
    "page_as_arranged": page("in:b sort:manual"),
    "page_by_chance": page("sort:random:7"),
    "page_by_relevance": page("sea sort:relevance"),
    "all_of_words_and_tags": whole("sea (tag:cat OR -tag:sea) lora:x>0.1 model:flux1-dev seed:7"),
    "all_of_added": whole("added:2022..2023"),
    "all_of_columns": whole("steps:>20 cfg:7 mp:>1 size:16:9 engine:comfyui path:2026/08 has:tag is:grid"),
    "rows_of_a_page": lambda tx: paging.read_rows(tx, tx.column("SELECT id FROM live_generations LIMIT 20")),
    "items_of_a_snapshot": lambda tx: snapshots.read_items(
        tx, snapshots.Snapshot("", language.parse(""), Answer(paging.find_ids(tx, language.parse(""))), []), 0, 20
    ),
    "trash_as_a_list": trash_list.list_trash,
    "rows_of_the_trash": lambda tx: trash_list.read_rows(tx, [1, 2], prompt_shown=80),
    **{f"facet_{field}": facet(field) for field in facets.FIELDS[:9]},
    "names_of_tags": lambda tx: search_resolve.resolve(tx, language.parse("tag:cat tag:feline tag:c*")),
    "index_run": lambda tx: (
        index_loader.read_next_images(tx, after=0),
        index_loader.read_tags_between(tx, 1, 1 << 40),
        index_loader.read_uses_between(tx, 1, 1 << 40),
    ),
    "index_some": lambda tx: (
        index_loader.read_images(tx, [1, 2]),
        index_loader.read_tags(tx, [1, 2]),
        index_loader.read_uses(tx, [1, 2]),
    ),
    "index_words": lambda tx: index_loader.find_words(tx, '"sea"'),
    "index_collections": lambda tx: (
        index_loader.read_collection(tx, 1), index_loader.list_memberships(tx, [1, 2]),
        index_loader.read_manual_order(tx, [1]),
    ),
    "index_names": index_loader.read_name_order,
    "jobs_claim": lambda tx: job_queue.claim(tx, owner_id="boot", limit=4, now_ms=1),
    "jobs_ready": lambda tx: job_queue.list_ready(tx, now_ms=1),
    "jobs_listed": lambda tx: job_queries.list_jobs(tx, kind=None, status=None, before=None, limit=20),
    "jobs_failed": lambda tx: (job_queries.list_failed(tx, limit=20), job_queries.list_reasons(tx, limit=20)),
    "jobs_prune": lambda tx: job_queries.prune(tx, before_ms=0, keep=10, limit=20),
    "files_known": lambda tx: files.find_by_paths(tx, root_id=1, paths=[b"a.png", b"b.png"]),
    "files_with_fingerprint": lambda tx: files.find_by_fingerprint(tx, b"\0" * 32),
    "files_of_generation": lambda tx: file_rows.list_of_image(tx, generations.GenerationId(1)),
    "models_find": lambda tx: model_queries.find_or_add(tx, ModelUse(ModelKind.LORA, "x", "0123456789"), now_ms=1),
    "models_used": lambda tx: used_models.list_used_models(tx, generations.GenerationId(1)),
    "events_newest": lambda tx: event_log.list_newest(
        tx, before=None, wanted=event_log.EntryFilter(["info"]), limit=20
    ),
    "generations_id_of": lambda tx: tx.value("SELECT id FROM generations WHERE uuid = :uuid", uuid="x"),
}  # fmt: skip


def plans_of(database: Database, query: Query) -> list[list[str]]:
    explaining: list[ExplainingTx] = []

    def run(tx: WriteTx) -> None:
        explaining.append(ExplainingTx(tx._connection))
        query(explaining[0])

    database.write(run)
    return list(explaining[0].plans.values())


def is_with_statistics(database: Database) -> bool:
    return bool(database.read(lambda tx: tx.value("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")))


@pytest.mark.parametrize("name", [*TIMELINE, *OTHERS])
def test_the_plan_is_the_one_that_was_looked_at(library: Database, name: str) -> None:
    plans = plans_of(library, (TIMELINE | OTHERS)[name])
    text = "\n".join("\n".join(lines) for lines in plans) + "\n"
    kept = PLANS / ("with_statistics" if is_with_statistics(library) else "without_statistics") / f"{name}.txt"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(text, "utf-8")
        pytest.fail(f"{kept.name} was written; look at it and run again")
    assert text == kept.read_text("utf-8")


@pytest.mark.parametrize("name", TIMELINE)
def test_a_page_in_order_of_time_sorts_nothing(library: Database, name: str) -> None:
    lines = [line for plan in plans_of(library, TIMELINE[name]) for line in plan]
    assert lines
    assert not [line for line in lines if "TEMP B-TREE" in line]
    # The word index is a virtual table, and says SCAN also where it looks up.
    assert not [
        line for line in lines if line.strip().startswith(("SCAN g", "SCAN f", "SCAN s")) and "VIRTUAL" not in line
    ]


# Look-ups in the public views (docs/sql.md), which scripts make in a loop.
LOOKUPS = (
    *(f"SELECT * FROM {view} WHERE uuid = 'x'" for view in ("v_images", "v_image_tags", "v_image_models")),  # noqa: S608
    *(f"SELECT * FROM {view} WHERE uuid = 'x'" for view in ("v_collections", "v_collection_images")),  # noqa: S608
    "SELECT * FROM v_collection_images WHERE collection_uuid = 'x'",
    "SELECT * FROM v_collection_images WHERE collection = 'x'",
    "SELECT uuid FROM v_image_tags WHERE tag = 'x'",
)


@pytest.mark.parametrize("sql", LOOKUPS)
def test_a_lookup_in_a_public_view_scans_nothing(library: Database, sql: str) -> None:
    lines = [line.strip() for plan in plans_of(library, lambda tx: tx.all(sql)) for line in plan]
    assert lines
    # Of the few watched folders (r), SQLite may read all.
    assert not [line for line in lines if line.startswith("SCAN") and not line.startswith("SCAN r ")]


def test_a_bad_plan_is_seen(library: Database) -> None:
    plans = plans_of(library, lambda tx: tx.all("SELECT id FROM generations ORDER BY steps LIMIT 5"))
    assert any("TEMP B-TREE" in line for plan in plans for line in plan)
