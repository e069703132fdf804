"""Painting functions for the demo images: noise, gradients, light.

A canvas is float32 of shape (height, width, 3), RGB from 0 to 1. A mask or field has the shape (height, width).
Coordinates x and y run from 0 to 1; lengths are fractions of the image's height unless their name ends in `_px`.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Random = np.random.Generator


class Palette(NamedTuple):
    """Six colors, from the top of the sky to the foreground. `name` is used in prompts."""

    name: str
    deep: Floats
    middle: Floats
    horizon: Floats
    light: Floats
    far: Floats
    near: Floats

    @property
    def sky(self) -> Floats:
        return np.stack([self.deep, self.middle, self.horizon])

    @property
    def everything(self) -> Floats:
        return np.stack([self.near, self.deep, self.middle, self.far, self.horizon, self.light])


def parse_colors(text: str) -> Floats:
    """Parse colors such as "0b1026 27406b" into an array of shape (count, 3)."""
    return np.array([list(bytes.fromhex(word)) for word in text.split()], np.float32) / 255


def parse_palette(name: str, text: str) -> Palette:
    return Palette(name, *parse_colors(text))


def grid(canvas_or_field: Floats) -> tuple[Floats, Floats]:
    """x as one row and y as one column, which broadcast to every pixel."""
    height, width = canvas_or_field.shape[:2]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    return x, y


def distance(canvas: Floats, x0: float, y0: float) -> Floats:
    """The distance of every pixel from a point, in image heights."""
    x, y = grid(canvas)
    aspect = canvas.shape[1] / canvas.shape[0]
    return np.asarray(np.hypot((x - x0) * aspect, y - y0), np.float32)


def smooth_step(start: float, end: float, values: Floats) -> Floats:
    """Smooth step from 0 at `start` to 1 at `end`, which may be smaller than `start`."""
    t = np.clip((values - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def ramp(t: Floats, stops: Floats) -> Floats:
    """Colors at `t` (0 to 1) of a gradient with evenly spaced stops."""
    places = np.linspace(0, 1, len(stops))
    fine = np.linspace(0, 1, 1024)
    table = np.stack([np.interp(fine, places, stops[:, channel]) for channel in range(3)], axis=1)
    return table.astype(np.float32)[np.clip(t * 1023, 0, 1023).astype(np.int16)]


def mix(a: Floats, b: Floats, amount: float) -> Floats:
    return np.asarray(a + (b - a) * np.float32(amount), np.float32)


@lru_cache(maxsize=256)
def _build_interpolation(cells: int, size: int) -> Floats:
    """Matrix of shape (size, cells + 3) that interpolates values smoothly (uniform cubic B-spline)."""
    at = np.linspace(0, cells, size, endpoint=False)
    whole = np.floor(at).astype(int)
    t = at - whole
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1)
    matrix = np.zeros((size, cells + 3), np.float32)
    for tap in range(4):
        matrix[np.arange(size), whole + tap] = weights[:, tap] / 6
    return matrix


def noise(
    random: Random,
    canvas: Floats,
    cells: float,
    octaves: int = 5,
    *,
    stretch: float = 1.0,
    gain: float = 0.5,
) -> Floats:
    """Cloud noise from about 0 to 1, with `cells` features over the height, each `stretch` times as wide as high."""
    height, width = canvas.shape[:2]
    total = np.zeros((height, width), np.float32)
    weight, sum_of_squares = 1.0, 0.0
    for octave in range(octaves):
        rows = max(1, round(cells * 2**octave))
        columns = max(1, round(cells * 2**octave * width / height / stretch))
        if rows > height or columns > width:
            break
        values = random.standard_normal((rows + 3, columns + 3), np.float32)
        total += weight * (_build_interpolation(rows, height) @ values @ _build_interpolation(columns, width).T)
        sum_of_squares += weight**2
        weight *= gain
    # Interpolation reduces the variance; with 0.42, nearly all values are between 0 and 1.
    return np.asarray(0.5 + total * np.float32(0.42 / np.sqrt(sum_of_squares)), np.float32)


def line(random: Random, width: int, cells: float, octaves: int = 6, gain: float = 0.5) -> Floats:
    """A smooth random curve from about 0 to 1, one value per column."""
    total = np.zeros(width, np.float32)
    weight = 1.0
    for octave in range(octaves):
        count = max(1, round(cells * 2**octave))
        if count > width:
            break
        total += weight * (_build_interpolation(count, width) @ random.standard_normal(count + 3, np.float32))
        weight *= gain
    return np.asarray(0.5 + 0.3 * total, np.float32)


def blend(canvas: Floats, color: Floats, mask: Floats) -> None:
    """Blend `color` (one, or one per pixel) onto the canvas by `mask`."""
    canvas += (color - canvas) * mask[..., None]


def shine(canvas: Floats, color: Floats, strength: Floats) -> None:
    """Add light in screen mode, which never exceeds white."""
    light = np.clip(strength, 0, 1)[..., None] * color
    canvas += light * (1 - np.clip(canvas, 0, 1))


def fill_below(canvas: Floats, edge: Floats, color: Floats, haze: Floats, haze_depth: float) -> None:
    """Fill below `edge` (y of each column), fading from `color` to `haze` over `haze_depth`."""
    height = canvas.shape[0]
    top = max(0, min(height - 1, int(edge.min() * height) - 2))
    part = canvas[top:]
    y = np.linspace(0, 1, height, dtype=np.float32)[top:, None]
    depth = y - edge[None, :]
    tone = np.clip(depth / haze_depth, 0, 1)[..., None]
    part += (color + (haze - color) * tone - part) * np.clip(depth * height + 0.5, 0, 1)[..., None]


def stars(random: Random, canvas: Floats, count: int, *, below: float = 1.0, tint: Floats | None = None) -> None:
    """Paint `count` stars above y = `below`; the brightest have a halo."""
    height, width = canvas.shape[:2]
    rows = (random.random(count) * below * (height - 1)).astype(int)
    columns = random.integers(0, width, count)
    glow = random.pareto(2.2, count) * 0.16 + 0.1
    color = mix(np.ones(3, np.float32), tint, 0.35) if tint is not None else np.ones(3, np.float32)
    canvas[rows, columns] += np.clip(glow, 0, 0.9)[:, None].astype(np.float32) * color
    for index in np.flatnonzero(glow > 0.6)[:40]:
        spot(canvas, columns[index] / width, rows[index] / height, 0.006 + 0.004 * min(glow[index], 2), color, 0.8)


def window(canvas: Floats, x0: float, y0: float, radius: float) -> tuple[Floats, Floats]:
    """The square part of the canvas within `radius` of a point, and each pixel's distance divided by `radius`."""
    height, width = canvas.shape[:2]
    reach = radius * height
    top, bottom = max(0, int(y0 * height - reach)), max(0, min(height, int(y0 * height + reach) + 2))
    left, right = max(0, int(x0 * width - reach)), max(0, min(width, int(x0 * width + reach) + 2))
    dy = (np.arange(top, bottom, dtype=np.float32) - y0 * height)[:, None]
    dx = (np.arange(left, right, dtype=np.float32) - x0 * width)[None, :]
    return canvas[top:bottom, left:right], np.asarray(np.sqrt(dx * dx + dy * dy) / reach, np.float32)


