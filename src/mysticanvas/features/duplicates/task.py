"""`HashPicture`: compute only the perceptual hash of an image that already has thumbnails."""

from mysticanvas.features.duplicates.types import HashPicture, PictureHashed
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.imaging.thumbnails import hash_image, load_image


def run(task: HashPicture) -> PictureHashed:
    with open_beneath(task.root, task.path_bytes) as source:
        head = read_head(source)
        return PictureHashed(source.stat(), hash_image(load_image(source.handle, head)))


RUN = {HashPicture: run}
