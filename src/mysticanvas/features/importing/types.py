"""An import as a person follows it."""

from dataclasses import dataclass, field
from enum import StrEnum

from mysticanvas.domain.file import FileStat, ImageFormat
from mysticanvas.domain.generation import Recipe


class ImportState(StrEnum):
    """LISTING → READING → DONE | FAILED | CANCELLED. Listing and reading overlap; READING says
    that every folder has been listed, so that `todo` is exact."""

    LISTING = "listing"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self in (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or folder that could not be taken in. `path` is for reading, not for opening."""

    path: str
    reason: str


@dataclass(slots=True)
class ImportCounts:
    """`seen` = imported + changed + unchanged + moved + copies + failed, once the import is over. `changed`
    have other content at a known path. `missing` counts known files that were not found; they are not among
    the seen."""

    seen: int = 0
    imported: int = 0
    changed: int = 0
    unchanged: int = 0
    moved: int = 0
    copies: int = 0
    failed: int = 0
    missing: int = 0

    @property
    def settled(self) -> int:
        return self.imported + self.changed + self.unchanged + self.moved + self.copies + self.failed


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """`rate_per_s` counts settled files; `eta_s` is None while folders are still being listed."""

    id: str
    state: ImportState
    roots: list[str]
    dry_run: bool
    seen: int
    imported: int
    changed: int
    unchanged: int
    moved: int
    copies: int
    failed: int
    missing: int
    todo: int
    rate_per_s: float
    eta_s: float | None
    seconds: float
    message: str = ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """`examples` of a dry run are some paths of what it would change, by the names of the counts. `asks`:
    so much would be missing that a scan would ask first."""

    files_seen: int
    imported: int
    changed: int
    unchanged: int
    moved: int
    copies: int
    failed: int
    missing: int
    seconds: float
    failures: list[Failure] = field(default_factory=list)
    offline: list[str] = field(default_factory=list)
    examples: dict[str, list[str]] = field(default_factory=dict)
    asks: bool = False


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
