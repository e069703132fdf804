"""The columns of an index, filled from the database: texts and sizes as codes, seeds as integers."""

import zlib
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mysticanvas.search import index_loader
from mysticanvas.search.columns import Codes, Columns, Mask, Positions
from mysticanvas.search.index_loader import Images

_UNKNOWN_SEED = 0
_AS_READ = ("id", "ratio_milli", "favorite", "rating", "flags", "model", "steps", "has", "added")


class ImageColumns(Columns):
    """`samplers`, `engines`, `folders` and `sizes` map the codes of their columns to values. A value of
    `folders` has the folder of each file of an image."""

    def __init__(self) -> None:
        super().__init__()
        self.samplers: Codes[str | None] = Codes()
        self.engines: Codes[str | None] = Codes()
        self.folders: Codes[tuple[tuple[int, str], ...]] = Codes()
        self.sizes: Codes[tuple[int, int]] = Codes()
        self._wide_seeds: dict[int, str] = {}

    def rows_of(self, images: Images, positions: Positions) -> dict[str, NDArray[Any]]:
        """The images as column values, for these positions."""
        numbers = images.numbers
        sizes = zip(numbers["width"].tolist(), numbers["height"].tolist(), strict=True)
        folders = zip(numbers["root"].tolist(), images.texts["path"], images.texts["copies"], strict=True)
        return {name: numbers[name] for name in _AS_READ} | {
            **images.fractions,
            "seed": self._seeds(images.texts["seed"], positions),
            "sampler": self.samplers.of_all(images.texts["sampler"]),
            "engine": self.engines.of_all(images.texts["engine"]),
            "folder": self.folders.of_all(_list_folders(*one) for one in folders),
            "size": self.sizes.of_all(sizes),
            "name": np.array([zlib.crc32((path or "").encode()) for path in images.texts["path"]], np.uint32),
        }

    def _seeds(self, seeds: list[str | None], positions: Positions) -> NDArray[np.uint64]:
        """The seeds as 64-bit integers. Seeds that are longer or not numeric are stored separately, by position."""
        narrow = [int(s) if s is not None and s.isdecimal() and len(s) < 20 else _UNKNOWN_SEED for s in seeds]
        for position, seed, number in zip(positions.tolist(), seeds, narrow, strict=True):
            if seed is not None and str(number) != seed:
                self._wide_seeds[position] = seed
            elif self._wide_seeds:
                self._wide_seeds.pop(position, None)
        return np.array(narrow, np.uint64)

    def with_seed(self, seed: str) -> Mask:
        mask = np.zeros(self.count, np.bool_)
        if len(seed) < 20:
            number = int(seed)
            mask = self["seed"] == np.uint64(number)
            if number == _UNKNOWN_SEED:
                mask &= self["has"] >> list(index_loader.HAS).index("seed") & 1 == 1
            mask[list(self._wide_seeds)] = False
        mask[[position for position, wide in self._wide_seeds.items() if wide == seed]] = True
        return mask


_copies = msgspec.json.Decoder(list[tuple[int | None, str]])


def _list_folders(root: int, path: str | None, copies: str | None) -> tuple[tuple[int, str], ...]:
    """The folder of the shown file, then the others in order."""
    first = (root, _get_folder(path or ""))
    if copies is None:
        return (first,)
    others = {(other or 0, _get_folder(place)) for other, place in _copies.decode(copies)}
    return (first, *sorted(others - {first}))


def _get_folder(path: str) -> str:
    return path.rpartition("/")[0]
