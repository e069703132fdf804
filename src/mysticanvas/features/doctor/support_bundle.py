"""The support bundle. It contains no prompts, tags, file names, folder names or API keys.

It is built only from values that are known to be safe, never by removing private values from larger data.
"""

import json
import platform
from dataclasses import asdict
from typing import Any

from mysticanvas import __version__
from mysticanvas.db import checks, event_log
from mysticanvas.db.database import Database
from mysticanvas.db.event_log import LogEntry
from mysticanvas.features import repairs
from mysticanvas.features.doctor import queries
from mysticanvas.fs import log_file
from mysticanvas.settings import Settings

EVENTS = 1_000
# Replaces paths, addresses and other text.
MASKED = "…"


def build_bundle(database: Database) -> dict[str, str]:
    """The text of each file in the bundle, by file name."""
    about = {
        "mysticanvas": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "database": database.read(queries.read_versions),
        "settings": _read_settings(),
        "counts": database.read_within(checks.CHECK_LIMIT_MS, queries.count_rows),
        "checks": {check.name: check.ok for check in repairs.run_checks(database)},
    }
    entries = database.read(event_log.list_newest, before=None, limit=EVENTS)
    return {
        "about.json": json.dumps(about, indent=2),
        "events.jsonl": "".join(json.dumps(_mask_event(one)) + "\n" for one in entries),
        "log.jsonl": "".join(line + "\n" for line in log_file.read_tail_without_values(database.folder)),
    }


def _read_settings() -> dict[str, Any]:
    """The settings, with every value masked that is not a number or a Boolean."""
    settings = asdict(Settings())
    return {name: value if isinstance(value, int | float | bool) else MASKED for name, value in settings.items()}


def _mask_event(one: LogEntry) -> dict[str, Any]:
    """The event without its subject and without text values."""
    numbers = {name: value for name, value in one.data.items() if isinstance(value, int | float | bool)}
    return {"id": one.id, "at": one.at, "level": one.level, "kind": one.kind, "data": numbers}
