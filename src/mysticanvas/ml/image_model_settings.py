"""Models that look at pictures, as every part names them: their spaces, their files, what the person wants of them."""

from dataclasses import dataclass

# The model that comes with MystiCanvas; the name of every space of pictures begins with "picture-".
BUILT_IN = "picture-efficientnet-1"
CLIP_SPACES = "picture-clip-"
# The files of a model of the CLIP family, in a folder of the person's own; the last one may be missing.
CLIP_IMAGE, CLIP_TEXT = "clip_image.onnx", "clip_text.onnx"
CLIP_VOCABULARY, CLIP_MERGES = "vocab.json", "merges.txt"
CLIP_SETTINGS = "mysticanvas.json"


@dataclass(frozen=True, slots=True)
class Clip:
    """`space` names the model as it was when it was chosen. `has_text`: it reads words, too, so that pictures are
    found by what they show."""

    folder: str
    space: str
    has_text: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """Whether pictures are looked at as they come, by which model beside the one of our own, and from which score on
    a picture counts as explicit."""

    is_on: bool = False
    clip: Clip | None = None
    least_explicit: float = 0.7

    @property
    def spaces(self) -> list[str]:
        """The models, the quickest first."""
        return [BUILT_IN] + ([] if self.clip is None else [self.clip.space])
