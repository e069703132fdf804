"""Prompts get their vectors by jobs, each distinct one once, and are found by meaning (A4, A6)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import edits as test_edits
from tests.importing import import_all
from tests.pictures import png

from mysticanvas.db.connections import READ_CANCELLED
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import folders
from mysticanvas.domain.errors import NotFoundError, QueryError, TimeLimitError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.query import Field
from mysticanvas.features.semantic import service as semantic_service
from mysticanvas.jobs import queries as job_queries
from mysticanvas.jobs import queue as job_queue
from mysticanvas.jobs.dispatcher import Dispatcher
from mysticanvas.jobs.lanes import Executors
from mysticanvas.jobs.queries import JobSelection
from mysticanvas.ml import embedding_models
from mysticanvas.ml.embedding_models import INSTANT
from mysticanvas.search import language, prompt_vectors
from mysticanvas.search import similarity as likeness
from mysticanvas.search.engine import Finder
from mysticanvas.search.index import Index
from mysticanvas.search.similarity import Similarity
from mysticanvas.worker.pool import WorkerPool

PROMPTS = [
    "melancholic android sitting on a park bench in the rain",
    "bowl of fresh strawberries on a wooden table",
    "snow covered mountain peaks at dawn",
    "portrait of an elderly woman with kind eyes",
    "bowl of fresh strawberries on a wooden table",
    "two fighter jets above the clouds",
]


def write(folder: Path, prompts: list[str], *, first: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    for number, prompt in enumerate(prompts, first):
        text = f"{prompt}\nSteps: 20, Sampler: Euler a, Seed: {number}, Size: 64x64"
        (folder / f"{number:03}.png").write_bytes(png(color=number * 7919, texts={"parameters": text}))


@pytest.fixture(autouse=True)
def instant_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The accurate model takes seconds to load and is tested by its own quality."""
    monkeypatch.setattr(embedding_models, "list_available", lambda: [INSTANT])


@contextmanager
def working(database: Database, tmp_path: Path) -> Iterator[WorkerPool]:
    with (
        WorkerPool(1, memory_bytes=512 * 1024 * 1024, task_limit_s=30) as pool,
        Dispatcher(database, Executors(workers=pool, slow=pool, in_flight=4), now_ms=lambda: 1_000),
    ):
        yield pool


