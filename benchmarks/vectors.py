"""Search by meaning in a million prompts: CPU milliseconds, recall, memory; texts per second of both models.

    python3 dev.py bench vectors [ROWS]

Vectors of the instant model are those of composed prompts, each another. The accurate model is too slow
for a million texts: 2,000 of its vectors are mixed by threes with noise, which keeps their directions and
spreads. Recall is that of the first 100 against scoring every row, over 30 queries; "within" keeps a random
third of the rows. "fused" is what a person waits for: the text is understood by both models, and images are
ranked by the weighted mean of both cosines; the vectors of both are then mixed of the same prompts.
"""

import itertools
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tests import application

from mysticanvas.db.database import Database
from mysticanvas.ml import embedding_models
from mysticanvas.ml.embedding_models import ACCURATE, INSTANT
from mysticanvas.ml.encoder import Floats, normalize, quantize
from mysticanvas.ml.vectors import Rows, Vectors
from mysticanvas.search.similarity import Similarity

SEED = 11
BATCH = 20_000
TOP = 100
QUERIES = 30
REAL = 4_000
PARTS = (
    "a lonely|an ancient|a tiny|a furious|a golden|a broken|a smiling|a colossal|a frozen|a forgotten|a neon|a wooden",
    "robot|fox|cathedral|sailor|forest|dragon|teapot|astronaut|market|piano|whale|ballerina|bridge|orchid|wizard|train",
    "in the rain|at dawn|under stars|on a hill|beside a lake|in an empty street|underwater|in a storm|in the desert",
    "watercolor|oil painting|35mm photo|anime style|low poly|cinematic lighting|macro shot|line art|film grain|gothic",
    "highly detailed|soft light|muted colors|wide angle|bokeh|sharp focus|pastel|dramatic|foggy|symmetrical|vibrant",
)
ASKED = (  # noqa: SIM905 - a list would take thirty lines
    "sad machine|old church|wild animal|sea captain|haunted woods|flying reptile|space traveller|"
    "crowded bazaar|dance|musical instrument|winter night|hot and dry|crossing the river|flower close-up|magic|"
    "locomotive|solitude|anger|joyful|something tiny|giant creature|porcelain cup|wooden toy|cold morning|"
    "thunder|city lights|calm water|sculpture|royal court|broken glass"
).split("|")


def prompts(count: int) -> Iterator[str]:
    """All different: the words in every order of their lists, and a number of its own in each."""
    chance = random.Random(SEED)
    parts = [part.split("|") for part in PARTS]
    for number in range(count):
        words = [chance.choice(part) for part in parts]
        second = f"{chance.choice(parts[0])} {chance.choice(parts[1])}"
        yield f"{words[0]} {words[1]} and {second} {words[2]}, {words[3]}, {words[4]}, {number}"


