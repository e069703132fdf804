"""What the Orchestrator asks of worker processes, and what they answer.

Every task and every answer travels as MessagePack, so they are plain dataclasses of plain values.
`root` is the absolute path of a watched folder as the system spells it; `path_bytes` is relative to
it. A worker opens `path_bytes` part by part and never follows a link.
"""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from mysticanvas.domain.file import FileStat, ImageFormat
from mysticanvas.domain.generation import Recipe
from mysticanvas.domain.machine import Endpoint, MachineTag
from mysticanvas.domain.model_tasks import HashModel, ListModels, ModelHashed, ModelListing, ModelRead, ReadModel
from mysticanvas.domain.verifying import FilesVerified, RootRescanned, VerifyFiles


@dataclass(frozen=True, slots=True)
class ListFolder:
    """List one folder (not its sub-folders). `path_bytes` is b"" for the root itself."""

    root: bytes
    path_bytes: bytes


@dataclass(frozen=True, slots=True)
class FolderListing:
    """`images` are regular files that may be images, by name; `folders` are sub-folders to list
    next (links are left out); `sidecars` are files whose text may belong to an image."""

    images: list[FileStat]
    folders: list[bytes]
    sidecars: list[bytes]


@dataclass(frozen=True, slots=True)
class FileToRead:
    """`sidecars` are paths beside it to try."""

    path_bytes: bytes
    sidecars: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReadImages:
    """Read head, texts and fingerprint of some images: several at once, because a message costs as
    much as a file."""

    root: bytes
    files: list[FileToRead]


@dataclass(frozen=True, slots=True)
class ImageRead:
    """`stat` was equal before and after reading. `raw` is zlib-compressed JSON of the text entries
    ([carrier, key, text] each), b"" when there are none. `fingerprint` is 32 bytes: BLAKE3 over
    the size and both ends of the file. `params_json` is `recipe.params`, which is empty here: the
    Orchestrator stores it and need not read it. `sidecars` are those beside it that were read.
    `is_grid`: a sheet of several images."""

    stat: FileStat
    format: ImageFormat
    width_px: int
    height_px: int
    frames: int
    complete: bool
    fingerprint: bytes
    recipe: Recipe
    params_json: str
    raw: bytes
    problems: list[str]
    sidecars: list[FileStat] = field(default_factory=list)
    is_grid: bool = False


@dataclass(frozen=True, slots=True)
class NotRead:
    """`reason` is a sentence for the person."""

    reason: str


@dataclass(frozen=True, slots=True)
class ImagesRead:
    """In the order asked. Fewer than asked: the answer was large enough; ask again for the rest."""

    reads: list[ImageRead | NotRead]


@dataclass(frozen=True, slots=True)
class HashFile:
    """Hash one whole file. `algorithm` is "blake3" or "sha256"."""

    root: bytes
    path_bytes: bytes
    algorithm: str = "blake3"


@dataclass(frozen=True, slots=True)
class FileHashed:
    stat: FileStat
    digest: bytes


@dataclass(frozen=True, slots=True)
class MakeThumbs:
    """Hash, decode and shrink one image, and look for text in its pixels. `short_edges_px` are the
    sizes wanted, small to large."""

    root: bytes
    path_bytes: bytes
    short_edges_px: list[int]


@dataclass(frozen=True, slots=True)
class ThumbsMade:
    """`webps` is parallel to the sizes asked for; empty when the pixels could not be decoded, and
    then `damage` says why. `color_rgb` is the dominant colour as 0xRRGGBB. `blake3` is of the whole
    file (32 bytes), None when the file is larger than may be hashed. `hidden` is the text that the
    pixels of an image hide which says nothing else of how it was made; None when they hide none.
    `phash` (pixels/phash.py) is None for a picture without contrast."""

    stat: FileStat
    blake3: bytes | None
    color_rgb: int | None
    webps: list[bytes]
    damage: str | None
    hidden: str | None = None
    phash: bytes | None = None