def wait_for(condition: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < until_s, "it took too long"
        time.sleep(0.02)


def embedded(database: Database) -> tuple[int, int]:
    [state] = database.read(semantic_service.list_progress)
    return state.done, state.total


def take_in(database: Database, pool: WorkerPool, folder: Path) -> None:
    root = database.write(folders.add, path=str(folder), watch=False, now_ms=0)
    import_all(database, pool, root)


def image_of(database: Database, prompt: str) -> int:
    return int(database.read(lambda tx: tx.value("SELECT max(id) FROM generations WHERE prompt = :p", p=prompt)))


def test_what_is_imported_is_found_by_its_meaning(database: Database, tmp_path: Path) -> None:
    write(tmp_path / "pictures", PROMPTS)
    similarity = Similarity(database, tmp_path / "vectors")
    with working(database, tmp_path) as pool:
        take_in(database, pool, tmp_path / "pictures")
        wait_for(lambda: embedded(database) == (5, 5))
        android = image_of(database, PROMPTS[0])
        found = similarity.to_text("sad robot")
        assert int(found.ids[0]) == android
        assert len(found.ids) == 6
        assert all(found.scores[:-1] >= found.scores[1:])

        write(tmp_path / "pictures", ["a lonely cyborg weeping"], first=90)
        take_in(database, pool, tmp_path / "pictures")
        wait_for(lambda: embedded(database) == (6, 6))
        assert set(similarity.to_text("sad robot", limit=2).ids.tolist()) == {
            android,
            image_of(database, "a lonely cyborg weeping"),
        }


@pytest.fixture
def library(database: Database, tmp_path: Path) -> Database:
    """With six images of five prompts, all embedded."""
    write(tmp_path / "pictures", PROMPTS)
    with working(database, tmp_path) as pool:
        take_in(database, pool, tmp_path / "pictures")
        wait_for(lambda: embedded(database) == (5, 5))
    return database


def test_only_images_of_a_filter_are_found_within_it(library: Database, tmp_path: Path) -> None:
    similarity = Similarity(library, tmp_path / "vectors")
    within = np.array([image_of(library, PROMPTS[2]), image_of(library, PROMPTS[5])])
    assert similarity.to_text("sad robot", within=within).ids.tolist() != []
    assert set(similarity.to_text("sad robot", within=within).ids.tolist()) == set(within.tolist())
    assert similarity.to_text("aircraft", within=within, limit=1).ids.tolist() == [int(within[1])]


def test_a_search_by_meaning_holds_for_pages_counts_and_facets_within_any_filter(
    library: Database, tmp_path: Path
) -> None:
    index = Index(library)
    index.build()
    similarity = Similarity(library, tmp_path / "vectors")
    for finder in (Finder(library, similarity=similarity), Finder(library, index, similarity=similarity)):
        found = finder.all(language.parse('~"sad robot"')).ids
        assert int(found[0]) == image_of(library, PROMPTS[0])
        # Strawberries are like no robot, and are not found.
        assert 2 <= len(found) == finder.count(language.parse('~"sad robot"')) < 6
        page = finder.page(language.parse('~"sad robot"'), after=int(found[0]), limit=2)
        assert [hit.id for hit in page] == found[1:3].tolist()
        oldest = finder.all(language.parse('~"sad robot" sort:oldest')).ids
        assert oldest.tolist() == sorted(found.tolist())
        within = finder.all(language.parse('~"cold snow" mountain OR jets')).ids
        assert within.tolist() == [image_of(library, PROMPTS[2])]
        facets = finder.facets(language.parse('~"aircraft" jets'), [Field.SAMPLER], limit=5)
        assert [(value.value, value.count) for value in facets[Field.SAMPLER]] == [("Euler a", 1)]


def test_a_search_for_the_like_of_an_image_is_one_for_its_prompt(library: Database, tmp_path: Path) -> None:
    berries = library.read(
        lambda tx: tx.rows("SELECT id, uuid FROM generations WHERE prompt = :p", p=PROMPTS[1]).fetchall()
    )
    finder = Finder(library, similarity=Similarity(library, tmp_path / "vectors"))
    found = finder.all(language.parse(f"like:{berries[0][1]}")).ids
    assert int(found[0]) == berries[1][0]
    assert image_of(library, PROMPTS[5]) not in found
    with pytest.raises(QueryError, match="No image has an ID"):
        finder.all(language.parse("like:00000000-0000"))


def test_what_could_not_be_read_is_read_the_next_time(
    library: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    similarity = Similarity(library, tmp_path / "vectors")
    android = GenerationId(image_of(library, PROMPTS[0]))
    assert android in similarity.to_text("sad robot").ids
    library.write(test_edits.do, "trash", {}, [android], now_ms=5)

    def fail(*_: Any) -> dict[int, int]:
        raise TimeLimitError("It took too long.")

    with monkeypatch.context() as broken:
        broken.setattr(similarity, "_subject", replace(likeness.PROMPTS, numbers_of=fail))
        with pytest.raises(TimeLimitError):
            similarity.to_text("sad robot")
    assert android not in similarity.to_text("sad robot").ids
    # Nor does it matter that the one who asked has gone.
    gone = threading.Event()
    gone.set()
    given_up = READ_CANCELLED.set(gone)
    library.write(test_edits.do, "restore", {}, [android], now_ms=6)
    assert android in similarity.to_text("sad robot").ids
    READ_CANCELLED.reset(given_up)


def test_what_is_in_the_trash_is_like_nothing(library: Database, tmp_path: Path) -> None:
    similarity = Similarity(library, tmp_path / "vectors")
    android = GenerationId(image_of(library, PROMPTS[0]))
    assert android in similarity.to_text("sad robot").ids
    library.write(test_edits.do, "trash", {}, [android], now_ms=5)
    assert android not in similarity.to_text("sad robot").ids
    assert android not in Similarity(library, tmp_path / "vectors").to_text("sad robot").ids
    library.write(test_edits.do, "restore", {}, [android], now_ms=6)
    assert int(similarity.to_text("sad robot").ids[0]) == android


def test_similar_prompts_are_those_of_other_images(library: Database, tmp_path: Path) -> None:
    similarity = Similarity(library, tmp_path / "vectors")
    berries = library.read(lambda tx: tx.column("SELECT id FROM generations WHERE prompt = :p", p=PROMPTS[1]))
    assert len(berries) == 2
    found = similarity.to_image(GenerationId(berries[0]))
    assert int(found.ids[0]) == berries[1]
    assert berries[0] not in found.ids.tolist()
    with pytest.raises(NotFoundError):
        similarity.to_image(GenerationId(7))


def test_the_files_of_vectors_are_a_cache(library: Database, tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    first = Similarity(library, folder).to_text("sad robot")
    assert Similarity(library, folder).to_text("sad robot").ids.tolist() == first.ids.tolist()
    for file in folder.iterdir():
        file.write_bytes(b"\1" * 100)
    assert Similarity(library, folder).to_text("sad robot").ids.tolist() == first.ids.tolist()
    for file in folder.iterdir():
        file.unlink()
    again = Similarity(library, folder).to_text("sad robot")
    assert again.ids.tolist() == first.ids.tolist()
    assert again.scores == pytest.approx(first.scores)


def test_a_changed_prompt_is_embedded_anew_and_a_deleted_one_forgotten(library: Database, tmp_path: Path) -> None:
    similarity = Similarity(library, tmp_path / "vectors")
    similarity.to_text("sad robot")
    jets = image_of(library, PROMPTS[5])

    def change(tx: WriteTx) -> None:
        tx.run("UPDATE generations SET prompt = 'a weeping automaton' WHERE id = :id", id=jets)
        tx.changes.changed.append(GenerationId(jets))
        semantic_service.queue_new(tx, now_ms=2_000)

    library.write(change)
    assert embedded(library) == (4, 5)
    with working(library, tmp_path):
        wait_for(lambda: embedded(library) == (5, 5))
    assert jets in similarity.to_text("sad robot", limit=2).ids.tolist()

    def delete(tx: WriteTx) -> None:
        tx.run("DELETE FROM generations WHERE id = :id", id=jets)
        tx.changes.removed.append(GenerationId(jets))

    library.write(delete)
    assert embedded(library) == (4, 4)
    assert jets not in similarity.to_text("sad robot").ids.tolist()


def test_lost_vectors_and_discarded_jobs_are_made_up_for(library: Database, tmp_path: Path) -> None:
    library.write(prompt_vectors.delete_vectors, space=INSTANT.name)
    assert semantic_service.queue_missing(library, now_ms=lambda: 0) == 1
    library.write(job_queries.cancel, JobSelection(kind="embed"), limit=1_000, now_ms=0)
    assert semantic_service.queue_missing(library, now_ms=lambda: 0) == 1
    with working(library, tmp_path):
        wait_for(lambda: embedded(library) == (5, 5))
    assert semantic_service.queue_missing(library, now_ms=lambda: 0) == 0


def test_a_block_whose_prompts_all_have_vectors_asks_for_no_work(library: Database) -> None:
    payload: dict[str, Any] = {"space": INSTANT.name, "first": 0, "last": 999}
    from mysticanvas.features.semantic import job as semantic_job

    assert library.read(semantic_job.prepare, payload) is None


def test_embedding_can_be_paused(database: Database, tmp_path: Path) -> None:
    database.write(job_queue.set_paused, kind="embed", value=True)
    write(tmp_path / "pictures", PROMPTS)
    with working(database, tmp_path) as pool:
        take_in(database, pool, tmp_path / "pictures")

        def thumbs_done(tx: ReadTx) -> bool:
            return bool(tx.value("SELECT count(*) = 6 FROM jobs WHERE kind = 'thumb' AND status = 'done'"))

        wait_for(lambda: database.read(thumbs_done))
        assert embedded(database) == (0, 5)
        database.write(job_queue.set_paused, kind="embed", value=False)
        wait_for(lambda: embedded(database) == (5, 5))
