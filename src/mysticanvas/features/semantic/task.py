"""Task `EmbedTexts`: computes embeddings of prompts."""

from mysticanvas.domain.errors import TaskFailedError
from mysticanvas.features.semantic.types import EmbedTexts, TextsEmbedded
from mysticanvas.ml import embedding_models
from mysticanvas.ml.encoder import quantize


def run(task: EmbedTexts) -> TextsEmbedded:
    encoder = embedding_models.load_encoder(task.space)
    if encoder is None:
        raise TaskFailedError(f"The model for the embedding space “{task.space}” is not installed.")
    vectors = quantize(encoder.encode(task.texts))
    return TextsEmbedded(task.space, task.hashes, [vector.tobytes() for vector in vectors])


RUN = {EmbedTexts: run}
