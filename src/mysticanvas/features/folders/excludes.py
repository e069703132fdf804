"""Exclude patterns of a folder: what they would hide, and applying them. No file and no row is deleted."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from mysticanvas.db.database import Database, ReadTx
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
    `examples`. `show`: the number of excluded images that would be shown again. `patterns`: the patterns without empty
    lines and duplicates."""

    patterns: list[str]
    hide: int = 0
    show: int = 0
    examples: list[str] = field(default_factory=list)


def preview(database: Database, root_id: int, patterns: Sequence[str]) -> ExcludePreview:
    """Raises `NotFoundError` for an unknown folder, `InvalidInputError` for an invalid pattern, `ConflictError` while
    the folder is offline."""
    root, kept, rules = _prepare(database, root_id, patterns)
    hidden = _find_hidden(database, root, rules)
    shown = database.read(list_shown, rules, root_id)
    return ExcludePreview(kept, len(hidden), len(shown), list(hidden.values())[:MAX_EXAMPLES])


def set_patterns(database: Database, edits: EditRunner, root_id: int, patterns: Sequence[str]) -> EditResult | None:
    """Replace the patterns of a folder, hide the images that are excluded and show the others again, in one edit.
    None when nothing changes. Raises as `preview`."""
    root, kept, rules = _prepare(database, root_id, patterns)
    hidden = list(_find_hidden(database, root, rules))
    same = kept == database.read(queries.list_patterns, root_id)
    if same and not hidden and not database.read(list_shown, rules, root_id):
        return None
    steps = [ExcludeFiles(root=root_id, folder=root.path, patterns=kept), IncludeFiles(root=root_id)]
    return edits.do_all(ExcludeFiles.kind, steps, hidden)


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


def _find_hidden(database: Database, root: WatchedFolder, rules: Rules) -> dict[GenerationId, str]:
    """The visible images that would be hidden, with the path of one of their files."""
    assert root.id is not None
    found: dict[GenerationId, str] = {}
    after = b""
    while page := database.read(queries.list_visible, root.id, after=after, limit=FILES_PER_PAGE):
        after = page[-1][1]
        found |= database.read(_filter_page, rules, root.id, page)
    return found


def _filter_page(
    tx: ReadTx, rules: Rules, root_id: int, page: Sequence[tuple[GenerationId, bytes]]
) -> dict[GenerationId, str]:
    excluded = {i: path for i, path in page if rules[root_id].find_file_source(path) is not None}
    hidden = filter_hidden(tx, rules, list(excluded))
    return {i: path.decode("utf-8", "replace") for i, path in excluded.items() if i in hidden}
