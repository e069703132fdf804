"""Some pictures, looked at by the models that have not seen them yet."""

from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.vision.types import LookAtPictures, PicturesSeen
from mysticanvas.imaging.thumbnail_cache import SHORT_EDGES_PX, ThumbCache
from mysticanvas.ml.image_model_settings import BUILT_IN
from mysticanvas.search import image_vectors


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """Of the thumbnails; a picture without one is left out: its thumbnail's job asks again."""
    sight = image_vectors.sight(tx)
    if not sight.is_on:
        return None
    images = [GenerationId(one) for one in payload["generations"]]
    cache = ThumbCache(tx.library / "thumbs", SHORT_EDGES_PX)
    hashes, files, spaces = [], [], set()
    for one in image_vectors.unseen(tx, images, spaces=sight.spaces):
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
    tx.changes.changed += image_vectors.keep(tx, answer.hashes, answer.explicit, answer.vectors)


def split(payload: dict[str, Any]) -> list[dict[str, Any]]:
    images = payload["generations"]
    return [{"generations": [one]} for one in images] if len(images) > 1 else []
