"""`LookAtPictures`."""

import numpy as np

from mysticanvas.domain.errors import InvalidInputError, TaskFailedError
from mysticanvas.domain.task import LookAtPictures, PicturesSeen
from mysticanvas.meaning.encoding import normalized, padded, to_bytes
from mysticanvas.pixels import looking


def run(task: LookAtPictures) -> PicturesSeen:
    pictures = [looking.decoded(content) for content in task.pictures]
    vectors = {}
    try:
        for space in task.spaces:
            seen = padded(looking.eye_of(space, task.clip_folder).see(pictures))
            vectors[space] = [vector.tobytes() for vector in to_bytes(normalized(np.nan_to_num(seen)))]
        shares = looking.shipped(looking.NSFW).see(pictures) if task.judge else None
    except InvalidInputError as error:
        raise TaskFailedError(str(error)) from error
    return PicturesSeen(task.hashes, None if shares is None else looking.explicit(shares), vectors)
