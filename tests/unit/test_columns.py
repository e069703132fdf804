"""Lists of codes by image, and the way back, through changes and compaction."""

import random

import numpy as np
import pytest

from mysticanvas.search import columns
from mysticanvas.search.columns import Lists, Mask

IMAGES, CODES = 60, 9


def extend(lists: Lists, owners: list[int], codes: list[int]) -> None:
    weights = np.array([code / 10 for code in codes])
    lists.extend(np.array(owners, np.int32), np.array(codes, np.int32), weights)


def check(lists: Lists, meant: dict[int, list[int]], mask: Mask) -> None:
    positions = np.flatnonzero(mask)
    expected = np.bincount([code for p in positions.tolist() for code in meant[p]], minlength=CODES)
    for alive in (IMAGES * 100, len(positions) + 1, IMAGES if mask.all() else len(positions) + 1):
        counts = lists.counts(mask, positions, alive)
        assert counts.tolist()[:CODES] == expected.tolist()[: len(counts)]
    for code in range(CODES):
        having, weights = lists.find_with(code)
        assert sorted(having.tolist()) == sorted(p for p, codes in meant.items() if code in codes)
        assert weights is not None
        assert set(weights.tolist()) <= {code / 10}
    each = lists.find_with_each(list(range(CODES)))
    assert {code: sorted(each[code].tolist()) for code in each} == {
        code: sorted(lists.find_with(code)[0].tolist()) for code in range(CODES)
    }
    assert lists.has_any(IMAGES).tolist() == [bool(meant[p]) for p in range(IMAGES)]


@pytest.mark.parametrize("kept", [0, 50, 10_000])
def test_lists_are_what_was_last_written(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(columns, "MAX_UNUSED", kept)
    chance = random.Random(5)
    lists = Lists(weighted=True)
    meant = {p: sorted(chance.sample(range(CODES), chance.randrange(4))) for p in range(IMAGES)}
    meant[0] = list(range(CODES))
    extend(
        lists, [p for p, codes in meant.items() for _ in codes], [code for codes in meant.values() for code in codes]
    )
    for _ in range(200):
        changed = chance.sample(range(IMAGES), 3)
        had = lists.give_up(np.array(changed))
        assert sorted(had) == sorted(code for p in changed for code in meant[p])
        for p in changed:
            meant[p] = sorted(chance.sample(range(CODES), chance.randrange(4)))
        changed.sort()
        extend(lists, [p for p in changed for _ in meant[p]], [code for p in changed for code in meant[p]])
        lists.compact()
        check(lists, meant, np.array([chance.random() < 0.5 for _ in range(IMAGES)]))
