"""Reads the generation data of one file, without a library."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from mysticanvas.domain.entered_path import parse_entered_path
from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageHead, TextEntry
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.describing import build_inspect_row
from mysticanvas.formats.detect import has_generation_data, read_recipe
from mysticanvas.formats.generators import fooocus_log
from mysticanvas.fs.paths import join_system_path
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.fs.scanner import SIDECAR_ENDINGS
from mysticanvas.fs.sidecars import read_log, read_sidecar


def inspect(file: Path) -> dict[str, Any]:
    """The generation data as a row of `formats/describing.py`. Raises `UnreadableFileError` with the reason."""
    path = parse_entered_path(file).absolute()
    root = os.fsencode(path.parent)
    with open_beneath(root, os.fsencode(path.name)) as source:
        head = read_head(source)
        if not has_generation_data(head):
            head = _add_hidden_text(source.handle, head)
    beside = []
    for ending in sorted(SIDECAR_ENDINGS):
        for name in (path.stem, path.name, f"{path.stem}.swarm"):
            sidecar = os.fsencode(name) + ending
            if os.path.lexists(join_system_path(root, sidecar)):
                try:
                    beside.append(read_sidecar(root, sidecar))
                except UnreadableFileError:
                    continue
    page = "" if head.texts else read_log(root, os.fsencode(path.name), fooocus_log.NAME)
    section = fooocus_log.find_section(page, path.name)
    beside += [TextEntry("sidecar", fooocus_log.NAME, section)] if section else []
    return build_inspect_row(head, read_recipe(head, file_name=path.name, sidecars=beside))


def _add_hidden_text(handle: int, head: ImageHead) -> ImageHead:
    """Add stealth text from the pixels, which decodes the whole image if its format is lossless."""
    # Imported here, because an image with generation data does not need the decoder.
    from mysticanvas.imaging import decode, stealth

    if not stealth.may_contain_text(head):
        return head
    try:
        text = stealth.read_hidden_text(decode.decode_stored(handle, head).image)
    except UnreadableFileError:
        return head
    return replace(head, texts=(*head.texts, TextEntry("stealth", "stealth", text))) if text else head
