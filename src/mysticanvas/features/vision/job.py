"""Job `look`: analyzes some images with the models that have not analyzed them yet."""

from typing import Any

from mysticanvas.db.database import ReadTx, WriteTx
from mysticanvas.domain.generation import GenerationId
from mysticanvas.domain.task import Answer, Task
from mysticanvas.features.vision.types import AnalyzeImages, ImagesAnalyzed
from mysticanvas.fs.thumbnail_cache import SHORT_EDGES_PX, ThumbCache
from mysticanvas.ml.image_model_settings import BUNDLED_SPACE
from mysticanvas.search import image_vectors


def prepare(tx: ReadTx, payload: dict[str, Any]) -> Task | None:
    """Analyzes thumbnails. An image without one is skipped: creating the thumbnail queues the job again. None when
    image analysis is off or nothing is missing."""
    settings = image_vectors.get_image_model_settings(tx)
    if not settings.is_on:
        return None
    images = [GenerationId(one) for one in payload["generations"]]
    cache = ThumbCache(tx.library / "thumbs", SHORT_EDGES_PX)
    hashes, files, spaces = [], [], set()
    for one in image_vectors.list_unanalyzed_pictures(tx, images, spaces=settings.spaces):
        try:
            files.append(cache.path(one.content_hash.hex(), SHORT_EDGES_PX[-1]).read_bytes())
        except OSError:
            continue
        hashes.append(one.content_hash)
        spaces.update(one.spaces)
    if not hashes:
        return None
    missing = [space for space in settings.spaces if space in spaces]
    clip_folder = None if settings.clip is None else settings.clip.folder
    return AnalyzeImages(hashes, files, missing, clip_folder, with_nsfw_scores=BUNDLED_SPACE in missing)


def apply(tx: WriteTx, payload: dict[str, Any], answer: Answer) -> None:
    assert isinstance(answer, ImagesAnalyzed)
    tx.changes.changed += image_vectors.save_vectors(tx, answer.hashes, answer.explicit, answer.vectors)


def split(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """One job per image, to isolate an image that crashes the worker; [] for a single image."""
    images = payload["generations"]
    return [{"generations": [one]} for one in images] if len(images) > 1 else []
