"""Which of very many perceptual hashes are near each other, without comparing each with each.

Some bits are picked at random and the hashes sorted by them: near ones often agree in all that were
picked, and then stand side by side. After many such sortings hardly a pair is left that never did.
"""

import numpy as np
from numpy.typing import NDArray

from mysticanvas.imaging.perceptual_hash import LIGHT_EDGE_PX, LOOK_BYTES

Looks = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]

WORDS = 4
# Two hashes with 24 different bits of 256 agree in 20 picked ones once in seven sortings, so that 64 sortings
# miss one pair in twelve thousand; with 32 different bits one pair in a hundred.
SORTINGS = 64
BITS_PICKED = 20
# Of more hashes than these that agree, each is compared with so many after it: they hang together all the same.
NEIGHBOURS = 16
# Up to here each is compared with each.
FEW = 12_000
# A cut of two per cent of one side alone, and what rounding does to small pictures.
RATIO_SLACK = 0.03
# How much of the light and of the colours must go together; a picture that is nearly grey has none to compare.
LEAST_LIGHT = 0.95
LEAST_COLOR = 0.7
PALE = 2.0
# A fifth brighter, this is white.
NEARLY_WHITE = 212
_LIGHTS = LIGHT_EDGE_PX**2


def hashes_of(content: bytes) -> Hashes:
    """A row of four words a hash of 32 bytes."""
    return np.frombuffer(content, np.uint64).reshape(-1, WORDS)


def differences(one: Hashes, other: Hashes) -> NDArray[np.uint16]:
    """In how many bits each row differs from its partner."""
    total: NDArray[np.uint16] = np.bitwise_count(one ^ other).sum(axis=-1, dtype=np.uint16)
    return total


def near(hashes: Hashes, within: int) -> Pairs:
    """Rows (a, b), a < b, of hashes that differ in at most `within` bits, each pair once, ascending.

    Of many hashes a pair may be missed, the more rarely the nearer it is; always the same for the same
    hashes.
    """
    found = [_all_pairs(hashes, within)] if len(hashes) <= FEW else _sorted_pairs(hashes, within)
    return np.unique(np.concatenate(found), axis=0)


def _all_pairs(hashes: Hashes, within: int) -> Pairs:
    rows = [np.empty((0, 2), np.int64)]
    for row in range(len(hashes) - 1):
        others = row + 1 + np.flatnonzero(differences(hashes[row + 1 :], hashes[row]) <= within)
        rows.append(np.stack([np.full(len(others), row), others], axis=1))
    return np.concatenate(rows)


def _sorted_pairs(hashes: Hashes, within: int) -> list[Pairs]:
    chance = np.random.default_rng(0)
    found = [np.empty((0, 2), np.int64)]
    for _ in range(SORTINGS):
        keys = _picked(hashes, chance.choice(64 * WORDS, BITS_PICKED, replace=False))
        order = np.argsort(keys)
        keys = keys[order]
        for step in range(1, NEIGHBOURS + 1):
            agree = np.flatnonzero(keys[step:] == keys[:-step])
            if not len(agree):
                break
            pairs = np.sort(np.stack([order[agree], order[agree + step]], axis=1), axis=1)
            close = differences(hashes[pairs[:, 0]], hashes[pairs[:, 1]]) <= within
            found.append(pairs[close])
    return found


def _picked(hashes: Hashes, bits: NDArray[np.int64]) -> NDArray[np.uint32]:
    keys = np.zeros(len(hashes), np.uint32)
    for bit in bits.tolist():
        keys = keys << np.uint32(1) | (hashes[:, bit // 64] >> np.uint64(bit % 64)).astype(np.uint32) & np.uint32(1)
    return keys


def same_shape(ratios: NDArray[np.int64], pairs: Pairs) -> NDArray[np.bool_]:
    """Whether the sides of both pictures of a pair are in the same proportion, but for a small cut."""
    one, other = ratios[pairs[:, 0]], ratios[pairs[:, 1]]
    same: NDArray[np.bool_] = np.abs(one - other) <= RATIO_SLACK * np.maximum(one, other)
    return same


def look_alike(one: Looks, other: Looks) -> NDArray[np.bool_]:
    """Whether each row, a look as phash.py makes it, is of the same picture as its partner, whatever was done to its
    brightness and strength of colour."""
    light, colors = ((rows[:, :_LIGHTS].astype(np.float32) for rows in (one, other)),
                     [rows[:, _LIGHTS:].view(np.int8).astype(np.float32) for rows in (one, other)])  # fmt: skip
    same_light = _same_light(*light)
    pale = np.minimum(*(np.sqrt((rows * rows).mean(axis=1)) for rows in colors)) < PALE
    alike: NDArray[np.bool_] = same_light & (pale | (_cosines(*colors) >= LEAST_COLOR))
    return alike


def _same_light(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Also where one was made brighter, which makes white of what was nearly."""
    pairs = ((one, other), (np.minimum(one, NEARLY_WHITE), other), (one, np.minimum(other, NEARLY_WHITE)))
    level = [[rows - rows.mean(axis=1, keepdims=True) for rows in pair] for pair in pairs]
    same: NDArray[np.bool_] = np.max([_cosines(a, b) for a, b in level], axis=0) >= LEAST_LIGHT
    return same


def looks_of(content: bytes) -> Looks:
    """A row a look."""
    return np.frombuffer(content, np.uint8).reshape(-1, LOOK_BYTES)


def _cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.sqrt((one * one).sum(axis=1) * (other * other).sum(axis=1))
    cosines: NDArray[np.float32] = (one * other).sum(axis=1) / np.maximum(lengths, 1e-6)
    return cosines


def groups(pairs: Pairs, count: int) -> NDArray[np.int64]:
    """For each of `count` rows the smallest row it hangs together with."""
    leader = np.arange(count)
    while True:
        lower = leader.copy()
        np.minimum.at(lower, pairs[:, 0], leader[pairs[:, 1]])
        np.minimum.at(lower, pairs[:, 1], leader[pairs[:, 0]])
        lower = lower[lower]
        if np.array_equal(lower, leader):
            return leader
        leader = lower
