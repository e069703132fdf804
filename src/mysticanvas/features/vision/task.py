"""Task `LookAtPictures`: computes image embeddings and NSFW scores."""

import numpy as np

from mysticanvas.domain.errors import InvalidInputError, TaskFailedError
from mysticanvas.features.vision.types import LookAtPictures, PicturesSeen
from mysticanvas.ml import image_models as ml_image_models
from mysticanvas.ml.encoder import normalized, pad_dimensions, quantize


def run(task: LookAtPictures) -> PicturesSeen:
    pictures = [ml_image_models.decode_image(content) for content in task.pictures]
    vectors = {}
    try:
        for space in task.spaces:
            seen = pad_dimensions(ml_image_models.load_image_model(space, task.clip_folder).embed(pictures))
            vectors[space] = [vector.tobytes() for vector in quantize(normalized(np.nan_to_num(seen)))]
        shares = ml_image_models.load_bundled_model(ml_image_models.NSFW).embed(pictures) if task.judge else None
    except InvalidInputError as error:
        raise TaskFailedError(str(error)) from error
    return PicturesSeen(task.hashes, None if shares is None else ml_image_models.compute_nsfw_scores(shares), vectors)


RUN = {LookAtPictures: run}
