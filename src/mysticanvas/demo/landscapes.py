"""Painters of landscapes."""

import numpy as np

from mysticanvas.demo.brushes import (
    Floats,
    Palette,
    Random,
    blend,
    disc,
    distance,
    fill_below,
    grid,
    line,
    mix,
    noise,
    ramp,
    reflect,
    shine,
    smooth_step,
    spot,
    stars,
    window,
)


def _paint_sky(random: Random, canvas: Floats, colors: Palette, horizon: float, clouds: float = 0.3) -> None:
    _, y = grid(canvas)
    field = noise(random, canvas, 2.2, 6, stretch=2.6)
    canvas[:] = ramp(np.clip(y / horizon, 0, 1) + (field - 0.5) * 0.1, colors.sky)
    wisps = smooth_step(0.55, 0.95, field) * np.clip(1.15 - y / horizon, 0, 1)
    blend(canvas, mix(colors.horizon, colors.light, 0.5), clouds * wisps)


def _paint_sun(canvas: Floats, colors: Palette, x0: float, y0: float, radius: float) -> None:
    away = distance(canvas, x0, y0)
    shine(canvas, colors.light, 0.55 * np.exp(-((away / (radius * 4.5)) ** 1.3)))
    shine(canvas, mix(colors.horizon, colors.light, 0.6), 0.35 * np.exp(-away * 3))
    disc(canvas, x0, y0, radius, mix(colors.light, np.ones(3, np.float32), 0.4))


def _add_pines(random: Random, canvas: Floats, ground: Floats, tall: float, count: int) -> Floats:
    """The edge of the ground (y of each column) with `count` firs on it."""
    height, width = canvas.shape[:2]
    columns = np.arange(width, dtype=np.float32)
    edge = ground.copy()
    for at in random.random(count) * width:
        size = tall * float(random.uniform(0.45, 1))
        half_px = max(2.5, size * height * 0.17)
        left, right = max(0, int(at - half_px)), min(width, int(at + half_px) + 1)
        away = np.abs(columns[left:right] - at) / half_px
        branches = 0.13 * np.abs((away * 4.5) % 1 - 0.5)
        tip = ground[min(width - 1, int(at))] - size * np.clip(1 - away**0.75 - branches, 0, 1)
        edge[left:right] = np.minimum(edge[left:right], tip)
    return edge


def mountains(random: Random, canvas: Floats, colors: Palette) -> None:
    width = canvas.shape[1]
    horizon = float(random.uniform(0.5, 0.64))
    lake = random.random() < 0.45
    _paint_sky(random, canvas, colors, horizon)
    _paint_sun(canvas, colors, float(random.uniform(0.2, 0.8)), horizon * random.uniform(0.45, 0.8), 0.05)
    layers = 6
    for index in range(layers):
        nearness = index / (layers - 1)
        rolling = line(random, width, 2.2 + 1.5 * index, 7, 0.47)
        peaks = 1 - np.abs(2 * rolling - 1)
        spread = 0.34 - 0.2 * nearness if not lake else 0.3 * (1 - nearness)
        base = horizon + (0.05 + 0.42 * nearness**1.3 if not lake else 0.12 * nearness)
        edge: Floats = np.asarray(base - spread * (peaks - 0.35), np.float32)
        if index == layers - 1:
            edge = _add_pines(random, canvas, np.asarray(edge, np.float32), 0.09, 120)
        tone = mix(mix(colors.far, colors.horizon, 0.5 * (1 - nearness)), colors.near, nearness**1.1)
        haze = mix(tone, colors.horizon, 0.55 * (1 - nearness) + 0.08)
        fill_below(canvas, np.asarray(edge, np.float32), tone, haze, 0.2)
    if lake:
        reflect(random, canvas, horizon + 0.16, colors.deep, calm=0.8)


