"""Tags images with a WD tagger from a folder of the user.

Source: the files of the published WD v1.4 and v3 taggers. The input of `model.onnx` is a square of float32 BGR
pixels from 0 to 255, padded with white; the output is one probability per label. Labels are the rows of
`selected_tags.csv` in the same order, with category 0 (general), 4 (character) or 9 (rating).
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyvips

from mysticanvas.domain.errors import InvalidInputError, UnreadableFileError
from mysticanvas.ml.labels import LABELS, MODEL, Label, read_labels

DEFAULT_SIDE_PX = 448
MAX_SIDE_PX = 2_048


class Tagger:
    """A loaded model. `side_px` is the side of its square input."""

    def __init__(self, session: Any, labels: Sequence[Label]) -> None:
        self._session = session
        self._labels = labels
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name
        shape = list(session.get_inputs()[0].shape)
        self._channels_first = len(shape) == 4 and shape[1] == 3
        sides = [side for side in (shape[2:] if self._channels_first else shape[1:3]) if isinstance(side, int)]
        self.side_px = sides[0] if sides else DEFAULT_SIDE_PX
        if len(shape) != 4 or not 1 <= self.side_px <= MAX_SIDE_PX:
            raise InvalidInputError("The model is not a WD tagger: its input has an unexpected shape.")

    def compute_scores(self, image: pyvips.Image) -> list[tuple[Label, float]]:
        """One score from 0 to 1 for each label, in the order of the labels."""
        pixels = _pad_to_square(image, self.side_px)[:, :, ::-1].astype(np.float32)
        batch = pixels.transpose(2, 0, 1)[None] if self._channels_first else pixels[None]
        [answer] = self._session.run([self._output], {self._input: np.ascontiguousarray(batch)})
        scores = np.asarray(answer, np.float64).reshape(-1)
        if len(scores) != len(self._labels):
            raise InvalidInputError(
                f"The model returns {len(scores):,} scores, but {LABELS} has {len(self._labels):,} labels. "
                "Use files from the same model."
            )
        if len(scores) and (scores.min() < 0 or scores.max() > 1):
            # Some converted models lack the final sigmoid.
            scores = 1 / (1 + np.exp(-np.clip(scores, -60, 60)))
        return [(label, float(score)) for label, score in zip(self._labels, scores, strict=True)]


@lru_cache(maxsize=1)
def open_tagger(folder: str) -> Tagger:
    """Load the tagger in a folder; the last one stays loaded. Raises `InvalidInputError`."""
    try:
        import onnxruntime
    except ImportError as error:
        raise InvalidInputError(
            "Taggers require additional packages. Run: pip install 'mysticanvas[vision]'"
        ) from error
    labels = read_labels(Path(folder) / LABELS)
    options = onnxruntime.SessionOptions()
    # There is already one worker per core.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            str(Path(folder) / MODEL), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise InvalidInputError(
            f"The model {Path(folder) / MODEL} could not be loaded: {_get_first_line(error)}"
        ) from error
    return Tagger(session, labels)


def _pad_to_square(image: pyvips.Image, side_px: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """RGB pixels of shape (rows, columns, 3): the whole image, centered on a white square.

    Raises `UnreadableFileError`.
    """
    try:
        image = image.colourspace("srgb")
        if image.hasalpha():
            image = image.flatten(background=[255, 255, 255])
        image = image.cast("uchar")
        image = image[:3] if image.bands >= 3 else image[0].bandjoin([image[0], image[0]])
        image = image.thumbnail_image(side_px, height=side_px, size="both")
        left, top = (side_px - image.width) // 2, (side_px - image.height) // 2
        whole = image.embed(left, top, side_px, side_px, extend="background", background=[255, 255, 255])
        pixels: np.ndarray[Any, np.dtype[np.uint8]] = whole.numpy()
    except pyvips.Error as error:
        raise UnreadableFileError(f"The image could not be decoded: {_get_first_line(error)}") from error
    return pixels


def _get_first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["unknown error"])[0][:300]
