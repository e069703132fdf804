"""Decides which images the exclude patterns of their folders hide.

An image is hidden if all of its existing files are excluded, or all of its files when none exists.
"""

import os
from collections.abc import Iterable, Sequence

from mysticanvas.db.database import ReadTx
from mysticanvas.db.images import excludes as queries
from mysticanvas.db.images import folders
from mysticanvas.db.images.excludes import ImageFile
from mysticanvas.domain.generation import GenerationId
from mysticanvas.fs.exclusions import Exclusions

Rules = dict[int, Exclusions]


def load_rules(tx: ReadTx) -> Rules:
    """The rules of every folder, by its ID."""
    found = {}
    for root in folders.list_folders(tx):
        assert root.id is not None
        found[root.id] = Exclusions(os.fsencode(root.path), tuple(queries.list_patterns(tx, root.id)))
    return found


def filter_hidden(tx: ReadTx, rules: Rules, images: Sequence[GenerationId]) -> set[GenerationId]:
    """Those of the images that are hidden."""
    by_image: dict[GenerationId, list[ImageFile]] = {}
    for file in queries.list_files(tx, images):
        by_image.setdefault(file.image, []).append(file)
    return {image for image, found in by_image.items() if _are_excluded(rules, found)}


def _are_excluded(rules: Rules, found: Iterable[ImageFile]) -> bool:
    every = list(found)
    existing = [file for file in every if not file.missing] or every
    return all(rules[file.root_id].find_file_source(file.path_bytes) is not None for file in existing)


def list_shown(tx: ReadTx, rules: Rules, root_id: int) -> list[GenerationId]:
    """The excluded images of a folder that would not be hidden now."""
    excluded = queries.list_excluded(tx, root_id)
    hidden = filter_hidden(tx, rules, excluded)
    return [image for image in excluded if image not in hidden]