def dunes(random: Random, canvas: Floats, colors: Palette) -> None:
    height, width = canvas.shape[:2]
    horizon = float(random.uniform(0.34, 0.46))
    _paint_sky(random, canvas, colors, horizon * 1.1, 0.2)
    _paint_sun(canvas, colors, float(random.uniform(0.2, 0.8)), horizon * 0.55, float(random.uniform(0.035, 0.08)))
    lit, shaded = mix(colors.horizon, colors.middle, 0.25), mix(colors.far, colors.near, 0.6)
    x = np.linspace(0, 1, width, dtype=np.float32)
    _, y = grid(canvas)
    for index in range(6):
        nearness = index / 5
        bends = line(random, width, 1.2 + 0.4 * (5 - index), 2, 0.35)
        edge = horizon + 0.03 + 0.5 * nearness**1.4 - (0.1 + 0.12 * nearness) * (bends - 0.4)
        slope = np.gradient(edge) * width
        depth = np.clip(y - edge[None, :], 0, 1)
        crest = line(random, width, 1.5, 2, 0.3)[None, :] * 0.5 + slope[None, :] * 0.9
        ripple = np.sin((depth * 95 + x[None, :] * 22 + crest * 5) * (1.6 - nearness)) * 0.03 * (0.3 + nearness)
        light = np.clip(0.8 - crest * 1.1 + ripple - depth * 0.9, 0, 1)
        sand = shaded + (lit - shaded) * light[..., None]
        sand = sand + (colors.horizon - sand) * np.float32(0.5 * (1 - nearness) ** 1.5)
        blend(canvas, sand, np.clip((y - edge[None, :]) * height + 0.5, 0, 1))


def _paint_moon(random: Random, canvas: Floats, colors: Palette, x0: float, y0: float, radius: float) -> None:
    away = distance(canvas, x0, y0)
    shine(canvas, mix(colors.light, colors.horizon, 0.4), 0.7 * np.exp(-((away / (radius * 3)) ** 1.1)))
    disc(canvas, x0, y0, radius, colors.light)
    part, share = window(canvas, x0, y0, radius)
    seas = smooth_step(0.5, 0.75, noise(random, part, 3.5, 4)) * np.clip((1 - share) * 12, 0, 1)
    blend(part, mix(colors.light, colors.middle, 0.4), 0.5 * seas)


