"""`LookAtPictures`."""

import numpy as np

from mysticanvas.domain.errors import InvalidInputError, TaskFailedError
from mysticanvas.features.vision.types import LookAtPictures, PicturesSeen
from mysticanvas.ml import image_models as ml_image_models
from mysticanvas.ml.encoder import normalized, padded, to_bytes


def run(task: LookAtPictures) -> PicturesSeen:
    pictures = [ml_image_models.decoded(content) for content in task.pictures]
    vectors = {}
    try:
        for space in task.spaces:
            seen = padded(ml_image_models.eye_of(space, task.clip_folder).see(pictures))
            vectors[space] = [vector.tobytes() for vector in to_bytes(normalized(np.nan_to_num(seen)))]
        shares = ml_image_models.shipped(ml_image_models.NSFW).see(pictures) if task.judge else None
    except InvalidInputError as error:
        raise TaskFailedError(str(error)) from error
    return PicturesSeen(task.hashes, None if shares is None else ml_image_models.explicit(shares), vectors)


RUN = {LookAtPictures: run}
