"""The requests and responses of the routes for imports and the status of the library."""

from dataclasses import dataclass, replace

from pydantic import BaseModel, Field

from mysticanvas.db.images.folders import FolderState
from mysticanvas.features.importing.types import ImportProgress, ImportReport, ImportState
from mysticanvas.http.schemas import MAX_QUERY, PathText

# -- requests ---------------------------------------------------------------------------------


class ImportRequest(BaseModel):
    """`paths`: absolute paths of folders. `watch`: import new files in them from now on."""

    paths: list[PathText] = Field(min_length=1, max_length=100)
    dry_run: bool = False
    watch: bool = True


class ReparseRequest(BaseModel):
    """`q`: a search. If empty, it selects all images, including those in Trash. `all`: include images that the current
    parsers have already parsed."""

    q: str = Field("", max_length=MAX_QUERY)
    everything: bool = Field(False, alias="all")


# -- responses --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobCounts:
    """The number of jobs in each state."""

    waiting: int
    running: int
    failed: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning that every page shows. `id` is the ID of its event."""

    id: int
    message: str


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """`total` is the number of images outside the Trash. `current_import` is null while no import is running. `error`
    says why the library or its journal cannot be written, and is null if it can. `notice` is the newest warning of the
    last 7 days, null if there is none. `first_run`: the library has no folders yet."""

    app_version: str
    total: int
    folders: list[FolderState]
    current_import: ImportProgress | None
    jobs: JobCounts
    first_run: bool
    error: str | None
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class ImportStarted:
    """The ID of the import."""

    id: str


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """`report` is null until the import has ended."""

    progress: ImportProgress
    report: ImportReport | None


@dataclass(frozen=True, slots=True)
class FolderSuggestion:
    """A folder on this machine. `label` is the program that writes images there."""

    path: str
    label: str


@dataclass(frozen=True, slots=True)
class FolderSuggestions:
    folders: list[FolderSuggestion]


# -- examples ---------------------------------------------------------------------------------

EXAMPLE_FOLDER = FolderState(
    id=1,
    path="/home/you/ComfyUI/output",
    state="online",
    watched=True,
    images=12_480,
    missing=0,
    untracked=1,
    last_scan_at=1_787_400_000_000,
    error=None,
    would_miss=0,
    not_shown={"JSON": 3},
    excluded=0,
    excludes=["previews/"],
)
EXAMPLE_PROGRESS = ImportProgress(
    id="6f0c1f5e-6d0f-4f1c-9d43-0a3a8f1f2b10",
    state=ImportState.READING,
    folders=["/home/you/ComfyUI/output"],
    dry_run=False,
    seen=12_480,
    imported=3_000,
    changed=0,
    unchanged=1_200,
    moved=0,
    copies=0,
    failed=0,
    missing=0,
    todo=8_280,
    rate_per_s=350.0,
    eta_s=23.7,
    seconds=12.0,
)
EXAMPLE_IMPORT = ImportStatus(
    progress=replace(
        EXAMPLE_PROGRESS, state=ImportState.DONE, imported=11_280, todo=0, rate_per_s=346.7, eta_s=0.0, seconds=36.0
    ),
    report=ImportReport(
        files_seen=12_480,
        imported=11_280,
        changed=0,
        unchanged=1_200,
        moved=0,
        copies=0,
        failed=0,
        missing=0,
        seconds=36.0,
        not_shown={"JSON": 3},
    ),
)
EXAMPLE_STATUS = LibraryStatus(
    app_version="0.1.0",
    total=12_480,
    folders=[EXAMPLE_FOLDER],
    current_import=None,
    jobs=JobCounts(waiting=120, running=2, failed=1),
    first_run=False,
    error=None,
    notice=None,
)
EXAMPLE_STARTED = ImportStarted("6f0c1f5e-6d0f-4f1c-9d43-0a3a8f1f2b10")
EXAMPLE_SUGGESTIONS = FolderSuggestions([FolderSuggestion("/home/you/ComfyUI/output", "ComfyUI")])
