"""What checks growth sees it: work in proportion passes, and work that grows with the square does not."""

import re
from collections.abc import Callable

import pytest
from tests import growth

SIZES = growth.doublings(32_000, 4)


def in_proportion(size: int) -> Callable[[], object]:
    return lambda: sum(range(size))


def many_times(size: int) -> Callable[[], object]:
    """Sorting: a little more than in proportion."""
    return lambda: sorted(range(size, 0, -1), key=lambda n: n * 7_919 % 8_191)


def with_the_square(size: int) -> Callable[[], object]:
    """Every place is searched from there to the end of the text, as a backtracking expression does."""
    text = "a" * size
    return lambda: [text.find("ab", place) for place in range(size)]


def by_an_expression(size: int) -> Callable[[], object]:
    text = " " * size
    return lambda: re.search(r"\s+$", text + "x")


@pytest.mark.parametrize("work", [in_proportion, many_times])
def test_work_in_proportion_passes(work: Callable[[int], Callable[[], object]]) -> None:
    growth.check_in_proportion(work, SIZES)


@pytest.mark.parametrize(("work", "largest"), [(with_the_square, 16_000), (by_an_expression, 4_000)])
def test_work_that_grows_with_the_square_is_seen(
    work: Callable[[int], Callable[[], object]], largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "MOST_ROUNDS", 2)
    with pytest.raises(pytest.fail.Exception, match="times the work"):
        growth.check_in_proportion(work, growth.doublings(largest, 4))


def test_calls_are_counted() -> None:
    with growth.counted_calls() as calls:
        for _ in range(5):
            in_proportion(1)
            len("ab")
    assert 10 <= calls.count < 15
