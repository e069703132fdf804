"""The available text models. The vectors of each model are stored under the name of its embedding space."""

from dataclasses import dataclass
from functools import cache

from mysticanvas.ml import minilm
from mysticanvas.ml.encoder import Encoder
from mysticanvas.ml.minilm import MiniLM
from mysticanvas.ml.static_embeddings import StaticModel


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """An embedding space. One job embeds `batch` texts, which takes a few tenths of a second.

    `weight` applies to its cosine when the scores of several models are combined.
    """

    name: str
    dimensions: int
    batch: int
    weight: float


INSTANT = EmbeddingSpace(StaticModel.space, StaticModel.dimensions, batch=1_000, weight=0.5)
ACCURATE = EmbeddingSpace(MiniLM.space, MiniLM.dimensions, batch=96, weight=1.0)
# In the order in which they are filled.
SPACES = (INSTANT, ACCURATE)


def list_available() -> list[EmbeddingSpace]:
    """The spaces whose models are installed, fastest first."""
    return [INSTANT, ACCURATE] if minilm.is_installed() else [INSTANT]


@cache
def load_encoder(name: str) -> Encoder | None:
    """The model of a space, loaded once per process; None when it is not installed.

    Raises `ModelUnusableError` when its file has an unexpected checksum.
    """
    if name == INSTANT.name:
        return StaticModel.load()
    if name == ACCURATE.name and minilm.is_installed():
        return MiniLM.load()
    return None
