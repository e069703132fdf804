"""Task `MakeThumbs`: creates thumbnails, hashes the whole file, and searches pixels for stealth text.

Hashing reads all bytes, so it detects damage too. Stealth text is only searched in images without other generation
data, and here because the pixels are decoded anyway.
"""

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.features.thumbnails.types import MakeThumbs, ThumbsMade
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.detect import says_how
from mysticanvas.fs.hashing import hash_file
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.imaging.stealth import hidden_text, may_hide
from mysticanvas.imaging.thumbnails import in_memory, load, make_thumbs


def run(task: MakeThumbs) -> ThumbsMade:
    with open_beneath(task.root, task.path_bytes) as source:
        before = source.stat()
        digest = hash_file(source, "blake3")
        if digest is None:
            return ThumbsMade(before, None, None, [], "The file is too large to display.")
        try:
            head = read_head(source)
            image = load(source.handle, head)
            hidden = None
            if may_hide(head) and not says_how(head):
                image = in_memory(image)
                hidden = hidden_text(image)
            made = make_thumbs(image, task.short_edges_px)
        except UnreadableFileError as error:
            return ThumbsMade(source.stat(), digest, None, [], str(error))
        return ThumbsMade(source.stat(), digest, made.color_rgb, made.webps, None, hidden, made.phash)


RUN = {MakeThumbs: run}
