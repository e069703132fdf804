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
    """List one folder (not its sub-folders). `path_bytes` is b"" for the root itself."""

    answer_type: ClassVar[type] = FolderListing
    root: bytes
    path_bytes: bytes


@dataclass(frozen=True, slots=True)
class FileToRead:
    """`sidecars` are paths beside it to try."""

    path_bytes: bytes
    sidecars: list[bytes] = field(default_factory=list)


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

    def to_wire(self) -> bytes:
        """Recipes are many: their fields travel in order, without names."""
        reads = [read.reason if isinstance(read, NotRead) else _encode_read(read) for read in self.reads]
        return msgspec.msgpack.encode(reads)

    @classmethod
    def from_wire(cls, body: bytes) -> "ImagesRead":
        return cls([NotRead(r) if isinstance(r, str) else _decode_read(r) for r in _reads_decoder.decode(body)])


@dataclass(frozen=True, slots=True)
class ReadImages(Task):
    """Read head, texts and fingerprint of some images: several at once, because a message costs as
    much as a file."""

    answer_type: ClassVar[type] = ImagesRead
    root: bytes
    files: list[FileToRead]


@dataclass(frozen=True, slots=True)
class StoredTexts:
    """The texts of one image as they were kept at its import: `raw` as in `ImageRead`."""

    generation: int
    raw: bytes
    file_name: str


@dataclass(frozen=True, slots=True)
class TextsReparsed:
    """`recipes` (JSON, as `domain/recipe_json.py` has it; b"" where what was kept is damaged) is parallel
    to `generations`: as many of the images asked for as fit the time and the size of one answer."""

    generations: list[int]
    recipes: list[bytes]


@dataclass(frozen=True, slots=True)
class ReparseTexts(Task):
    """Read kept texts again; no file is opened."""

    answer_type: ClassVar[type] = TextsReparsed
    travel: ClassVar[Travel] = Travel.SELF_CONTAINED
    images: list[StoredTexts]


# A seed may exceed 64 bits, so it travels as text.
_FIELDS = tuple(field.name for field in fields(Recipe))
_SEED = _FIELDS.index("seed")
_get_values = attrgetter(*_FIELDS)
_RecipeOnWire = msgspec.defstruct(
    "_RecipeOnWire",
    [(name, str | None if name == "seed" else kind) for name, kind in get_type_hints(Recipe).items()],
    array_like=True,
)


class _ReadOnWire(msgspec.Struct, array_like=True):
    """`recipe` is a `_RecipeOnWire`, decoded by itself."""

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
