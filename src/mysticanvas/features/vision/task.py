"""Task `AnalyzeImages`: computes image embeddings and NSFW scores."""

import numpy as np

from mysticanvas.domain.errors import InvalidInputError, TaskFailedError
from mysticanvas.features.vision.types import AnalyzeImages, ImagesAnalyzed
from mysticanvas.ml import image_models as ml_image_models
from mysticanvas.ml.encoder import normalize, pad_dimensions, quantize


def run(task: AnalyzeImages) -> ImagesAnalyzed:
    images = [ml_image_models.decode_image(content) for content in task.images]
    vectors = {}
    try:
        for space in task.spaces:
            embedded = pad_dimensions(ml_image_models.load_image_model(space, task.clip_folder).embed(images))
            vectors[space] = [vector.tobytes() for vector in quantize(normalize(np.nan_to_num(embedded)))]
        shares = (
            ml_image_models.load_bundled_model(ml_image_models.NSFW).embed(images) if task.with_nsfw_scores else None
        )
    except InvalidInputError as error:
        raise TaskFailedError(str(error)) from error
    return ImagesAnalyzed(task.hashes, None if shares is None else ml_image_models.compute_nsfw_scores(shares), vectors)


RUN = {AnalyzeImages: run}
