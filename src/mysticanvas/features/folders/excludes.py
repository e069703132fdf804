"""Exclude patterns of a folder: what they would hide, and applying them. No file and no row is deleted."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from mysticanvas.db.database import Database
from mysticanvas.db.images import excludes as queries
from mysticanvas.db.images import folders
from mysticanvas.db.images.folders import WatchedFolder
from mysticanvas.domain.errors import ConflictError
from mysticanvas.domain.generation import GenerationId
from mysticanvas.edits.runner import EditRunner
from mysticanvas.edits.types import EditResult
from mysticanvas.features.folders.edits import ExcludeFiles, IncludeFiles
from mysticanvas.features.folders.exclude_rules import Rules, filter_hidden, list_shown, load_rules
from mysticanvas.fs.exclusions import Exclusions, clean_patterns

FILES_PER_PAGE = 5_000
MAX_EXAMPLES = 50


@dataclass(slots=True)
class ExcludePreview:
    """What patterns would change. `hide`: the number of images that would be hidden, with some of their paths in
    `examples`. `show`: the number of excluded images that would be shown again. `kept`: the number of images with an
    excluded file that stay visible, because they have another one. `patterns`: the patterns without empty lines and
    duplicates."""

    patterns: list[str]
    hide: int = 0
    show: int = 0
    kept: int = 0
    examples: list[str] = field(default_factory=list)


def preview(database: Database, root_id: int, patterns: Sequence[str]) -> ExcludePreview:
    """Raises `NotFoundError` for an unknown folder, `InvalidInputError` for an invalid pattern, `ConflictError` while
    the folder is offline."""
    root, kept, rules = _prepare(database, root_id, patterns)
    hidden, visible = _find_hidden(database, root, rules)
    shown = database.read(list_shown, rules, root_id)
    return ExcludePreview(kept, len(hidden), len(shown), visible, list(hidden.values())[:MAX_EXAMPLES])


@dataclass(frozen=True, slots=True)
class Excluded:
    """`kept` as in `ExcludePreview`."""

    edit: EditResult
    kept: int


def set_patterns(database: Database, edits: EditRunner, root_id: int, patterns: Sequence[str]) -> Excluded | None:
    """Replace the patterns of a folder, hide the images that are excluded and show the others again, in one edit.
    None when nothing changes. Raises as `preview`."""
    root, kept, rules = _prepare(database, root_id, patterns)
    found, visible = _find_hidden(database, root, rules)
    hidden = list(found)
    same = kept == database.read(queries.list_patterns, root_id)
    if same and not hidden and not database.read(list_shown, rules, root_id):
        return None
    steps = [ExcludeFiles(root=root_id, folder=root.path, patterns=kept), IncludeFiles(root=root_id)]
    return Excluded(edits.do_all(ExcludeFiles.kind, steps, hidden), visible)


def _prepare(database: Database, root_id: int, patterns: Sequence[str]) -> tuple[WatchedFolder, list[str], Rules]:
    kept = clean_patterns(patterns)
    root = database.read(folders.find_folder, root_id)
    if not os.path.isdir(root.path):
        # What a program made is sometimes recognized by the files beside it.
        raise ConflictError(
            f"The folder {root.path} is not available. Connect its drive, and then change its exclude patterns."
        )
    rules = database.read(load_rules)
    rules[root_id] = Exclusions(os.fsencode(root.path), tuple(kept))
    return root, kept, rules


def _find_hidden(database: Database, root: WatchedFolder, rules: Rules) -> tuple[dict[GenerationId, str], int]:
    """The visible images that would be hidden, with the path of one of their files, and the number of those that have
    an excluded file and would not be hidden."""
    assert root.id is not None
    found: dict[GenerationId, str] = {}
    kept: set[GenerationId] = set()
    after = b""
    while page := database.read(queries.list_visible, root.id, after=after, limit=FILES_PER_PAGE):
        after = page[-1][1]
        excluded = {i: path for i, path in page if rules[root.id].find_file_source(path) is not None}
        hidden = database.read(filter_hidden, rules, list(excluded))
        found |= {i: path.decode("utf-8", "replace") for i, path in excluded.items() if i in hidden}
        kept |= excluded.keys() - hidden
    return found, len(kept)
