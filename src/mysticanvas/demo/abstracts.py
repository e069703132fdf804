"""Painters of abstract scenes."""

import numpy as np

from mysticanvas.demo.brushes import (
    Floats,
    Palette,
    Random,
    blend,
    disc,
    distance,
    grid,
    mix,
    noise,
    ramp,
    shine,
    smooth_step,
    spot,
    window,
)
from mysticanvas.demo.spaces import warp_noise


def silk(random: Random, canvas: Floats, colors: Palette) -> None:
    folds = warp_noise(random, canvas, 1.0, 0.6)
    x, y = grid(canvas)
    slant = float(random.uniform(-1, 1))
    wave = folds * 8 + (x * slant + y) * 2.2
    cloth = 0.5 + 0.5 * np.sin(wave * np.pi)
    canvas[:] = ramp(np.clip(cloth * 0.8 + folds * 0.2, 0, 1), colors.everything)
    down, right = np.gradient(cloth)
    sheen = np.clip((right * 0.8 - down * 0.6) * canvas.shape[0] * 0.02, -0.5, 1)
    canvas *= (1 + 0.35 * np.clip(sheen, -1, 0))[..., None]
    shine(canvas, colors.light, 0.55 * np.clip(sheen, 0, 1) ** 1.5)


def _build_cells(random: Random, canvas: Floats, across: int) -> tuple[Floats, Floats, Floats]:
    """Voronoi cells. For each pixel: the random value of its cell, and the distances to its seed and border."""
    height, width = canvas.shape[:2]
    pitch = width / across
    down = int(height / pitch) + 3
    seeds_y = (np.arange(down)[:, None] - 1 + random.random((down, across + 2))) * pitch
    seeds_x = (np.arange(across + 2)[None, :] - 1 + random.random((down, across + 2))) * pitch
    values = random.random((down, across + 2)).astype(np.float32)
    row = (np.arange(height) / pitch).astype(int)[:, None] + 1
    column = (np.arange(width) / pitch).astype(int)[None, :] + 1
    nearest = np.full((height, width), 1e9, np.float32)
    second = nearest.copy()
    owner = np.zeros((height, width), np.float32)
    ys, xs = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            r, c = np.clip(row + dy, 0, down - 1), np.clip(column + dx, 0, across + 1)
            away = np.sqrt((seeds_x[r, c] - xs) ** 2 + (seeds_y[r, c] - ys) ** 2).astype(np.float32)
            closer = away < nearest
            second = np.where(closer, nearest, np.minimum(second, away))
            owner = np.where(closer, values[r, c], owner)
            nearest = np.where(closer, away, nearest)
    return owner, nearest / np.float32(pitch), (second - nearest) / np.float32(pitch)


def stained_glass(random: Random, canvas: Floats, colors: Palette) -> None:
    own, seed, border = _build_cells(random, canvas, int(random.integers(9, 15)))
    x0, y0 = float(random.uniform(0.3, 0.7)), float(random.uniform(0.3, 0.7))
    halo = np.exp(-distance(canvas, x0, y0) * 2.1)
    tone = np.clip(halo * 0.85 + (own - 0.5) * 0.55, 0, 1)
    canvas[:] = ramp(tone, colors.everything)
    canvas *= (1.1 - 0.3 * seed)[..., None]
    shine(canvas, colors.light, 0.25 * halo + 0.1 * noise(random, canvas, 12, 3))
    blend(canvas, colors.near * 0.35, smooth_step(0.09, 0.05, border))


def low_poly(random: Random, canvas: Floats, colors: Palette) -> None:
    """Triangular facets of one color each."""
    height, width = canvas.shape[:2]
    pitch = float(random.uniform(0.06, 0.09)) * height
    x, y = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
    bend = (noise(random, canvas, 2, 1) - 0.5) * pitch * 5
    u, v = (x + bend) / pitch, (y + 0.5 * bend) / (pitch * 0.87)
    row = np.floor(v).astype(int)
    skew = u - v * 0.5
    column = np.floor(skew).astype(int)
    upper = (skew - column) + (v - row) > 1
    rows, columns, halves = row - row.min(), column - column.min(), upper.astype(int)
    values = random.random((rows.max() + 1, columns.max() + 1, 2)).astype(np.float32)
    tone = (y / height) * 0.62 + 0.1 + 0.24 * (noise(random, canvas, 1.6, 2) - 0.5)
    mean_tone = np.round(tone * 24) / 24
    canvas[:] = ramp(np.clip(mean_tone + (values[rows, columns, halves] - 0.5) * 0.3, 0, 1), colors.everything[::-1])
    x0, y0 = float(random.uniform(0.25, 0.75)), float(random.uniform(0.15, 0.4))
    shine(canvas, colors.light, 0.5 * np.exp(-distance(canvas, x0, y0) * 3))


def bokeh(random: Random, canvas: Floats, colors: Palette) -> None:
    _, y = grid(canvas)
    canvas[:] = ramp(np.clip(y + 0.5 * (noise(random, canvas, 1.5, 3) - 0.5), 0, 1), mix(colors.sky, colors.near, 0.5))
    lights = np.stack([colors.light, colors.horizon, colors.middle, mix(colors.horizon, colors.light, 0.5)])
    for _ in range(90):
        nearness = float(random.random())
        x0, y0 = float(random.random()), float(np.clip(random.normal(0.55, 0.22), 0, 1))
        radius = 0.012 + 0.075 * nearness**2
        part, share = window(canvas, x0, y0, radius)
        edge = np.clip((1 - share) * radius * canvas.shape[0] * 0.7, 0, 1)
        rim = 0.6 + 0.5 * np.clip(share, 0, 1) ** 6
        shine(part, lights[random.integers(0, 4)], (0.5 - 0.32 * nearness) * edge * rim)
    for _ in range(14):
        spot(canvas, float(random.random()), float(random.uniform(0.3, 0.8)), 0.05, colors.light, 0.7)


