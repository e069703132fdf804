"""Tags and ratings beside the images, for other programs: only when a person asks for it."""

import os
from collections import Counter
from collections.abc import Sequence

from mysticanvas.db.database import Database
from mysticanvas.domain.generation import GenerationId
from mysticanvas.features.sidecars import queries
from mysticanvas.features.sidecars import write as sidecar_write
from mysticanvas.formats.sidecars import own as sidecar_own
from mysticanvas.formats.sidecars.own import Said, SidecarFormat

# Its image has no tag and no rating, or no file that is there.
NOTHING = "nothing"


def write(database: Database, images: Sequence[GenerationId], how: SidecarFormat) -> dict[str, int]:
    """How many sidecars were written, unchanged, foreign (another program's: left alone), failed, or nothing."""
    outcomes = Counter[str](dict.fromkeys((*sidecar_write.Outcome, NOTHING), 0))
    for image in images:
        one = database.read(queries.for_others, image)
        if one is None or not (one.tags or one.rating):
            outcomes[NOTHING] += 1
            continue
        path = one.path_bytes + how.ending.encode()
        content = sidecar_own.written(Said(one.tags, one.rating), how)
        outcomes[sidecar_write.write(os.fsencode(one.root), path, content, sidecar_own.is_ours)] += 1
    return dict(outcomes)
