"""XMP: extracts the properties that contain generation data, without an XML parser.

Source: XMP specification, part 1, section 7 (serialization as RDF/XML). A property is an attribute or an element,
whose text may be in an `rdf:Alt`. An XML parser would expand entities that malicious files define.
"""

import re

# Property name without prefix, and the key to return it under.
_WANTED = {
    "UserComment": "UserComment",
    "ImageDescription": "ImageDescription",
    "description": "dc:description",
    "CreatorTool": "CreatorTool",
    "Credit": "Credit",
    "DigitalSourceType": "DigitalSourceType",
    "DigitalSourceFileType": "DigitalSourceType",
    "DigImageGUID": "DigImageGUID",
    "DateCreated": "DateCreated",
    "parameters": "parameters",
    "prompt": "prompt",
    "workflow": "workflow",
}
_PROPERTY = re.compile(
    r"<?\b([A-Za-z][\w.-]{0,30}):("
    + "|".join(_WANTED)
    + r")(?:\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)')|(?:\s[^<>]{0,500})?(>))"
)
# An editor's history has properties of the same names.
_OTHER_PREFIXES = frozenset(("stEvt", "stRef", "crs", "xmlns", "rdf"))
_TAG = re.compile(r"<[^<>]*>")
_ITEM = re.compile(r"<rdf:li[^<>]*>([^<]*)<")


def read_properties(xmp: str) -> dict[str, str]:
    """Map keys (the values of `_WANTED`) to texts; the first text of a key counts."""
    found: dict[str, str] = {}
    without_end: set[str] = set()
    for match in _PROPERTY.finditer(xmp):
        prefix, name = match[1], match[2]
        key = _WANTED[name]
        if prefix in _OTHER_PREFIXES or key in found:
            continue
        if match[5] is None:
            found[key] = _unescape(match[3] if match[3] is not None else match[4] or "")
            continue
        tag = f"{prefix}:{name}"
        if tag in without_end or not match[0].startswith("<") or match[0].endswith("/>"):
            continue
        end = xmp.find(f"</{tag}", match.end())
        if end < 0:
            without_end.add(tag)
            continue
        found[key] = _read_text(xmp[match.end() : end])
    return found


def _read_text(content: str) -> str:
    item = _ITEM.search(content)
    return _unescape(item[1] if item else _TAG.sub("", content)).strip()


def _unescape(text: str) -> str:
    if "&" not in text:
        return text
    # Imported late: its table of entities is large and few images need it.
    import html

    return html.unescape(text)
