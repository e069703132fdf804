"""`EmbedTexts`."""

from mysticanvas.domain.errors import TaskFailedError
from mysticanvas.features.semantic.types import EmbedTexts, TextsEmbedded
from mysticanvas.ml import embedding_models
from mysticanvas.ml.encoder import to_bytes


def run(task: EmbedTexts) -> TextsEmbedded:
    encoder = embedding_models.encoder(task.space)
    if encoder is None:
        raise TaskFailedError(f"The model of the space “{task.space}” is not installed.")
    vectors = to_bytes(encoder.encode(task.texts))
    return TextsEmbedded(task.space, task.hashes, [vector.tobytes() for vector in vectors])


RUN = {EmbedTexts: run}
