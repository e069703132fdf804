"""Painters of deep space."""

import numpy as np

from mysticanvas.demo.brushes import (
    Floats,
    Palette,
    Random,
    blend,
    distance,
    grid,
    mix,
    noise,
    ramp,
    shine,
    smooth_step,
    spot,
    stars,
    window,
)


def warp_noise(random: Random, canvas: Floats, cells: float, pull: float) -> Floats:
    """Noise distorted by other noise, which gives filaments as in smoke, marble and nebulae."""
    height, width = canvas.shape[:2]
    field = noise(random, canvas, cells, 6, gain=0.55)
    sideways = (noise(random, canvas, cells * 0.8, 4) - 0.5) * pull * height
    upwards = (noise(random, canvas, cells * 0.8, 4) - 0.5) * pull * height
    rows = np.clip(np.arange(height)[:, None] + upwards, 0, height - 1).astype(np.int32)
    columns = np.clip(np.arange(width)[None, :] + sideways, 0, width - 1).astype(np.int32)
    return np.asarray(field[rows, columns], np.float32)


def nebula(random: Random, canvas: Floats, colors: Palette) -> None:
    height, width = canvas.shape[:2]
    gas, dust = warp_noise(random, canvas, 1.6, 0.5), warp_noise(random, canvas, 2.6, 0.4)
    low, high = np.percentile(gas[::4, ::4], (4, 99))
    gas = (gas - low) / (high - low)
    core = np.exp(-distance(canvas, float(random.uniform(0.3, 0.7)), float(random.uniform(0.3, 0.7))) * 1.6)
    glow = np.clip(gas, 0, 1) ** 1.4 * (0.5 + 0.7 * core)
    stops = np.stack([colors.near * 0.5, colors.deep, colors.middle, colors.horizon, colors.light])
    canvas[:] = ramp(glow, stops)
    other = mix(colors.far, colors.horizon[::-1].copy(), 0.55)
    shine(canvas, other, 0.55 * smooth_step(0.45, 0.95, dust) * (0.3 + core))
    blend(canvas, colors.near * 0.4, 0.75 * smooth_step(0.5, 0.25, dust) * smooth_step(0.9, 0.4, glow))
    stars(random, canvas, width * height // 260, tint=colors.light)
    for _ in range(7):
        x0, y0, size = random.random(), random.random(), float(random.uniform(0.02, 0.06))
        spot(canvas, x0, y0, size, colors.light, 0.9)


def spiral_galaxy(random: Random, canvas: Floats, colors: Palette) -> None:
    height, width = canvas.shape[:2]
    x, y = grid(canvas)
    tilt, turn = float(random.uniform(0.5, 0.8)), float(random.uniform(0, np.pi))
    u, v = (x - 0.5) * width / height, y - 0.5
    u, v = u * np.cos(turn) + v * np.sin(turn), (v * np.cos(turn) - u * np.sin(turn)) / tilt
    radius = np.sqrt(u * u + v * v) + 1e-4
    angle = np.arctan2(v, u)
    clumps = warp_noise(random, canvas, 5, 0.12)
    arms = 0.5 + 0.5 * np.cos(2 * angle - 7.5 * np.log(radius + 0.035) + (clumps - 0.5) * 2.6)
    fade = np.exp(-((radius / 0.36) ** 2))
    bright = arms**2 * fade * (0.3 + 1.15 * clumps)
    stops = np.stack([colors.near * 0.35, colors.deep, colors.middle, colors.horizon, colors.light])
    canvas[:] = ramp(np.clip(bright, 0, 1), stops)
    shine(canvas, colors.light, 0.95 * np.exp(-((radius / 0.075) ** 1.2)) + 0.3 * np.exp(-radius * 5))
    shine(canvas, colors.horizon, 0.6 * smooth_step(0.62, 0.85, clumps) * arms * fade)
    stars(random, canvas, width * height // 330, tint=colors.light)


def ringed_planet(random: Random, canvas: Floats, colors: Palette) -> None:
    height, width = canvas.shape[:2]
    haze = noise(random, canvas, 1.5, 5)
    stops = np.stack([colors.near * 0.4, colors.deep * 0.8, colors.middle * 0.8])
    canvas[:] = ramp(np.clip((haze - 0.35) * 1.2, 0, 1), stops)
    stars(random, canvas, width * height // 420)
    size = float(random.uniform(0.2, 0.3)) * min(1.0, width / height * 1.25)
    x0, y0 = float(random.uniform(0.38, 0.62)), float(random.uniform(0.42, 0.58))
    x, y = grid(canvas)
    aspect, tilt = width / height, float(random.uniform(-0.5, 0.5))
    along = (x - x0) * aspect * np.cos(tilt) + (y - y0) * np.sin(tilt)
    across = (y - y0) * np.cos(tilt) - (x - x0) * aspect * np.sin(tilt)
    ring = np.sqrt(along**2 + (across / 0.24) ** 2) / size
    bands = 0.55 + 0.45 * np.sin(ring * 40 + np.sin(ring * 17) * 2)
    ring_mask = smooth_step(1.25, 1.3, ring) * smooth_step(2.15, 2.05, ring) * bands
    behind = (np.abs(across) < size * 0.9) & (along > 0) & (np.abs(across / 0.6 + along * 0.1) < size)
    ring_color = mix(colors.horizon, colors.light, 0.5)
    blend(canvas, ring_color, 0.75 * ring_mask * (across < 0) * (1 - 0.8 * behind))
    _paint_planet(random, canvas, colors, (x0, y0), size, tilt)
    blend(canvas, ring_color, 0.85 * ring_mask * (across >= 0))
    spot(canvas, float(random.uniform(0.08, 0.92)), float(random.uniform(0.06, 0.2)), 0.09, colors.light, 1.0)


def _paint_planet(
    random: Random, canvas: Floats, colors: Palette, center: tuple[float, float], size: float, tilt: float
) -> None:
    part, share = window(canvas, *center, size * 1.25)
    share = share * 1.25
    x, y = grid(part)
    dx, dy = (x - 0.5) * 2.5 * part.shape[1] / part.shape[0], (y - 0.5) * 2.5
    depth = np.sqrt(np.clip(1 - share**2, 0, 1))
    swirl = noise(random, part, 3, 5, stretch=3)
    belts = np.sin((dy * np.cos(tilt) - dx * np.sin(tilt)) * 9 + (swirl - 0.5) * 5) * 0.5 + 0.5
    surface = ramp(np.clip(belts, 0, 1), np.stack([colors.middle, colors.far, colors.horizon, colors.light]))
    light = np.clip(depth * 0.55 - dx * 0.62 - dy * 0.42, 0.02, 1)
    blend(part, surface * light[..., None], np.clip((1 - share) * part.shape[0] * 0.4 + 0.5, 0, 1))
    air = np.where(share > 1, np.exp(-(share - 1) * 16), np.clip(share, 0, 1) ** 10)
    shine(part, colors.horizon, 0.5 * air * np.clip(0.5 - dx * 0.5 - dy * 0.35, 0, 1))