def spot(canvas: Floats, x0: float, y0: float, radius: float, color: Floats, strength: float) -> None:
    """Paint a soft light that ends at `radius`."""
    part, away = window(canvas, x0, y0, radius)
    if part.size:
        shine(part, color, strength * np.clip(1 - away, 0, 1) ** 2)


def disc(canvas: Floats, x0: float, y0: float, radius: float, color: Floats, strength: float = 1.0) -> None:
    """Paint a disc with an antialiased edge."""
    edge_px = radius * canvas.shape[0]
    part, away = window(canvas, x0, y0, radius + 2 / canvas.shape[0])
    if part.size:
        away = away * (edge_px + 2) / edge_px
        blend(part, color, strength * np.clip((1 - away) * edge_px + 0.5, 0, 1))


def reflect(random: Random, canvas: Floats, shore: float, water: Floats, *, calm: float = 0.5) -> None:
    """Turn everything below y = `shore` into rippled water that reflects the part above."""
    height, width = canvas.shape[:2]
    row = int(shore * height)
    depth = np.arange(height - row)
    ripples = noise(random, canvas[row:], 26, 3, stretch=7) - 0.5
    reach = (2 + depth / max(1, height - row) * 26) * (1.3 - calm)
    source = row - 1 - np.abs(depth[:, None] + ripples * reach[:, None])
    mirrored = canvas[np.clip(source, 0, row - 1).astype(int), np.arange(width)[None, :]]
    dimming = np.linspace(0.12, 0.55, height - row, dtype=np.float32)[:, None, None]
    canvas[row:] = mirrored + (water - mirrored) * dimming + ripples[..., None] * 0.06


def finish(random: Random, canvas: Floats, *, vignette: float = 0.35) -> NDArray[np.uint8]:
    """Darken the corners, add faint grain against banding, and convert to bytes."""
    x, y = grid(canvas)
    corner = ((x - 0.5) ** 2 + (y - 0.5) ** 2) * 2
    canvas = np.clip(canvas, 0, 1) * (1 - vignette * corner * corner)[..., None]
    canvas = canvas + (canvas * canvas * (3 - 2 * canvas) - canvas) * np.float32(0.35)
    grain = random.standard_normal(canvas.shape[:2], np.float32) * np.float32(0.006)
    return np.asarray(np.clip(canvas + grain[..., None], 0, 1) * 255 + 0.5, np.uint8)
