"""`log.html` of Fooocus: one page for all images of a day. The images contain no metadata by default.

Source: private_logger of Fooocus. Each image has a `div`, newest first, with a table of labels and values; newer
versions add a button that copies the same settings as JSON.
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


def find_section(page: str, file_name: str) -> str | None:
    """The HTML section of one image; None when the page has none."""
    begin = page.find(f'<div id="{file_name.replace(".", "_")}" class="image-container"')
    if begin < 0:
        return None
    end = page.find('<div id="', begin + 1)
    return page[begin : end if end >= 0 else len(page)][:_MAX_SECTION]


def read_settings(text: str) -> dict[str, Any]:
    """The settings in a section: the JSON of its copy button, or else the rows of its table."""
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
