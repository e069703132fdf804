"""Tags and ratings beside the images, for other programs: only when a person asks for it."""

import os
from collections import Counter
from collections.abc import Sequence

from mysticanvas.disk import writing_sidecars
from mysticanvas.domain.generation import GenerationId
from mysticanvas.formats import own_sidecars
from mysticanvas.formats.own_sidecars import Said, SidecarFormat
from mysticanvas.store import personal
from mysticanvas.store.database import Database

# Its image has no tag and no rating, or no file that is there.
NOTHING = "nothing"


def write(database: Database, images: Sequence[GenerationId], how: SidecarFormat) -> dict[str, int]:
    """How many sidecars were written, unchanged, foreign (another program's: left alone), failed, or nothing."""
    outcomes = Counter[str](dict.fromkeys((*writing_sidecars.Outcome, NOTHING), 0))
    for image in images:
        one = database.read(personal.for_others, image)
        if one is None or not (one.tags or one.rating):
            outcomes[NOTHING] += 1
            continue
        path = one.path_bytes + how.ending.encode()
        content = own_sidecars.written(Said(one.tags, one.rating), how)
        outcomes[writing_sidecars.write(os.fsencode(one.root), path, content, own_sidecars.is_ours)] += 1
    return dict(outcomes)
