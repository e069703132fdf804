"""Which models of text there are. Each has its space: the name under which its vectors are kept."""

from dataclasses import dataclass
from functools import cache

from mysticanvas.ml import minilm
from mysticanvas.ml.encoder import Encoder
from mysticanvas.ml.minilm import MiniLM
from mysticanvas.ml.static_embeddings import StaticModel


@dataclass(frozen=True, slots=True)
class Space:
    """`batch` texts are embedded by one job: some tenths of a second of work. `weight` is that of its
    cosine where models are fused. Spaces are filled in the order of `SPACES`."""

    name: str
    dimensions: int
    batch: int
    weight: float


INSTANT = Space(StaticModel.space, StaticModel.dimensions, batch=1_000, weight=0.5)
ACCURATE = Space(MiniLM.space, MiniLM.dimensions, batch=96, weight=1.0)
SPACES = (INSTANT, ACCURATE)


def available() -> list[Space]:
    """The spaces whose models are installed, the quickest first."""
    return [INSTANT, ACCURATE] if minilm.is_installed() else [INSTANT]


@cache
def encoder(name: str) -> Encoder | None:
    """The model of a space, loaded once in a process; None when it is not installed.

    Raises `ModelUnusableError` when its file is not what it should be.
    """
    if name == INSTANT.name:
        return StaticModel.load()
    if name == ACCURATE.name and minilm.is_installed():
        return MiniLM.load()
    return None
