"""The list of features.

A feature is a package in `features/`. Its `feature.py` is loaded by the Orchestrator, its `commands.py` by the
command line, its `task.py` by a worker process at the first task of the feature.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mysticanvas.features.base import Feature

# Their parts start in this order.
FEATURES = (
    "importing",
    "journal",
    "folders",
    "thumbnails",
    "images",
    "history",
    "tags",
    "collections",
    "trash",
    "templates",
    "lineage",
    "models",
    "file_hashes",
    "duplicates",
    "semantic",
    "vision",
    "wd_tagger",
    "autotag",
    "verify",
    "sidecars",
    "archive",
    "migrate",
    "backups",
    "doctor",
    "event_hooks",
    "events",
    "access",
)


@cache
def load() -> "list[Feature]":
    """Imports every feature and registers its jobs, edits, hooks and repairs. Runs once."""
    # Imported here because the command line imports this module, and must start fast.
    from mysticanvas.edits import background
    from mysticanvas.edits import kinds as edit_kinds
    from mysticanvas.features import hooks, repairs
    from mysticanvas.jobs import kinds as job_kinds

    found: list[Feature] = [import_module(f"mysticanvas.features.{name}.feature").FEATURE for name in FEATURES]
    for feature in found:
        job_kinds.register(*feature.jobs)
        edit_kinds.register(feature.edits, feature.recorded)
        background.register(feature.slices)
    hooks.register([feature.import_hooks for feature in found if feature.import_hooks is not None])
    repairs.register(
        [repair for feature in found for repair in feature.repairs],
        [cleanup for feature in found for cleanup in feature.cleanups],
        [check for feature in found for check in feature.checks],
    )
    return found


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of every feature. Imports only their `commands.py`."""
    for name in FEATURES:
        module = f"mysticanvas.features.{name}.commands"
        if find_spec(module) is not None:
            import_module(module).add_commands(app)
