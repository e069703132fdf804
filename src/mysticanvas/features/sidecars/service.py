"""Writes sidecar files with tags and ratings for other programs, only on request."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mysticanvas.db.database import Database
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.sidecars import queries
from mysticanvas.features.sidecars import write as sidecar_write
from mysticanvas.formats.sidecars import own as sidecar_own
from mysticanvas.formats.sidecars.own import SidecarContent, SidecarFormat

# The outcome for an image without a tag and a rating, or without its file.
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class SidecarsWritten:
    """The number of images for each outcome. `unchanged`: the sidecar has the same content already. `foreign`: the
    sidecar of another program exists and is kept. `failed`: the file could not be written. `nothing`: the image has
    neither tags nor a rating, or no file."""

    written: int
    unchanged: int
    foreign: int
    failed: int
    nothing: int


def write_sidecars(database: Database, images: Sequence[GenerationId], how: SidecarFormat) -> SidecarsWritten:
    """Write a sidecar for each image."""
    outcomes = Counter[str](dict.fromkeys((*sidecar_write.Outcome, NOTHING), 0))
    for image in images:
        one = database.read(queries.read_sidecar_data, image)
        if one is None or not (one.tags or one.rating):
            outcomes[NOTHING] += 1
            continue
        path = one.path_bytes + how.ending.encode()
        content = sidecar_own.render_sidecar(SidecarContent(one.tags, one.rating), how)
        outcomes[sidecar_write.write_sidecar(os.fsencode(one.root), path, content, sidecar_own.is_ours)] += 1
    return SidecarsWritten(**outcomes)
