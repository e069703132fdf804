"""Removes what a killed process left in the library folder: unfinished backups and temporary copies."""

import logging
import shutil
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

# Patterns in the library folder. A finished backup has another name, and a running one holds the lock.
_PATTERNS = (
    "backups/*.part",
    "backups/*.part-journal",
    "backups/drill-*",
    "checking-*",
    "scratch/foreign-*",
    "mysticanvas.db.restored*",
    "reserve.part",
)


def remove_leftovers(folder: Path) -> list[str]:
    """Call only while the lock of the library is held. Returns the paths, relative to `folder`; what cannot be removed
    is left."""
    removed = []
    for path in sorted(one for pattern in _PATTERNS for one in folder.glob(pattern)):
        with suppress(OSError):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            removed.append(str(path.relative_to(folder)))
    if removed:
        log.info("unfinished files removed", extra={"files": removed})
    return removed
