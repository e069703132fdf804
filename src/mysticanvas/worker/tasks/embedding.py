"""`EmbedTexts`."""

from mysticanvas.domain.errors import TaskFailedError
from mysticanvas.domain.task import EmbedTexts, TextsEmbedded
from mysticanvas.meaning import spaces
from mysticanvas.meaning.encoding import to_bytes


def run(task: EmbedTexts) -> TextsEmbedded:
    encoder = spaces.encoder(task.space)
    if encoder is None:
        raise TaskFailedError(f"The model of the space “{task.space}” is not installed.")
    vectors = to_bytes(encoder.encode(task.texts))
    return TextsEmbedded(task.space, task.hashes, [vector.tobytes() for vector in vectors])
