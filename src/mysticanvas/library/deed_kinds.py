"""The table of everything that a person can do and take back.

A kind is named in the row of its deed, so a name is never given to another one later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mysticanvas.domain.generation import GenerationId
from mysticanvas.library import organising
from mysticanvas.store.database import ReadTx, WriteTx

# A deed of at most this many images is one transaction; a larger one is done in slices.
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Kind:
    """`apply(tx, arguments, images, now_ms)` changes some of the images and says how many things are
    different now. It is called once, without an image, for a deed that is about none.

    `targets` finds the images of a step that were not named; `finish` ends the step, in the
    transaction of its last slice. `at_once` is how many images one transaction may take.
    """

    apply: Callable[[WriteTx, dict[str, Any], Sequence[GenerationId], int], int]
    targets: Callable[[ReadTx, dict[str, Any]], list[GenerationId]] | None = None
    finish: Callable[[WriteTx, dict[str, Any], int], None] | None = None
    at_once: int = AT_ONCE


KINDS: dict[str, Kind] = {
    "favorite": Kind(organising.favorite),
    "rating": Kind(organising.rating),
    "notes": Kind(organising.notes, at_once=300),
}
