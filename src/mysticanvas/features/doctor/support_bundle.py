"""What somebody who helps may read about a library: no prompt, no tag, no name of a file or folder, no key.

It is put together from what is known to be harmless, never by taking the private out of something.
"""

import json
import platform
from typing import Any

from mysticanvas import __version__
from mysticanvas.db import checks, event_log
from mysticanvas.db.database import Database
from mysticanvas.db.event_log import LogEntry
from mysticanvas.features.doctor import queries
from mysticanvas.fs import log_file
from mysticanvas.settings import Settings

EVENTS = 1_000
# What a path or an address is replaced by.
MASKED = "…"


def bundle(database: Database) -> dict[str, str]:
    """The texts of the bundle by their file names."""
    about = {
        "mysticanvas": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "database": database.read(queries.versions),
        "settings": _settings(),
        "counts": database.read_within(checks.CHECK_LIMIT_MS, queries.counts),
        "checks": {check.name: check.ok for check in checks.run_all(database)},
    }
    told = database.read(event_log.newest, before=None, limit=EVENTS)
    return {
        "about.json": json.dumps(about, indent=2),
        "events.jsonl": "".join(json.dumps(_event(one)) + "\n" for one in told),
        "log.jsonl": "".join(line + "\n" for line in log_file.tail_without_values(database.folder)),
    }


def _settings() -> dict[str, Any]:
    """Numbers and switches as they are; whatever is text is masked."""
    given: dict[str, Any] = {}
    known = Settings(**given).model_dump(mode="json")
    return {name: value if isinstance(value, int | float | bool) else MASKED for name, value in known.items()}


def _event(one: LogEntry) -> dict[str, Any]:
    numbers = {name: value for name, value in one.data.items() if isinstance(value, int | float | bool)}
    return {"id": one.id, "at": one.at, "level": one.level, "kind": one.kind, "data": numbers}
