"""Some pictures, looked at by the models that have not seen them yet."""

from typing import Any

from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.sight import BUILT_IN
from mysticanvas.domain.task import Answer, LookAtPictures, PicturesSeen, Task
from mysticanvas.library.jobs.thumb import SHORT_EDGES_PX
from mysticanvas.library.thumb_cache import ThumbCache
from mysticanvas.store import pictures
from mysticanvas.store.database import ReadTx, WriteTx


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """Of the thumbnails; a picture without one is left out: its thumbnail's job asks again."""
    sight = pictures.sight(tx)
    if not sight.is_on:
        return None
    images = [GenerationId(one) for one in payload["generations"]]
    cache = ThumbCache(tx.library / "thumbs", SHORT_EDGES_PX)
    hashes, files, spaces = [], [], set()
    for one in pictures.unseen(tx, images, spaces=sight.spaces):
        try:
            files.append(cache.path(one.content_hash.hex(), SHORT_EDGES_PX[-1]).read_bytes())
        except OSError:
            continue
        hashes.append(one.content_hash)
        spaces.update(one.spaces)
    if not hashes:
        return None
    wanted = [space for space in sight.spaces if space in spaces]
    clip_folder = None if sight.clip is None else sight.clip.folder
    return LookAtPictures(hashes, files, wanted, clip_folder, judge=BUILT_IN in wanted)


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, PicturesSeen)
    tx.changes.changed += pictures.keep(tx, answer.hashes, answer.explicit, answer.vectors)


def split(payload: dict[str, Any]) -> list[dict[str, Any]]:
    images = payload["generations"]
    return [{"generations": [one]} for one in images] if len(images) > 1 else []
