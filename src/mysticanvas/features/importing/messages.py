"""The tasks of an import and their answers."""

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, ClassVar, get_type_hints

import msgspec

from mysticanvas.domain.file import FileStat, ImageFormat
from mysticanvas.domain.generation import Recipe
from mysticanvas.domain.task import Task, Travel
from mysticanvas.fs.scanner import FolderListing

REPARSE_JOB = "reparse"


@dataclass(frozen=True, slots=True)
class ListFolder(Task):
    """List one folder, without subfolders. `path_bytes` is b"" for the root. `excludes` are the exclude patterns of
    the root."""

    answer_type: ClassVar[type] = FolderListing
    root: bytes
    path_bytes: bytes
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileToRead:
    """`sidecars` are paths of sidecars that may belong to the file."""

    path_bytes: bytes
    sidecars: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ImageRead:
    """`stat` was the same before and after reading. `raw` is zlib-compressed JSON of the text entries
    ([carrier, key, text] each), b"" when there are none. `fingerprint` is 32 bytes: BLAKE3 of the size and both ends
    of the file. `params_json` is `recipe.params` as JSON; `recipe.params` is empty, because the Orchestrator stores
    the JSON without decoding it. `sidecars` are the sidecars that were read. `is_grid`: the image is a grid of several
    images."""

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
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class NotRead:
    """`reason` is a sentence for the user."""

    reason: str


@dataclass(frozen=True, slots=True)
class ImagesRead:
    """Results in the order of the request. When the answer reaches its size limit, it contains fewer results: request
    the remaining files again."""

    reads: list[ImageRead | NotRead]

    def to_wire(self) -> bytes:
        """Encode recipes as arrays without field names, because there are many of them."""
        reads = [read.reason if isinstance(read, NotRead) else _encode_read(read) for read in self.reads]
        return msgspec.msgpack.encode(reads)

    @classmethod
    def from_wire(cls, body: bytes) -> "ImagesRead":
        return cls([NotRead(r) if isinstance(r, str) else _decode_read(r) for r in _reads_decoder.decode(body)])


@dataclass(frozen=True, slots=True)
class ReadImages(Task):
    """Read header, texts and fingerprint of several images. They share one message, because a message costs as much
    as a file."""

    answer_type: ClassVar[type] = ImagesRead
    root: bytes
    files: list[FileToRead]


@dataclass(frozen=True, slots=True)
class StoredTexts:
    """The texts of one image, stored when it was imported. `raw` is as in `ImageRead`."""

    generation: int
    raw: bytes
    file_name: str


@dataclass(frozen=True, slots=True)
class TextsReparsed:
    """`recipes` is parallel to `generations`: JSON as in `domain/recipe_json.py`, or b"" when the stored texts are
    damaged. Contains fewer images than requested when the answer reaches its time or size limit."""

    generations: list[int]
    recipes: list[bytes]


@dataclass(frozen=True, slots=True)
class ReparseTexts(Task):
    """Parse stored texts again. No file is opened."""

    answer_type: ClassVar[type] = TextsReparsed
    travel: ClassVar[Travel] = Travel.SELF_CONTAINED
    images: list[StoredTexts]


# A seed may exceed 64 bits, so it is encoded as text.
_FIELDS = tuple(field.name for field in fields(Recipe))
_SEED = _FIELDS.index("seed")
_get_values = attrgetter(*_FIELDS)
_RecipeOnWire = msgspec.defstruct(
    "_RecipeOnWire",
    [(name, str | None if name == "seed" else kind) for name, kind in get_type_hints(Recipe).items()],
    array_like=True,
)


class _ReadOnWire(msgspec.Struct, array_like=True):
    """`recipe` is an encoded `_RecipeOnWire`, which is decoded separately."""

    stat: FileStat
    format: ImageFormat
    width_px: int
    height_px: int
    frames: int
    complete: bool
    fingerprint: bytes
    recipe: msgspec.Raw
    params_json: str
    raw: bytes
    problems: list[str]
    sidecars: list[FileStat]
    is_grid: bool
    orientation: int


_get_read_values = attrgetter(*(name for name in _ReadOnWire.__struct_fields__))
_RECIPE = _ReadOnWire.__struct_fields__.index("recipe")
_recipe_decoder = msgspec.msgpack.Decoder(_RecipeOnWire)
_reads_decoder = msgspec.msgpack.Decoder(list[_ReadOnWire | str])


def _encode_read(read: ImageRead) -> list[Any]:
    recipe = list(_get_values(read.recipe))
    recipe[_SEED] = None if recipe[_SEED] is None else str(recipe[_SEED])
    values = list(_get_read_values(read))
    values[_RECIPE] = recipe
    return values


def _decode_read(wire: _ReadOnWire) -> ImageRead:
    recipe = list(_get_values(_recipe_decoder.decode(wire.recipe)))
    recipe[_SEED] = None if recipe[_SEED] is None else int(recipe[_SEED])
    values = list(_get_read_values(wire))
    values[_RECIPE] = Recipe(*recipe)
    return ImageRead(*values)
