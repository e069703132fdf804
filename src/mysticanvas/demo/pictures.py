"""Paints the demo images procedurally from a seed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mysticanvas.demo import abstracts, landscapes, spaces
from mysticanvas.demo.brushes import Floats, Palette, Random, finish, parse_palette

Painter = Callable[[Random, Floats, Palette], None]

_ALL = (
    parse_palette("pastel dawn", "3a4a7c c98ba0 ffd9b0 fff3d6 a98fa8 2c2a45"),
    parse_palette("ember", "2a1a3c b5433f ffb35c ffe9b8 8e4a4c 1d1020"),
    parse_palette("violet", "150d35 4b2a83 c46bb9 ffd6f2 6a4a98 120a28"),
    parse_palette("teal", "06283d 1f6f78 a6e3d0 f4fff2 4a8f91 06202b"),
    parse_palette("rose", "57336b e07a9b ffd3cf fff1e6 b57a98 3a1f43"),
    parse_palette("silver", "27364a 6f8ba6 d9e4ec ffffff 8ea2b5 1c2733"),
    parse_palette("midnight blue", "050816 0f2147 2d6a9c dfeaff 1f3d66 04070f"),
    parse_palette("emerald", "07231f 1c6b52 a9e8a5 fbffe0 4d8a6a 061a15"),
    parse_palette("amber", "4a2a12 c87b2d ffe0a0 fff6dc b07a45 2b170a"),
    parse_palette("coral and turquoise", "0f4c5c 2a9d8f ffc8a2 fff4e0 e76f51 0b2b33"),
)
_BY_NAME = {each.name: each for each in _ALL}


def _select_palettes(*names: str) -> tuple[Palette, ...]:
    return tuple(_BY_NAME[name] for name in names)


_NIGHT = _select_palettes("violet", "teal", "midnight blue", "emerald")


@dataclass(frozen=True, slots=True)
class Scene:
    """A motif and the palettes that suit it."""

    name: str
    painter: Painter
    palettes: tuple[Palette, ...] = _ALL


SCENES = (
    Scene("mountains", landscapes.mountains),
    Scene(
        "dunes",
        landscapes.dunes,
        _select_palettes("pastel dawn", "ember", "rose", "amber", "coral and turquoise", "violet"),
    ),
    Scene("moonlit sea", landscapes.moonlit_sea, (*_NIGHT, *_select_palettes("rose", "silver"))),
    Scene("aurora", landscapes.aurora, _NIGHT),
    Scene("misty forest", landscapes.misty_forest),
    Scene("skyline", landscapes.skyline),
    Scene("storm over the sea", landscapes.storm_over_the_sea, (*_NIGHT, *_select_palettes("silver", "ember"))),
    Scene("nebula", spaces.nebula),
    Scene("spiral galaxy", spaces.spiral_galaxy),
    Scene("ringed planet", spaces.ringed_planet),
    Scene("silk", abstracts.silk),
    Scene("stained glass", abstracts.stained_glass),
    Scene("low poly", abstracts.low_poly),
    Scene("bokeh", abstracts.bokeh),
    Scene("mandala", abstracts.mandala),
    Scene("bauhaus", abstracts.bauhaus),
    Scene(
        "blossoms",
        abstracts.blossoms,
        _select_palettes("pastel dawn", "rose", "silver", "coral and turquoise", "amber"),
    ),
)


def paint(scene: Scene, colors: Palette, seed: int, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """Paint an image: RGB bytes of shape (height, width, 3). Deterministic."""
    random = np.random.default_rng(seed)
    canvas = np.zeros((height_px, width_px, 3), np.float32)
    scene.painter(random, canvas, colors)
    return finish(random, canvas)
