"""Progress and report of an import."""

from dataclasses import dataclass, field
from enum import StrEnum

from mysticanvas.domain.file import Failure


class ImportState(StrEnum):
    """LISTING → READING → DONE | FAILED | CANCELLED. Listing and reading overlap. In READING, all folders have been
    listed, so `todo` is exact."""

    LISTING = "listing"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self in (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED)


@dataclass(slots=True)
class ImportCounts:
    """`seen` = imported + changed + unchanged + moved + copies + failed, once the import has ended. `changed` counts
    known paths with new content. `missing` counts known files that were not found; they are not included in
    `seen`."""

    seen: int = 0
    imported: int = 0
    changed: int = 0
    unchanged: int = 0
    moved: int = 0
    copies: int = 0
    failed: int = 0
    missing: int = 0

    @property
    def processed(self) -> int:
        return self.imported + self.changed + self.unchanged + self.moved + self.copies + self.failed


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """`folders` are the paths of the folders being imported. `todo` counts the files that were found and are not
    processed yet. `rate_per_s` counts processed files. `eta_s` (seconds) is null while folders are still being listed.
    `seconds` is the time since the start. `message` is for the user, such as why the import failed; empty if there is
    none."""

    id: str
    state: ImportState
    folders: list[str]
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
    """`files_seen` = `imported` + `changed` + `unchanged` + `moved` + `copies` + `failed`. `changed` counts known files
    with new content. `missing` counts known files that were not found. `failures` lists the files that could not be
    imported, and `offline` says which folders were not available. `examples` are paths that a dry run would change, by
    the names of the counts. `asks`: a scan would require confirmation, because too many files would be missing.
    `not_shown` counts the files that are not images, by kind."""

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
    not_shown: dict[str, int] = field(default_factory=dict)