def cpu_ms(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1_000


def instant_rows(rows: int) -> Iterator[Floats]:
    encoder = embedding_models.load_encoder(INSTANT.name)
    assert encoder is not None
    texts = prompts(rows)
    while some := list(itertools.islice(texts, BATCH)):
        yield encoder.encode(some)


def accurate_rows(rows: int) -> Iterator[Floats]:
    encoder = embedding_models.load_encoder(ACCURATE.name)
    assert encoder is not None
    real = encoder.encode(list(prompts(2_000)))
    chance = np.random.default_rng(SEED)
    for start in range(0, rows, BATCH):
        count = min(BATCH, rows - start)
        shares = chance.dirichlet((1, 1, 1), count).astype(np.float32)
        mixed = sum(shares[:, [i]] * real[chance.integers(0, len(real), count)] for i in range(3))
        yield normalize(mixed + chance.normal(0, 0.02, mixed.shape).astype(np.float32))


def measure(name: str, batches: Iterator[Floats], queries: Floats, folder: Path) -> None:
    vectors = Vectors(folder / f"{name}.i8", queries.shape[1])
    for batch in batches:
        vectors.append(quantize(batch))
    every = np.arange(vectors.rows)
    vectors.find_nearest(queries[0], TOP)
    third = np.random.default_rng(SEED).random(vectors.rows) < 1 / 3
    for label, within in (("", None), (" within a third", third)):
        recalls, spent = [], []
        for query in queries:
            scores = vectors.score(query, every if within is None else every[within])
            best = np.argpartition(-scores, TOP)[:TOP]
            true = set((best if within is None else every[within][best]).tolist())
            spent.append(cpu_ms(lambda q=query, w=within: vectors.find_nearest(q, TOP, within=w)))  # type: ignore[misc]
            recalls.append(len(true & set(vectors.find_nearest(query, TOP, within=within)[0].tolist())) / TOP)
        worst, middle = max(spent), statistics.median(spent)
        what = f"{name}, {vectors.rows:,} × {vectors.dimensions}{label}"
        print(f"{what:45} {middle:6.1f} ms (worst {worst:6.1f})  recall {np.mean(recalls):.4f}")
    rows = vectors.rows
    began = cpu_ms(lambda: Vectors(folder / f"{name}.i8", queries.shape[1], rows=rows).find_nearest(queries[0], TOP))
    print(f"{'  opening its file again, first search':45} {began:6.0f} ms")


def fused(rows: int, folder: Path) -> None:
    """An image a prompt, whose ids are the places of the rows, from 1."""
    chance = np.random.default_rng(SEED)
    texts = list(prompts(REAL))
    with Database.open(folder / "library") as database:
        similarity = Similarity(database, folder / "fused")
        similarity._refresh()
        for name, kept in similarity._spaces.items():
            real = encoded(name, texts)
            chance = np.random.default_rng(SEED)
            for start in range(0, rows, BATCH):
                count = min(BATCH, rows - start)
                shares = chance.dirichlet((1, 1, 1), count).astype(np.float32)
                mixed = sum(shares[:, [i]] * real[chance.integers(0, REAL, count)] for i in range(3))
                noise = np.random.default_rng(start).normal(0, 0.02, mixed.shape).astype(np.float32)
                kept._content.append(quantize(normalize(mixed + noise)))
                kept._add_rows(np.arange(start + 1, start + count + 1))
        similarity._images.ids = similarity._images.prompts = np.arange(1, rows + 1)
        similarity._images._by_prompt = similarity._is_complete = None
        third = np.flatnonzero(np.random.default_rng(SEED).random(rows) < 1 / 3) + 1
        for label, within in (("", None), (" within a third", third)):
            ask(similarity, f"fused, {rows:,}{label}", within)


def encoded(name: str, texts: Sequence[str]) -> Floats:
    encoder = embedding_models.load_encoder(name)
    assert encoder is not None
    return encoder.encode(texts)


def ask(similarity: Similarity, what: str, within: Rows | None) -> None:
    spent, recalls = [], []
    similarity.to_text(ASKED[0], within=within, limit=TOP)
    for text in ASKED[:QUERIES]:
        spent.append(cpu_ms(lambda t=text: similarity.to_text(t, within=within, limit=TOP)))  # type: ignore[misc]
        found = similarity.to_text(text, within=within, limit=TOP).ids
        recalls.append(len(set(found.tolist()) & true_best(similarity, text, within)) / TOP)
    middle = statistics.median(spent)
    print(f"{what:45} {middle:6.1f} ms (worst {max(spent):6.1f})  recall {np.mean(recalls):.4f}", flush=True)


def true_best(similarity: Similarity, text: str, within: Rows | None) -> set[int]:
    """By scoring every row."""
    asked = similarity._images.ids if within is None else within
    total = np.zeros(len(asked), np.float32)
    for name, kept in similarity._spaces.items():
        total += kept.space.weight * kept.scores(encoded(name, [text])[0], asked)[0]
    return set(asked[np.argpartition(-total, TOP)[:TOP]].tolist())


def speed(name: str, count: int) -> None:
    encoder = embedding_models.load_encoder(name)
    assert encoder is not None
    texts = list(prompts(count))
    encoder.encode(texts[:10])
    print(f"{name:45} {count / cpu_ms(lambda: encoder.encode(texts)) * 1_000:6.0f} texts per second of CPU")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    speed(INSTANT.name, 50_000)
    speed(ACCURATE.name, 500)
    with tempfile.TemporaryDirectory() as name:
        for space, source in ((INSTANT, instant_rows), (ACCURATE, accurate_rows)):
            encoder = embedding_models.load_encoder(space.name)
            assert encoder is not None
            measure(space.name, source(rows), encoder.encode(ASKED[:QUERIES]), Path(name))
        fused(rows, Path(name))
    print(
        f"memory at its peak, mapped files included: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


if __name__ == "__main__":
    application.load()
    main()
