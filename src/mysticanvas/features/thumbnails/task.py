"""Task `MakeThumbs`: creates thumbnails, hashes the whole file, and searches pixels for stealth text. Task
`RecheckHeaders`: reads only headers.

Hashing reads all bytes, so it detects damage too. Stealth text is only searched in images without other generation
data, and here because the pixels are decoded anyway.
"""

from contextlib import suppress
from dataclasses import replace

from mysticanvas.domain.errors import ImageTooLargeError, UnreadableFileError
from mysticanvas.domain.file import ImageHead
from mysticanvas.features.thumbnails.types import (
    HeaderRechecked,
    HeadersRechecked,
    MakeThumbs,
    RecheckHeaders,
    ThumbsMade,
)
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.detect import has_generation_data
from mysticanvas.fs.hashing import hash_file
from mysticanvas.fs.safe_open import FileSource, open_beneath
from mysticanvas.imaging.decode import Decoded, decode_reduced, decode_stored, reduce_stored
from mysticanvas.imaging.stealth import may_contain_text, read_hidden_text
from mysticanvas.imaging.thumbnails import make_thumbs


def run(task: MakeThumbs) -> ThumbsMade:
    with open_beneath(task.root, task.path_bytes) as source:
        before = source.stat()
        digest = hash_file(source, "blake3")
        if digest is None:
            return ThumbsMade(before, None, None, [], None, too_large="The file is too large for a thumbnail.")
        made = _make(source, digest, task.short_edges_px)
        return replace(made, stat=source.stat())


def _make(source: FileSource, digest: bytes, short_edges_px: list[int]) -> ThumbsMade:
    none = ThumbsMade(source.stat(), digest, None, [], None)
    try:
        head = read_head(source)
        none = replace(none, width_px=head.width_px, height_px=head.height_px, orientation=head.orientation)
        decoded, hidden = _decode(source, head, short_edges_px[-1])
        made = make_thumbs(decoded.image, short_edges_px)
    except ImageTooLargeError as error:
        return replace(none, too_large=str(error))
    except UnreadableFileError as error:
        return replace(none, damage=str(error))
    return replace(
        none, color_rgb=made.color_rgb, webps=made.webps, damage=decoded.damage, hidden=hidden, phash=made.phash
    )


def _decode(source: FileSource, head: ImageHead, short_edge_px: int) -> tuple[Decoded, str | None]:
    """The reduced image and its stealth text, which is only searched where the whole image can be decoded."""
    if may_contain_text(head) and not has_generation_data(head):
        with suppress(UnreadableFileError):
            stored = decode_stored(source.handle, head)
            hidden = read_hidden_text(stored.image)
            return Decoded(reduce_stored(stored.image, head, short_edge_px), stored.damage), hidden
    return decode_reduced(source.handle, head, short_edge_px), None


def recheck_headers(task: RecheckHeaders) -> HeadersRechecked:
    return HeadersRechecked([_recheck(file.root, file.path_bytes) for file in task.files])


def _recheck(root: bytes, path_bytes: bytes) -> HeaderRechecked:
    try:
        with open_beneath(root, path_bytes) as source:
            head = read_head(source)
            return HeaderRechecked(
                root,
                path_bytes,
                source.stat(),
                head.width_px,
                head.height_px,
                head.orientation,
                may_look_wrong=head.orientation != 1 or head.has_own_colors or not head.complete,
            )
    except UnreadableFileError:
        return HeaderRechecked(root, path_bytes)


RUN = {MakeThumbs: run, RecheckHeaders: recheck_headers}
