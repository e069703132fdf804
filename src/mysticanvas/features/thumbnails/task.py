"""Task `MakeThumbs`: creates thumbnails, hashes the whole file, and searches pixels for stealth text.

Hashing reads all bytes, so it detects damage too. Stealth text is only searched in images without other generation
data, and here because the pixels are decoded anyway.
"""

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.features.thumbnails.types import MakeThumbs, ThumbsMade
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.detect import has_generation_data
from mysticanvas.fs.hashing import hash_file
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.imaging.stealth import may_contain_text, read_hidden_text
from mysticanvas.imaging.thumbnails import copy_to_memory, load_image, make_thumbs


def run(task: MakeThumbs) -> ThumbsMade:
    with open_beneath(task.root, task.path_bytes) as source:
        before = source.stat()
        digest = hash_file(source, "blake3")
        if digest is None:
            return ThumbsMade(before, None, None, [], "The file is too large to display.")
        try:
            head = read_head(source)
            image = load_image(source.handle, head)
            hidden = None
            if may_contain_text(head) and not has_generation_data(head):
                image = copy_to_memory(image)
                hidden = read_hidden_text(image)
            made = make_thumbs(image, task.short_edges_px)
        except UnreadableFileError as error:
            return ThumbsMade(source.stat(), digest, None, [], str(error))
        return ThumbsMade(source.stat(), digest, made.color_rgb, made.webps, None, hidden, made.phash)


RUN = {MakeThumbs: run}
