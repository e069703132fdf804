"""What models see in a picture: a vector that says what it looks like, and a score for explicit content.

Two models are in the package (ml/data/NOTICE-images.txt): EfficientNet-Lite0, and the classifier of nsfwjs, whose five
shares are drawing, hentai, neutral, porn and sexy. A model of the CLIP family comes from a folder of the
person's own, and its preprocessing is declared: CLIP's own, unless `mysticanvas.json` in the folder says
otherwise ({"mean": [r, g, b], "std": [r, g, b], "crop": true}, of colours from 0 to 1).
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
from mysticanvas.ml.image_model_settings import BUILT_IN, CLIP_IMAGE, CLIP_SETTINGS

Floats = NDArray[np.float32]

EXPLICIT_SHARES = (1, 3)
USUAL_SIDE_PX, LARGEST_SIDE_PX = 224, 1_024
MAX_SETTINGS_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Preparation:
    """Colours from 0 to 1 become (colour - mean) / std, channels first. With `crop` the middle square is looked
    at, else all of the picture, made square."""

    side_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop: bool = False
    kernel: str = "cubic"


@dataclass(frozen=True, slots=True)
class Shipped:
    file: str
    sha256: str
    preparation: Preparation


# Colours from 0 to 255 become (colour - 127) / 128.
EFFICIENTNET = Shipped(
    "efficientnet_lite0.onnx",
    "3b68f303be183cf29fd35b42cad3e1ca6deb5e77077b2dff99db49681a4e4e80",
    Preparation(224, (127 / 255,) * 3, (128 / 255,) * 3),
)
NSFW = Shipped(
    "nsfw_mobilenet.onnx",
    "72c5c884f24c4999adee24d112b07c2f17bbf216a732c0c6fc12e90393f7b8c2",
    Preparation(224, (0.0,) * 3, (1.0,) * 3, kernel="linear"),
)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class Eye:
    """One model, loaded: pictures to rows of numbers."""

    def __init__(self, session: Any, preparation: Preparation) -> None:
        self._session = session
        self._preparation = preparation
        self._input = session.get_inputs()[0].name
        self._output = session.get_outputs()[0].name

    def see(self, pictures: Sequence[pyvips.Image]) -> Floats:
        """A row a picture."""
        rows = []
        for picture in pictures:
            # One at a time: some exports take no more, and none is quicker with more on one core.
            [answer] = self._session.run([self._output], {self._input: prepared(picture, self._preparation)[None]})
            rows.append(np.asarray(answer, np.float32).reshape(-1))
        return np.stack(rows)


def decoded(content: bytes) -> pyvips.Image:
    """A picture of our own making: RGB, on white. Raises `UnreadableFileError`."""
    try:
        image = pyvips.Image.new_from_buffer(content, "").colourspace("srgb")
        image = image.flatten(background=[255, 255, 255]) if image.hasalpha() else image
        return image.cast("uchar").copy_memory()
    except pyvips.Error as error:
        raise UnreadableFileError(f"The picture cannot be decoded: {error}") from error


def prepared(picture: pyvips.Image, how: Preparation) -> Floats:
    """Channels, rows, columns."""
    x_scale, y_scale = how.side_px / picture.width, how.side_px / picture.height
    if how.crop:
        x_scale = y_scale = max(x_scale, y_scale)
    picture = picture.resize(x_scale, vscale=y_scale, kernel=how.kernel)
    left, top = max(0, (picture.width - how.side_px) // 2), max(0, (picture.height - how.side_px) // 2)
    picture = picture.crop(left, top, min(how.side_px, picture.width), min(how.side_px, picture.height))
    pixels = picture.numpy().astype(np.float32) / 255
    return np.ascontiguousarray(
        ((pixels - np.array(how.mean, np.float32)) / np.array(how.std, np.float32)).transpose(2, 0, 1)
    )


def explicit(shares: Floats) -> list[float]:
    """From 0 to 1, one a row of the classifier's shares."""
    return [round(min(1.0, float(row[list(EXPLICIT_SHARES)].sum())), 3) for row in shares]


@cache
def shipped(model: Shipped) -> Eye:
    """Raises `ModelUnusableError`."""
    content = (resources.files("mysticanvas.ml") / "data" / model.file).read_bytes()
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise ModelUnusableError(f"The model {model.file} is not the one MystiCanvas knows.")
    return Eye(_session(content), model.preparation)


@lru_cache(maxsize=1)
def open_clip(folder: str) -> Eye:
    """The side of a CLIP model that looks at pictures; the last one opened stays loaded. Raises
    `InvalidInputError`."""
    place = Path(folder) / CLIP_IMAGE
    try:
        session = _session(str(place))
    except ImportError as error:
        raise InvalidInputError("Looking at pictures needs an extra: pip install 'mysticanvas[vision]'") from error
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["unknown fault"])[0][:300]
        raise InvalidInputError(f"The model {place} cannot be loaded: {reason}") from error
    shape = list(session.get_inputs()[0].shape)
    side_px = shape[2] if len(shape) == 4 and isinstance(shape[2], int) else USUAL_SIDE_PX
    if len(shape) != 4 or shape[1] not in (3, "channels", "num_channels") or not 1 <= side_px <= LARGEST_SIDE_PX:
        raise InvalidInputError(f"{place} does not look at pictures as a CLIP model does.")
    return Eye(session, clip_preparation(Path(folder), side_px))


def clip_preparation(folder: Path, side_px: int) -> Preparation:
    """Raises `InvalidInputError` for settings that make no sense."""
    place = folder / CLIP_SETTINGS
    try:
        said = json.loads(place.read_bytes()[:MAX_SETTINGS_BYTES]) if place.is_file() else {}
        mean, std = (
            tuple(map(float, said.get(name, usual))) for name, usual in (("mean", CLIP_MEAN), ("std", CLIP_STD))
        )
        if len(mean) != 3 or len(std) != 3 or not all(value > 0 for value in std):
            raise ValueError(place)
        return Preparation(side_px, mean, std, crop=bool(said.get("crop", True)))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidInputError(f"{place} does not say how pictures are prepared.") from error


def eye_of(space: str, clip_folder: str | None) -> Eye:
    """Raises `InvalidInputError`, `ModelUnusableError`."""
    if space == BUILT_IN:
        return shipped(EFFICIENTNET)
    if clip_folder is None:
        raise InvalidInputError(f"There is no model for the space {space}.")
    return open_clip(clip_folder)


def _session(model: bytes | str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # There is a worker a core already.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
