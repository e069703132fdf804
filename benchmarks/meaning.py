"""What the models of text find: recall among distractors, each alone and together, and where to cut a list.

    python3 dev.py bench meaning [PAIRS.json]

PAIRS.json has `pairs` of a query and the prompt it should find, and `distractors`; by default the tests' own.
"right, least of best": how near the least of the right answers is to the best one of its query;
"kept": the share of all answers that is nearer than the share at which the gallery cuts (search/similarity.py).
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from mysticanvas.ml import embedding_models
from mysticanvas.ml.embedding_models import ACCURATE, INSTANT, EmbeddingSpace
from mysticanvas.ml.encoder import Floats, quantize
from mysticanvas.search.similarity import LEAST_OF_BEST

OWN = Path(__file__).parents[1] / "tests" / "unit" / "text_pairs.json"
SHOWN = "sad robot"


def cosines(queries: list[str], prompts: list[str], used: tuple[EmbeddingSpace, ...]) -> Floats:
    """The weighted mean over the spaces; prompts as they are kept, in bytes."""
    total = np.zeros((len(queries), len(prompts)), np.float32)
    for space in used:
        encoder = embedding_models.load_encoder(space.name)
        assert encoder is not None
        kept = quantize(encoder.encode(prompts)).astype(np.float32)
        kept /= np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-6)
        total += space.weight * encoder.encode(queries) @ kept.T
    return total / sum(space.weight for space in used)


def main() -> None:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else OWN
    given = json.loads(file.read_text("utf-8"))
    queries = [pair["query"] for pair in given["pairs"]]
    prompts = list(dict.fromkeys([*(pair["prompt"] for pair in given["pairs"]), *given["distractors"]]))
    right = [prompts.index(pair["prompt"]) for pair in given["pairs"]]
    print(f"{len(queries)} queries, {len(prompts)} prompts")
    for used in ((INSTANT,), (ACCURATE,), (INSTANT, ACCURATE)):
        found = cosines(queries, prompts, used)
        own = found[np.arange(len(queries)), right]
        ranks = (found > own[:, None]).sum(axis=1) + 1
        recall = "  ".join(f"recall@{k} {np.mean(ranks <= k):.2f}" for k in (1, 5, 10))
        best = found.max(axis=1)
        kept = float((found >= LEAST_OF_BEST * best[:, None]).mean())
        print(f"{' + '.join(space.name for space in used):34} {recall}  right, least of best {(own / best).min():.2f}")
        shown = f"  “{SHOWN}” at {ranks[queries.index(SHOWN)]}" if SHOWN in queries else ""
        print(f"{'':34} kept {kept:.1%}{shown}")
    for space in (INSTANT, ACCURATE):
        encoder = embedding_models.load_encoder(space.name)
        assert encoder is not None
        began = time.process_time()
        for query in queries:
            encoder.encode([query])
        print(f"{space.name:34} {(time.process_time() - began) / len(queries) * 1000:.2f} ms of CPU a query")


if __name__ == "__main__":
    main()
