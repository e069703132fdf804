"""Fooocus' `log.html`: one page for all images of a day, which hold no metadata of their own unless asked to.

Source: its private_logger: a `div` an image, newest first, with a table of labels and values; later also
a button that copies the same as JSON.
"""

import re
from typing import Any
from urllib.parse import unquote

from mysticanvas.formats.json_text import load_object

NAME = "log.html"
_MAX_SECTION = 64 * 1024
_BUTTON = re.compile(r"to_clipboard\('([^']{2,60000})'\)")
_ROW = re.compile(r"<tr><td class='(?:key|label)'>([^<]{1,100})</td><td class='value'>")
_BREAK = re.compile(r" ?</?br/?> ?")


def section(page: str, file_name: str) -> str | None:
    """What a page says of one image; None when it does not."""
    begin = page.find(f'<div id="{file_name.replace(".", "_")}" class="image-container"')
    if begin < 0:
        return None
    end = page.find('<div id="', begin + 1)
    return page[begin : end if end >= 0 else len(page)][:_MAX_SECTION]


def settings(text: str) -> dict[str, Any]:
    """Of a section: what its button copies, or else the rows of its table."""
    button = _BUTTON.search(text)
    copied = load_object(unquote(button[1])) if button else None
    if copied is not None:
        return copied
    rows: dict[str, Any] = {}
    for row in text.split("</td></tr>"):
        match = _ROW.search(row)
        if match is not None:
            rows.setdefault(match[1], _BREAK.sub("\n", row[match.end() :]))
    return rows
