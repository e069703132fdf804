"""Finds similar pairs among many perceptual hashes without comparing every pair.

Each round picks random bits and sorts the hashes by them. Similar hashes often agree in all picked bits and become
neighbors. After many rounds, hardly any similar pair has been missed.
"""

import numpy as np
from numpy.typing import NDArray

from mysticanvas.imaging.perceptual_hash import BRIGHTNESS_EDGE_PX, MINIATURE_BYTES

Miniatures = NDArray[np.uint8]
Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]

WORDS = 4
# Two hashes that differ in 24 of 256 bits agree in 20 picked bits in one of seven rounds, so 64 rounds miss one
# pair in 12,000; with 32 different bits, one pair in 100.
ROUNDS = 64
BITS_PICKED = 20
# Each hash is compared with this many that follow it in the order. Larger groups stay connected through chains.
NEIGHBORS = 16
# Up to this number of hashes, every pair is compared.
MAX_EXHAUSTIVE = 12_000
# Allows cropping one side by two percent, and rounding in small images.
RATIO_SLACK = 0.03
# Minimum correlation of brightness and of color. Colors of nearly gray images are not compared.
MIN_BRIGHTNESS_CORRELATION = 0.95
MIN_COLOR_CORRELATION = 0.7
MAX_GRAY_SATURATION = 2.0
# Becomes white when brightened by a fifth.
NEARLY_WHITE = 212
_BRIGHTNESS_BYTES = BRIGHTNESS_EDGE_PX**2


def unpack_hashes(content: bytes) -> Hashes:
    """Concatenated 32-byte hashes as an array of shape (count, 4)."""
    return np.frombuffer(content, np.uint64).reshape(-1, WORDS)


def count_differences(one: Hashes, other: Hashes) -> NDArray[np.uint16]:
    """The number of different bits between corresponding rows."""
    total: NDArray[np.uint16] = np.bitwise_count(one ^ other).sum(axis=-1, dtype=np.uint16)
    return total


def find_near_pairs(hashes: Hashes, within: int) -> Pairs:
    """Row pairs (a, b), a < b, of hashes that differ in at most `within` bits; distinct and ascending.

    Among more than `MAX_EXHAUSTIVE` hashes, pairs may be missed, the closer the less likely. Deterministic.
    """
    found = [_compare_all(hashes, within)] if len(hashes) <= MAX_EXHAUSTIVE else _compare_neighbors(hashes, within)
    return np.unique(np.concatenate(found), axis=0)


def _compare_all(hashes: Hashes, within: int) -> Pairs:
    rows = [np.empty((0, 2), np.int64)]
    for row in range(len(hashes) - 1):
        others = row + 1 + np.flatnonzero(count_differences(hashes[row + 1 :], hashes[row]) <= within)
        rows.append(np.stack([np.full(len(others), row), others], axis=1))
    return np.concatenate(rows)


def _compare_neighbors(hashes: Hashes, within: int) -> list[Pairs]:
    chance = np.random.default_rng(0)
    found = [np.empty((0, 2), np.int64)]
    for _ in range(ROUNDS):
        keys = _pick_bits(hashes, chance.choice(64 * WORDS, BITS_PICKED, replace=False))
        order = np.argsort(keys)
        keys = keys[order]
        for step in range(1, NEIGHBORS + 1):
            agree = np.flatnonzero(keys[step:] == keys[:-step])
            if not len(agree):
                break
            pairs = np.sort(np.stack([order[agree], order[agree + step]], axis=1), axis=1)
            close = count_differences(hashes[pairs[:, 0]], hashes[pairs[:, 1]]) <= within
            found.append(pairs[close])
    return found


def _pick_bits(hashes: Hashes, bits: NDArray[np.int64]) -> NDArray[np.uint32]:
    keys = np.zeros(len(hashes), np.uint32)
    for bit in bits.tolist():
        keys = keys << np.uint32(1) | (hashes[:, bit // 64] >> np.uint64(bit % 64)).astype(np.uint32) & np.uint32(1)
    return keys


def have_same_shape(ratios: NDArray[np.int64], pairs: Pairs) -> NDArray[np.bool_]:
    """Whether both images of each pair have the same aspect ratio, within `RATIO_SLACK`."""
    one, other = ratios[pairs[:, 0]], ratios[pairs[:, 1]]
    same: NDArray[np.bool_] = np.abs(one - other) <= RATIO_SLACK * np.maximum(one, other)
    return same


def have_same_content(one: Miniatures, other: Miniatures) -> NDArray[np.bool_]:
    """Whether corresponding rows, miniatures from phash.py, show the same image.

    Changes of brightness and saturation are ignored.
    """
    same_brightness = _have_same_brightness(*(rows[:, :_BRIGHTNESS_BYTES].astype(np.float32) for rows in (one, other)))
    colors = [rows[:, _BRIGHTNESS_BYTES:].view(np.int8).astype(np.float32) for rows in (one, other)]
    pale = np.minimum(*(np.sqrt((rows * rows).mean(axis=1)) for rows in colors)) < MAX_GRAY_SATURATION
    alike: NDArray[np.bool_] = same_brightness & (pale | (_compute_cosines(*colors) >= MIN_COLOR_CORRELATION))
    return alike


def _have_same_brightness(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether the brightness correlates, also when one image was brightened until light areas became white."""
    pairs = ((one, other), (np.minimum(one, NEARLY_WHITE), other), (one, np.minimum(other, NEARLY_WHITE)))
    level = [[rows - rows.mean(axis=1, keepdims=True) for rows in pair] for pair in pairs]
    same: NDArray[np.bool_] = np.max([_compute_cosines(a, b) for a, b in level], axis=0) >= MIN_BRIGHTNESS_CORRELATION
    return same


def unpack_miniatures(content: bytes) -> Miniatures:
    """Concatenated miniatures as an array of shape (count, `LOOK_BYTES`)."""
    return np.frombuffer(content, np.uint8).reshape(-1, MINIATURE_BYTES)


def _compute_cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.sqrt((one * one).sum(axis=1) * (other * other).sum(axis=1))
    cosines: NDArray[np.float32] = (one * other).sum(axis=1) / np.maximum(lengths, 1e-6)
    return cosines
