"""Each fuzz target, for as many inputs as the property tests have examples (M5)."""

import random
from itertools import islice

import pytest
from tests.property import effort
from tests.property.fuzzing import SEEDS, TARGETS, mutations


@pytest.mark.parametrize("name", TARGETS)
def test_a_file_changed_anyhow_breaks_nothing(name: str) -> None:
    rng = random.Random(name)
    for content in islice(mutations(SEEDS[name], rng), effort.parsers.max_examples):
        try:
            TARGETS[name](content)
        except BaseException:
            pytest.fail(f"{name} fails with {content!r}")
