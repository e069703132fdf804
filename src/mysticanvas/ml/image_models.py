"""Image models: embeddings for visual search, and NSFW scores.

The package contains two models (ml/data/NOTICE-images.txt): EfficientNet-Lite0, and the nsfwjs classifier, whose five
classes are drawing, hentai, neutral, porn and sexy. Users can add a CLIP model in a folder. It is preprocessed as
in the original CLIP unless `mysticanvas.json` in the folder sets other values
({"mean": [r, g, b], "std": [r, g, b], "crop": true}, for colors from 0 to 1).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from mysticanvas.domain.errors import InvalidInputError, ModelUnusableError, UnreadableFileError
from mysticanvas.ml.image_model_settings import BUNDLED_SPACE, CLIP_IMAGE, CLIP_SETTINGS

Floats = NDArray[np.float32]

NSFW_CLASSES = (1, 3)
DEFAULT_SIDE_PX, MAX_SIDE_PX = 224, 1_024
MAX_SETTINGS_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Preprocessing: colors from 0 to 1 become (color - mean) / std, channels first.

    With `crop`, the center square is used; otherwise the whole image is stretched to a square.
    """

    side_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop: bool = False
    kernel: str = "cubic"


@dataclass(frozen=True, slots=True)
class BundledModel:
    """A model file in the package."""

    file: str
    sha256: str
    preparation: Preprocessing


# Colors from 0 to 255 become (color - 127) / 128.
EFFICIENTNET = BundledModel(
    "efficientnet_lite0.onnx",
    "3b68f303be183cf29fd35b42cad3e1ca6deb5e77077b2dff99db49681a4e4e80",
    Preprocessing(224, (127 / 255,) * 3, (128 / 255,) * 3),
)
NSFW = BundledModel(
    "nsfw_mobilenet.onnx",
    "72c5c884f24c4999adee24d112b07c2f17bbf216a732c0c6fc12e90393f7b8c2",
    Preprocessing(224, (0.0,) * 3, (1.0,) * 3, kernel="linear"),
)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class ImageModel:
    """A loaded image model: converts images to vectors."""

    def __init__(self, session: Any, preparation: Preprocessing) -> None:
        self._session = session
        self._preparation = preparation
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name

    def embed(self, pictures: Sequence[pyvips.Image]) -> Floats:
        """The model's output, one row per image."""
        rows = []
        for picture in pictures:
            # One image at a time: some exports have a fixed batch size of 1, and batches are not faster on one core.
            [answer] = self._session.run([self._output], {self._input: preprocess(picture, self._preparation)[None]})
            rows.append(np.asarray(answer, np.float32).reshape(-1))
        return np.stack(rows)


def decode_image(content: bytes) -> pyvips.Image:
    """Decode one of our thumbnails as RGB on white. Raises `UnreadableFileError`."""
    try:
        image = pyvips.Image.new_from_buffer(content, "").colourspace("srgb")
        image = image.flatten(background=[255, 255, 255]) if image.hasalpha() else image
        return image.cast("uchar").copy_memory()
    except pyvips.Error as error:
        raise UnreadableFileError(f"The image could not be decoded: {error}") from error


def preprocess(picture: pyvips.Image, preprocessing: Preprocessing) -> Floats:
    """Preprocess an image; the result has the shape (channels, rows, columns)."""
    side_px = preprocessing.side_px
    x_scale, y_scale = side_px / picture.width, side_px / picture.height
    if preprocessing.crop:
        x_scale = y_scale = max(x_scale, y_scale)
    picture = picture.resize(x_scale, vscale=y_scale, kernel=preprocessing.kernel)
    left, top = max(0, (picture.width - side_px) // 2), max(0, (picture.height - side_px) // 2)
    picture = picture.crop(left, top, min(side_px, picture.width), min(side_px, picture.height))
    pixels = picture.numpy().astype(np.float32) / 255
    mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)
    return np.ascontiguousarray(((pixels - mean) / std).transpose(2, 0, 1))


def compute_nsfw_scores(shares: Floats) -> list[float]:
    """The NSFW score from 0 to 1 for each row of class probabilities."""
    return [round(min(1.0, float(row[list(NSFW_CLASSES)].sum())), 3) for row in shares]


@cache
def load_bundled_model(model: BundledModel) -> ImageModel:
    """Load a model of the package, once per process. Raises `ModelUnusableError`."""
    content = (resources.files("mysticanvas.ml") / "data" / model.file).read_bytes()
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise ModelUnusableError(f"The model file {model.file} has an unexpected checksum. Reinstall MystiCanvas.")
    return ImageModel(_create_session(content), model.preparation)


@lru_cache(maxsize=1)
def open_clip(folder: str) -> ImageModel:
    """Load the image encoder of a CLIP model; the last one stays loaded. Raises `InvalidInputError`."""
    place = Path(folder) / CLIP_IMAGE
    try:
        session = _create_session(str(place))
    except ImportError as error:
        raise InvalidInputError(
            "Image analysis requires additional packages. Run: pip install 'mysticanvas[vision]'"
        ) from error
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["unknown error"])[0][:300]
        raise InvalidInputError(f"The model {place} could not be loaded: {reason}") from error
    shape = list(session.get_inputs()[0].shape)
    side_px = shape[2] if len(shape) == 4 and isinstance(shape[2], int) else DEFAULT_SIDE_PX
    if len(shape) != 4 or shape[1] not in (3, "channels", "num_channels") or not 1 <= side_px <= MAX_SIDE_PX:
        raise InvalidInputError(f"{place} is not the image encoder of a CLIP model.")
    return ImageModel(session, read_clip_preprocessing(Path(folder), side_px))


def read_clip_preprocessing(folder: Path, side_px: int) -> Preprocessing:
    """The preprocessing of a CLIP model. Raises `InvalidInputError` for invalid settings."""
    place = folder / CLIP_SETTINGS
    try:
        settings = json.loads(place.read_bytes()[:MAX_SETTINGS_BYTES]) if place.is_file() else {}
        mean, std = (
            tuple(map(float, settings.get(name, usual))) for name, usual in (("mean", CLIP_MEAN), ("std", CLIP_STD))
        )
        if len(mean) != 3 or len(std) != 3 or not all(value > 0 for value in std):
            raise ValueError(place)
        return Preprocessing(side_px, mean, std, crop=bool(settings.get("crop", True)))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidInputError(f"{place} contains invalid preprocessing settings.") from error


def load_image_model(space: str, clip_folder: str | None) -> ImageModel:
    """The model of an embedding space. Raises `InvalidInputError` or `ModelUnusableError`."""
    if space == BUNDLED_SPACE:
        return load_bundled_model(EFFICIENTNET)
    if clip_folder is None:
        raise InvalidInputError(f"No model is set for the embedding space {space}.")
    return open_clip(clip_folder)


def _create_session(model: bytes | str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # There is already one worker per core.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