def moonlit_sea(random: Random, canvas: Floats, colors: Palette) -> None:
    height, width = canvas.shape[:2]
    horizon = float(random.uniform(0.56, 0.66))
    _paint_sky(random, canvas, colors, horizon, 0.25)
    stars(random, canvas, width * height // 900, below=horizon * 0.85)
    x0, radius = float(random.uniform(0.3, 0.7)), float(random.uniform(0.07, 0.15))
    _paint_moon(random, canvas, colors, x0, horizon - radius * random.uniform(1.4, 3.0), radius)
    banks = smooth_step(0.52, 0.85, noise(random, canvas, 3, 6, stretch=5))
    _, y = grid(canvas)
    blend(canvas, mix(colors.middle, colors.horizon, 0.5), 0.5 * banks * smooth_step(0.0, horizon, y))
    islands = horizon + 0.01 - 0.1 * np.clip(line(random, width, 3, 6) - 0.55, 0, 1)
    fill_below(canvas, np.asarray(islands, np.float32), mix(colors.far, colors.near, 0.5), colors.far, 0.1)
    reflect(random, canvas, horizon, colors.deep, calm=0.2)
    sea = canvas[int(horizon * height) :]
    x, depth = grid(sea)
    glints = smooth_step(0.55, 0.8, noise(random, sea, 30, 2, stretch=9))
    path = np.exp(-(((x - x0) / (0.05 + 0.16 * depth)) ** 2))
    shine(sea, colors.light, 0.9 * glints * path)


def aurora(random: Random, canvas: Floats, colors: Palette) -> None:
    height, width = canvas.shape[:2]
    horizon = float(random.uniform(0.68, 0.8))
    canvas[:] = ramp(np.broadcast_to(grid(canvas)[1], (height, width)), mix(colors.sky, colors.near, 0.45))
    stars(random, canvas, width * height // 500, below=horizon)
    _, y = grid(canvas)
    for index in range(4):
        foot = horizon - 0.12 - 0.1 * index - 0.22 * (line(random, width, 1.6, 4, 0.5) - 0.5)
        rise = np.clip(foot[None, :] - y, -1, 1)
        rays = 0.35 + 0.65 * np.clip(line(random, width, 22, 4, 0.75), 0, 1.2)[None, :]
        tall = 0.16 + 0.26 * np.clip(line(random, width, 4, 3), 0, 1)[None, :]
        curtain = np.where(rise > 0, np.exp(-rise / tall), np.exp(rise * 45)) * rays
        hue = np.clip(rise * 2.2, 0, 1)[..., None]
        light = colors.horizon + (mix(colors.middle, colors.light, 0.25) - colors.horizon) * hue
        shine(canvas, light, 0.62 * curtain * (1 - 0.12 * index))
    hills = horizon + 0.03 - 0.16 * (line(random, width, 2.5, 5) - 0.3)
    fill_below(canvas, np.asarray(hills, np.float32), mix(colors.near, colors.far, 0.35), colors.near, 0.3)
    ground = np.asarray(horizon + 0.12 + 0.05 * line(random, width, 2, 3), np.float32)
    if random.random() < 0.5:
        reflect(random, canvas, horizon + 0.05, colors.near, calm=0.9)
        ground += 0.1
    fill_below(canvas, _add_pines(random, canvas, ground, 0.24, 46), colors.near * 0.6, colors.near * 0.4, 0.3)


def misty_forest(random: Random, canvas: Floats, colors: Palette) -> None:
    width = canvas.shape[1]
    _paint_sky(random, canvas, colors, 0.85, 0.2)
    _paint_sun(canvas, colors, float(random.uniform(0.25, 0.75)), float(random.uniform(0.2, 0.4)), 0.045)
    layers = 7
    for index in range(layers):
        nearness = index / (layers - 1)
        ground = 0.5 + 0.5 * nearness**1.1 + 0.12 * (line(random, width, 2, 4) - 0.5)
        tall = 0.07 + 0.33 * nearness**1.4
        edge = _add_pines(random, canvas, np.asarray(ground, np.float32), tall, int(60 - 50 * nearness))
        tone = mix(mix(colors.horizon, colors.far, 0.45 + 0.3 * nearness), colors.near, nearness**1.5)
        fill_below(canvas, edge, tone, mix(tone, colors.horizon, 0.75 - 0.4 * nearness), 0.1 + 0.3 * nearness)
    fog = noise(random, canvas, 2, 4, stretch=5)
    _, y = grid(canvas)
    blend(
        canvas, colors.horizon, 0.5 * smooth_step(0.5, 0.95, fog) * smooth_step(0.3, 0.6, y) * smooth_step(1.05, 0.7, y)
    )


def skyline(random: Random, canvas: Floats, colors: Palette) -> None:
    height, width = canvas.shape[:2]
    shore = float(random.uniform(0.7, 0.8))
    _paint_sky(random, canvas, colors, shore, 0.35)
    _paint_sun(canvas, colors, float(random.uniform(0.2, 0.8)), shore - 0.22, float(random.uniform(0.06, 0.13)))
    for nearness in (0.0, 0.5, 1.0):
        tone = mix(mix(colors.far, colors.horizon, 0.45), colors.near, 0.25 + 0.75 * nearness)
        column = 0
        while column < width:
            broad = int(height * random.uniform(0.03, 0.085))
            tall = 0.12 + float(random.random() ** 2) * (0.42 - 0.14 * nearness)
            top = int((shore - tall) * height)
            tower = canvas[top : int(shore * height), column : column + broad]
            tower[:] = tone + (colors.horizon - tone) * np.linspace(0, 0.3, len(tower), dtype=np.float32)[:, None, None]
            if random.random() < 0.25:
                canvas[top - int(0.05 * height) : top, column + broad // 2 : column + broad // 2 + 2] = tone
            windows = tower[4:-2:5, 2:-2:4]
            lit = random.random(windows.shape[:2]) < 0.34 * nearness + 0.06
            for row_offset, column_offset in ((0, 0), (1, 0), (0, 1), (1, 1)):
                spots = tower[4 + row_offset : -2 : 5, 2 + column_offset : -2 : 4]
                rows, columns = min(len(spots), len(lit)), min(spots.shape[1], lit.shape[1])
                shine(spots[:rows, :columns], colors.light, 0.75 * lit[:rows, :columns].astype(np.float32))
            column += broad + int(random.integers(0, 4))
    reflect(random, canvas, shore, colors.deep, calm=0.3)


def _paint_lightning(random: Random, canvas: Floats, colors: Palette, x0: float, down_to: float) -> None:
    height, width = canvas.shape[:2]
    rows = int(down_to * height)
    path = x0 * width + (line(random, rows, 4, 7, 0.62) - 0.5) * 0.5 * width * np.linspace(0.2, 1, rows)
    columns = np.arange(width, dtype=np.float32)[None, :]
    away = np.abs(columns - path[:, None].astype(np.float32))
    shine(canvas[:rows], colors.light, 0.95 * np.exp(-((away / 1.3) ** 2)) + 0.4 * np.exp(-away / 12))
    shine(canvas, colors.horizon, 0.45 * np.exp(-distance(canvas, float(path[-1] / width), down_to) * 3.2))


def storm_over_the_sea(random: Random, canvas: Floats, colors: Palette) -> None:
    height, width = canvas.shape[:2]
    horizon = float(random.uniform(0.66, 0.74))
    field = noise(random, canvas, 2, 7, stretch=1.7, gain=0.58)
    _, y = grid(canvas)
    canvas[:] = ramp(np.clip(y / horizon * 0.75 + (field - 0.5) * 0.75, 0, 1), mix(colors.sky, colors.near, 0.25))
    for _ in range(int(random.integers(1, 3))):
        _paint_lightning(random, canvas, colors, float(random.uniform(0.2, 0.8)), horizon)
    reflect(random, canvas, horizon, colors.near, calm=0.0)
    sea = canvas[int(horizon * height) :]
    crests = smooth_step(0.62, 0.85, noise(random, sea, 16, 4, stretch=4))
    blend(sea, mix(colors.horizon, colors.light, 0.3), 0.35 * crests * grid(sea)[1])
    left = random.random() < 0.5
    x0 = float(random.uniform(0.12, 0.24) if left else random.uniform(0.76, 0.88))
    across = np.linspace(0, 1, width, dtype=np.float32)
    cliff = horizon - 0.07 + 0.3 * np.abs((across - x0) / 0.26) ** 1.7 + 0.05 * (line(random, width, 6, 6) - 0.5)
    fill_below(canvas, np.asarray(cliff, np.float32), colors.near * 0.7, colors.near, 0.3)
    _paint_lighthouse(canvas, colors, x0, float(cliff[int(x0 * width)]), -1 if not left else 1)


def _paint_lighthouse(canvas: Floats, colors: Palette, x0: float, foot: float, side: int) -> None:
    height, width = canvas.shape[:2]
    top, aspect = foot - 0.24, width / height
    x, y = grid(canvas)
    half = (0.017 + 0.014 * np.clip((y - top) / 0.24, 0, 1)) / aspect
    tower = (np.abs(x - x0) < half) & (y > top) & (y < foot + 0.02)
    stripes = np.where(((y - top) / 0.048).astype(int) % 2 == 0, 0.75, 0.12)[..., None]
    blend(canvas, mix(colors.near, colors.light, 0.2) * 0.5 + stripes * colors.far * 0.8, tower.astype(np.float32))
    angle = np.arctan2((y - top + 0.012), (x - x0) * aspect * side)
    reach = np.exp(-distance(canvas, x0, top) * 1.5)
    shine(canvas, colors.light, 0.75 * np.exp(-(((angle + 0.12) / 0.09) ** 2)) * reach)
    spot(canvas, x0, top - 0.012, 0.12, colors.light, 0.9)
    disc(canvas, x0, top - 0.012, 0.016, colors.light)
