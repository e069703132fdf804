"""What the models of text find (A4): recall on pairs of query and prompt without a word in common."""

import hashlib
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mysticanvas.ml import embedding_models, minilm, static_embeddings
from mysticanvas.ml.embedding_models import ACCURATE, INSTANT, EmbeddingSpace
from mysticanvas.ml.encoder import Floats, quantize
from mysticanvas.ml.prompts import extract_words
from mysticanvas.ml.wordpiece import WordPieceTokenizer

OWN_PAIRS = Path(__file__).with_name("text_pairs.json")

needs_semantic = pytest.mark.skipif(not minilm.is_installed(), reason="the extra `semantic` is not installed")


@pytest.fixture
def given_pairs(corpus: Path) -> dict[str, Any]:
    """The pairs that are kept beside the corpus of real files."""
    file = corpus.parent / "eval" / "text_pairs.json"
    if not file.is_file():
        pytest.skip("no eval/text_pairs.json beside the corpus")
    pairs: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return pairs


def ranks(pairs: dict[str, Any], *used: EmbeddingSpace) -> dict[str, int]:
    """At which place each query finds its prompt."""
    prompts = list(dict.fromkeys([*(pair["prompt"] for pair in pairs["pairs"]), *pairs["distractors"]]))
    total: Floats = np.zeros((len(pairs["pairs"]), len(prompts)), np.float32)
    for space in used:
        encoder = embedding_models.load_encoder(space.name)
        assert encoder is not None
        kept = quantize(encoder.encode(prompts)).astype(np.float32)
        kept /= np.linalg.norm(kept, axis=1, keepdims=True)
        total += space.weight * encoder.encode([pair["query"] for pair in pairs["pairs"]]) @ kept.T
    return {
        pair["query"]: int((row > row[prompts.index(pair["prompt"])]).sum()) + 1
        for pair, row in zip(pairs["pairs"], total, strict=True)
    }


def recall(found: dict[str, int], within: int) -> float:
    return sum(rank <= within for rank in found.values()) / len(found)


def test_the_instant_model_finds_nine_of_ten_among_the_first_five(given_pairs: dict[str, Any]) -> None:
    assert recall(ranks(given_pairs, INSTANT), 5) >= 0.90


@needs_semantic
def test_both_models_together_find_nineteen_of_twenty_and_the_sad_robot(given_pairs: dict[str, Any]) -> None:
    found = ranks(given_pairs, INSTANT, ACCURATE)
    assert recall(found, 5) >= 0.95
    assert found["sad robot"] <= 10


def test_the_instant_model_finds_most_of_our_own_pairs() -> None:
    found = ranks(json.loads(OWN_PAIRS.read_text("utf-8")), INSTANT)
    assert recall(found, 5) >= 0.80
    assert recall(found, 10) >= 0.90


@needs_semantic
def test_both_models_together_find_more_than_either_alone() -> None:
    pairs = json.loads(OWN_PAIRS.read_text("utf-8"))
    together = recall(ranks(pairs, INSTANT, ACCURATE), 5)
    assert together >= 0.88
    assert together > max(recall(ranks(pairs, INSTANT), 5), recall(ranks(pairs, ACCURATE), 5))


def test_no_query_of_our_own_shares_a_word_with_its_prompt() -> None:
    for pair in json.loads(OWN_PAIRS.read_text("utf-8"))["pairs"]:
        query, prompt = (set(pair[key].replace(",", " ").lower().split()) for key in ("query", "prompt"))
        assert not (query & prompt) - {"of", "a", "the", "in"}, pair


def test_the_table_is_the_one_that_the_notice_names() -> None:
    data = resources.files("mysticanvas.ml") / "data"
    digest = hashlib.sha256((data / static_embeddings.TABLE).read_bytes()).hexdigest()
    assert digest in (data / "NOTICE-text.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Café (neon:1.2)", ["cafe", "(", "neon", ":", "1", ".", "2", ")"]),
        ("photorealistic", ["photo", "##real", "##istic"]),
        ("東京 x", ["東", "京", "x"]),
        ("a\0b\tc", ["ab", "c"]),
        ("x" * 101, ["[UNK]"]),
        ("🦊 fox", ["[UNK]", "fox"]),
        ("", []),
    ],
)
def test_text_becomes_the_pieces_that_the_models_know(text: str, pieces: list[str]) -> None:
    vocabulary = static_embeddings.load_vocabulary()
    assert [vocabulary[number] for number in WordPieceTokenizer(vocabulary).tokenize(text)] == pieces


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("(masterpiece:1.2), a [red|blue] fox <lora:add_detail:0.8>", "masterpiece , a red blue fox"),
        ("fox BREAK snow", "fox , snow"),
        ("long_hair, 16:9", "long hair, 16:9"),
        ("<lora:x:1>", ""),
    ],
)
def test_marks_for_generators_are_not_part_of_what_a_prompt_says(prompt: str, said: str) -> None:
    assert extract_words(prompt) == said


def test_a_text_without_words_has_no_direction() -> None:
    encoder = embedding_models.load_encoder(INSTANT.name)
    assert encoder is not None
    assert not encoder.encode(["", "<lora:x:1>"]).any()
    assert encoder.encode([]).shape == (0, INSTANT.dimensions)


@needs_semantic
def test_a_model_file_that_was_changed_is_refused() -> None:
    from mysticanvas.domain.errors import ModelUnusableError
    from mysticanvas.ml.minilm import MiniLM

    with pytest.raises(ModelUnusableError):
        MiniLM(os.urandom(64), WordPieceTokenizer(static_embeddings.load_vocabulary()))