def mandala(random: Random, canvas: Floats, colors: Palette) -> None:
    height, width = canvas.shape[:2]
    x, y = grid(canvas)
    u, v = (x - 0.5) * width / height, y - 0.5
    radius = np.sqrt(u * u + v * v) / min(1.0, width / height) * 1.25
    petals = int(random.choice([6, 8, 10, 12]))
    angle = np.arctan2(v, u)
    fold = np.abs(((angle / (2 * np.pi) * petals) % 1) - 0.5) * 2
    tone = np.zeros((height, width), np.float32)
    for ring in range(1, 7):
        reach = ring * 0.11 + 0.02 * float(random.random())
        swing = float(random.uniform(0.03, 0.09))
        shift = fold if ring % 2 else 1 - fold
        edge = reach + swing * np.cos(shift * np.pi * float(random.choice([1, 1, 2])))
        tone += smooth_step(0.0, 0.006, edge - radius)
        tone += 0.55 * np.exp(-(((radius - edge + 0.018) / 0.004) ** 2))
    beads = 0.5 + 0.5 * np.cos(angle * petals * 4) * np.cos(radius * 95)
    tone = tone / 6.5 + 0.07 * beads * smooth_step(0.8, 0.2, radius)
    canvas[:] = ramp(np.clip(tone, 0, 1), colors.everything)
    shine(canvas, colors.light, 0.5 * np.exp(-radius * 6) + 0.12 * noise(random, canvas, 3, 5))


def bauhaus(random: Random, canvas: Floats, colors: Palette) -> None:
    """Circles, arcs and bars on textured paper."""
    height, width = canvas.shape[:2]
    paper = mix(colors.light, np.ones(3, np.float32), 0.15)
    canvas[:] = paper
    inks = np.stack([colors.deep, colors.middle, colors.horizon, colors.far, colors.near])
    tile = int(min(width, height) / random.integers(4, 6))
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            part = canvas[top : top + tile, left : left + tile]
            ground, ink = random.choice(5, 2, replace=False)
            part[:] = inks[ground] if random.random() < 0.6 else paper
            _paint_motif(random, part, inks[ink], tile)
    fibre = noise(random, canvas, 90, 2) * 0.5 + noise(random, canvas, 6, 3) * 0.5
    canvas += ((fibre - 0.5) * 0.09)[..., None]


def _paint_motif(random: Random, part: Floats, ink: Floats, tile: int) -> None:
    y, x = np.mgrid[0 : part.shape[0], 0 : part.shape[1]].astype(np.float32) / tile
    corner = random.integers(0, 2, 2)
    away = np.hypot(x - corner[0], y - corner[1])
    middle = np.hypot(x - 0.5, y - 0.5)
    kind = int(random.integers(0, 6))
    inside = (
        1 - away,
        np.minimum(1 - away, away - 0.5),
        0.42 - middle,
        np.minimum(0.45 - middle, middle - 0.24),
        (x - y) * (1 if corner[0] else -1),
        0.12 - np.abs((x if corner[1] else y) * 2 % 0.5 - 0.25),
    )[kind]
    blend(part, ink, np.asarray(np.clip(inside * tile + 0.5, 0, 1), np.float32))


def blossoms(random: Random, canvas: Floats, colors: Palette) -> None:
    """Blossoming branches in front of a soft sky."""
    _, y = grid(canvas)
    canvas[:] = ramp(np.clip(y * 0.8 + 0.4 * (noise(random, canvas, 1.6, 4) - 0.5) + 0.1, 0, 1), colors.sky)
    height, width = canvas.shape[:2]
    sun = 0.17 * min(1.0, width / height)
    disc(canvas, float(random.uniform(0.3, 0.7)), float(random.uniform(0.3, 0.6)), sun, colors.light, 0.65)
    for index in range(5):
        x0, y0 = (-0.02 if index % 2 else 1.02), float(random.uniform(0.02, 0.95))
        heading = (0.0 if x0 < 0 else np.pi) + float(random.uniform(-0.6, 0.6))
        bend, length = float(random.normal(0, 0.012)), int(random.integers(70, 130))
        for knot in range(length):
            x0 += np.cos(heading) * 0.006 * height / width
            y0 += np.sin(heading) * 0.006
            heading += bend + float(random.normal(0, 0.08))
            disc(canvas, x0, y0, 0.011 * (1 - knot / length) + 0.003, colors.near)
            if random.random() < 0.3:
                _paint_blossom(random, canvas, colors, x0 + random.normal(0, 0.03), y0 + random.normal(0, 0.022))


def _paint_blossom(random: Random, canvas: Floats, colors: Palette, x0: float, y0: float) -> None:
    size, turn = float(random.uniform(0.008, 0.02)), float(random.uniform(0, 2))
    petal = mix(colors.horizon, colors.light, float(random.uniform(0.2, 0.9)))
    aspect = canvas.shape[1] / canvas.shape[0]
    for index in range(5):
        angle = turn + index * 2 * np.pi / 5
        disc(canvas, x0 + np.cos(angle) * size / aspect, y0 + np.sin(angle) * size, size * 0.8, petal, 0.85)
    disc(canvas, x0, y0, size * 0.4, mix(colors.middle, colors.far, 0.4))
