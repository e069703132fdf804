"""The requests and responses of the routes for folders."""

from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from mysticanvas.db.images.folders import FolderState, RemovedFolder
from mysticanvas.db.images.missing import MissingFile
from mysticanvas.domain.file import Failure
from mysticanvas.edits.types import EditResult
from mysticanvas.features.folders.excludes import ExcludePreview
from mysticanvas.features.importing.schemas import EXAMPLE_FOLDER as EXAMPLE_STATE
from mysticanvas.features.importing.schemas import EXAMPLE_STARTED
from mysticanvas.fs.exclusions import MAX_PATTERN_LENGTH, MAX_PATTERNS
from mysticanvas.http.schemas import Index, PathText

# -- requests ---------------------------------------------------------------------------------


class FolderRequest(BaseModel):
    """`path`: the absolute path of a folder on this machine. `watch`: import new files in it from now on."""

    path: PathText
    watch: bool = True


class ScanRequest(BaseModel):
    """`accept`: mark all files that are not found as missing, even if there are many."""

    accept: bool = False
    dry_run: bool = False


class LocateRequest(BaseModel):
    """The absolute path of the file."""

    path: str = Field(min_length=1, max_length=4_000)


class ForgetRequest(BaseModel):
    """IDs of missing files, or the ID of a folder for all of its missing files."""

    files: list[Index] | None = Field(None, max_length=10_000)
    folder: Index | None = None


Pattern = Annotated[str, Field(max_length=MAX_PATTERN_LENGTH)]


class ExcludesRequest(BaseModel):
    """All exclude patterns of the folder, in the syntax of .gitignore and relative to the folder."""

    patterns: list[Pattern] = Field(max_length=MAX_PATTERNS)


# -- responses --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder(FolderState):
    """A library folder. `state` is "online" or "offline" as of the last scan; `error` is why it is offline, or what a
    scan needs the user to confirm. `available`, `read_only` and `watching` are its state on the disk at this moment.
    `images` counts its files in the library, `missing` those that were not found, and `untracked` those that could not
    be imported. `would_miss` counts files that the last scan would have marked missing but did not. `not_shown` counts,
    by kind, the files that are not images. `excluded` counts the images that are hidden because all of their files
    match the patterns in `excludes`. `last_scan_at` is null before the first scan. `not_watched` is the reason why a
    folder is scanned from time to time instead of being watched."""

    available: bool
    read_only: bool
    watching: bool
    not_watched: str | None


@dataclass(frozen=True, slots=True)
class FolderList:
    """`removed` are former folders whose images are still in the library. Adding one again restores it."""

    folders: list[Folder]
    removed: list[RemovedFolder]


@dataclass(frozen=True, slots=True)
class FolderAdded:
    """`folder` contains the added path; it is an existing folder if the path is in one. `scan` is the ID of the import
    that scans the path."""

    folder: Folder
    scan: str


@dataclass(frozen=True, slots=True)
class FolderRemoved:
    """The path of the folder."""

    path: str


@dataclass(frozen=True, slots=True)
class UntrackedFiles:
    """The first 500 files that could not be imported, by path, with the reason."""

    files: list[Failure]


@dataclass(frozen=True, slots=True)
class MissingFilePage:
    """Missing files by ID. `next` is the `after` of the next page; null on the last page."""

    files: list[MissingFile]
    next: int | None


@dataclass(frozen=True, slots=True)
class FileLocated:
    """The UUID of the image that the file belongs to."""

    uuid: str


@dataclass(frozen=True, slots=True)
class FilesForgotten:
    """`copies` counts the forgotten files whose image has another file. All other images were moved to Trash by `edit`,
    which is null if there were none."""

    copies: int
    edit: EditResult | None


@dataclass(frozen=True, slots=True)
class ExcludesChanged:
    """`edit` hides and shows images, and can be undone; null if nothing changed. `scan` is the ID of the import that
    then scans the folder; null if nothing changed. `kept` counts the images that stay visible because another file of
    theirs is not excluded."""

    edit: EditResult | None
    scan: str | None
    kept: int


# -- examples ---------------------------------------------------------------------------------

EXAMPLE_FOLDER = Folder(**asdict(EXAMPLE_STATE), available=True, read_only=False, watching=True, not_watched=None)
EXAMPLE_FOLDERS = FolderList(
    [EXAMPLE_FOLDER],
    removed=[RemovedFolder(id=2, path="/home/you/old", images=40, removed_at=1_787_400_000_000)],
)
EXAMPLE_ADDED = FolderAdded(EXAMPLE_FOLDER, EXAMPLE_STARTED.id)
EXAMPLE_UNTRACKED = UntrackedFiles([Failure("2026/broken.png", "The file is empty.")])
EXAMPLE_MISSING = MissingFilePage(
    [
        MissingFile(
            id=81,
            uuid="0b7e7c1c-6f9f-4f1e-8a43-6b1a2e5c9d01",
            path="2026/fox.png",
            bytes=1_204_224,
            missing_at=1_787_400_000_000,
            thumb="9f" * 32,
            elsewhere=False,
        )
    ],
    next=None,
)
EXAMPLE_EDIT = EditResult(operation=12, changed=3, total=3)
EXAMPLE_LOCATED = FileLocated("0b7e7c1c-6f9f-4f1e-8a43-6b1a2e5c9d01")
EXAMPLE_FORGOTTEN = FilesForgotten(copies=1, edit=EXAMPLE_EDIT)
EXAMPLE_PREVIEW = ExcludePreview(["previews/"], hide=3, show=0, kept=1, examples=["previews/fox.png"])
EXAMPLE_EXCLUDES = ExcludesChanged(EXAMPLE_EDIT, EXAMPLE_STARTED.id, kept=0)
