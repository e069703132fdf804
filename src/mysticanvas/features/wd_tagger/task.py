"""Task `TagImage`: tags an image with a WD tagger."""

from mysticanvas.domain.errors import InvalidInputError, TaskFailedError
from mysticanvas.domain.tag import MachineTag
from mysticanvas.features.wd_tagger.types import ImageTagged, TagImage
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.imaging.decode import decode_reduced
from mysticanvas.ml.labels import format_label
from mysticanvas.ml.wd_tagger import open_tagger

# Tags of the label category "general" have no category.
_CATEGORIES = {"general": None, "character": "character"}


def run(task: TagImage) -> ImageTagged:
    """Tags above the thresholds, highest confidence first. Rating labels are excluded."""
    try:
        tagger = open_tagger(task.folder)
        with open_beneath(task.root, task.path_bytes) as source:
            decoded = decode_reduced(source.handle, read_head(source), tagger.side_px)
            scores = tagger.compute_scores(decoded.image)
    except InvalidInputError as error:
        raise TaskFailedError(str(error)) from error
    least = {"general": task.least_general, "character": task.least_character}
    found = [
        MachineTag(format_label(label.name), _CATEGORIES[label.category], round(score, 4))
        for label, score in scores
        if label.category in least and score >= least[label.category]
    ]
    return ImageTagged(sorted(found, key=lambda tag: -tag.confidence)[: task.limit])


RUN = {TagImage: run}
