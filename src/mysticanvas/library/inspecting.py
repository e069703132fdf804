"""How one file was made, without a library."""

import os
from pathlib import Path
from typing import Any

from mysticanvas.disk.opening import open_beneath
from mysticanvas.disk.scanning import SIDECAR_ENDINGS
from mysticanvas.disk.sidecars import read_sidecar
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.formats.containers import read_head
from mysticanvas.formats.describing import as_inspect_row
from mysticanvas.formats.detect import read_recipe


def inspect(file: Path) -> dict[str, Any]:
    """The row of `formats/describing.py`. Raises `UnreadableFileError` with the reason."""
    path = file.expanduser().absolute()
    root = os.fsencode(path.parent)
    with open_beneath(root, os.fsencode(path.name)) as source:
        head = read_head(source)
    beside = []
    for ending in sorted(SIDECAR_ENDINGS):
        for name in (path.stem, path.name):
            sidecar = os.fsencode(name) + ending
            if os.path.lexists(os.path.join(root, sidecar)):
                try:
                    beside.append(read_sidecar(root, sidecar))
                except UnreadableFileError:
                    continue
    return as_inspect_row(head, read_recipe(head, file_name=path.name, sidecars=beside))
