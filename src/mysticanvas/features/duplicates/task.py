"""`HashPicture`: compute only the perceptual hash of an image that already has thumbnails."""

from mysticanvas.features.duplicates.types import HashPicture, PictureHashed
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.imaging.decode import decode_reduced
from mysticanvas.imaging.perceptual_hash import compute_phash
from mysticanvas.imaging.thumbnails import HASHED_EDGE_PX


def run(task: HashPicture) -> PictureHashed:
    with open_beneath(task.root, task.path_bytes) as source:
        head = read_head(source)
        decoded = decode_reduced(source.handle, head, HASHED_EDGE_PX)
        return PictureHashed(source.stat(), compute_phash(decoded.image))


RUN = {HashPicture: run}
