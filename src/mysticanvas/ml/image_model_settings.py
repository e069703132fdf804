"""The settings of image analysis, and the names of image embedding spaces and model files."""

from dataclasses import dataclass

# The space of the bundled model. The names of all image embedding spaces begin with "picture-".
BUNDLED_SPACE = "picture-efficientnet-1"
CLIP_SPACE_PREFIX = "picture-clip-"
# The files in the folder of a CLIP model. CLIP_SETTINGS is optional.
CLIP_IMAGE, CLIP_TEXT = "clip_image.onnx", "clip_text.onnx"
CLIP_VOCABULARY, CLIP_MERGES = "vocab.json", "merges.txt"
CLIP_SETTINGS = "mysticanvas.json"


@dataclass(frozen=True, slots=True)
class ClipModel:
    """A CLIP model of the user. `space` identifies the version of its files when the user selected the folder. With
    `has_text` it also embeds text, so that images can be searched by a description."""

    folder: str
    space: str
    has_text: bool


@dataclass(frozen=True, slots=True)
class ImageAnalysisSettings:
    """Whether images are analyzed, by which model in addition to the bundled one, and the NSFW score from which an
    image is blurred."""

    is_on: bool = False
    clip: ClipModel | None = None
    least_explicit: float = 0.7

    @property
    def spaces(self) -> list[str]:
        """The spaces of the active models, the fastest model first."""
        return [BUNDLED_SPACE] + ([] if self.clip is None else [self.clip.space])