@dataclass(frozen=True, slots=True)
class EmbedTexts:
    """What some prompts mean, in the space of one model (meaning/spaces.py). `hashes` are parallel to
    the texts and come back with the vectors."""

    space: str
    hashes: list[bytes]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class TextsEmbedded:
    """`vectors` is parallel to the hashes: signed bytes, one a dimension."""

    space: str
    hashes: list[bytes]
    vectors: list[bytes]


@dataclass(frozen=True, slots=True)
class HashPicture:
    """The perceptual hash of one image, for those that had their thumbnails before there was one."""

    root: bytes
    path_bytes: bytes


@dataclass(frozen=True, slots=True)
class PictureHashed:
    """`phash` is the hash and the look (pixels/phash.py); None for a picture without contrast."""

    stat: FileStat
    phash: bytes | None


@dataclass(frozen=True, slots=True)
class AskForTags:
    """Ask a model server for the tags of one image: the one task that uses the network, and only the
    endpoint that it names. `picture` is a small WebP for a model that sees; of `vocabulary`, the names
    that are nearest to the prompt are offered. `key` is never stored."""

    endpoint: Endpoint
    prompt: str | None
    picture: bytes | None = None
    vocabulary: list[str] = field(default_factory=list)
    limit_s: float = 120.0
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class TagsSuggested:
    tags: list[MachineTag]


@dataclass(frozen=True, slots=True)
class KeptTexts:
    """The texts of one image as they were kept at its import: `raw` as in `ImageRead`."""

    generation: int
    raw: bytes
    file_name: str


@dataclass(frozen=True, slots=True)
class ReadKept:
    """Read kept texts again; no file is opened."""

    images: list[KeptTexts]


@dataclass(frozen=True, slots=True)
class KeptRead:
    """`recipes` (JSON, as `domain/recipe_json.py` has it; b"" where what was kept is damaged) is parallel
    to `generations`: as many of the images asked for as fit the time and the size of one answer."""

    generations: list[int]
    recipes: list[bytes]


@dataclass(frozen=True, slots=True)
class TagPicture:
    """What does one image show? `folder` holds the tagger's model; labels below the least confidence of their
    category are left out, and of the others all but the `most` certain."""

    root: bytes
    path_bytes: bytes
    folder: str
    least_general: float
    least_character: float
    most: int


@dataclass(frozen=True, slots=True)
class PictureTagged:
    """The most certain first."""

    tags: list[MachineTag]


@dataclass(frozen=True, slots=True)
class LookAtPictures:
    """What do these pictures look like, and, with `judge`, how explicit are they? `pictures` are files of thumbnails,
    parallel to the hashes of the images; `spaces` name the models; `clip_folder` holds the one that is not ours."""

    hashes: list[bytes]
    pictures: list[bytes]
    spaces: list[str]
    clip_folder: str | None
    judge: bool


@dataclass(frozen=True, slots=True)
class PicturesSeen:
    """`explicit` and the vectors of each space, a signed byte a dimension, are parallel to the hashes."""

    hashes: list[bytes]
    explicit: list[float] | None
    vectors: dict[str, list[bytes]]


Task = (
    ListFolder
    | ReadImages
    | HashFile
    | MakeThumbs
    | ListModels
    | ReadModel
    | HashModel
    | ReadKept
    | EmbedTexts
    | HashPicture
    | AskForTags
    | VerifyFiles
    | TagPicture
    | LookAtPictures
)
Answer = (
    FolderListing
    | ImagesRead
    | FileHashed
    | ThumbsMade
    | ModelListing
    | ModelRead
    | ModelHashed
    | KeptRead
    | TextsEmbedded
    | PictureHashed
    | TagsSuggested
    | FilesVerified
    | RootRescanned
    | PictureTagged
    | PicturesSeen
)

# Tasks that a cluster may do: what they need is in them, or is the one file that they name.
TRAVELLING_WITH_FILE = (HashFile, MakeThumbs, HashPicture)
TRAVELLING = (*TRAVELLING_WITH_FILE, ReadKept, EmbedTexts)


class Executor(Protocol):
    """Whatever can run a task somewhere else."""

    def submit(self, task: Task, *, urgent: bool = False) -> Future[Answer]:
        """The future fails with a `TaskError`; cancelling one that has not started drops it."""
        ...
