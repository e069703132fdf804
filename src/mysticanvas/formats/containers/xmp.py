"""XMP: the few properties that say how an image was made, found without an XML parser.

Source: XMP specification, part 1, section 7 (serialisation as RDF/XML): a property is an attribute or
an element, whose text may stand in an `rdf:Alt`. An XML parser would expand what hostile files define.
"""

import re

# What is looked for, by its name without prefix, and the key it is known by afterwards.
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
# The history of an editor holds `parameters` of its own.
_OTHER_PREFIXES = frozenset(("stEvt", "stRef", "crs", "xmlns", "rdf"))
_TAG = re.compile(r"<[^<>]*>")
_ITEM = re.compile(r"<rdf:li[^<>]*>([^<]*)<")


def properties(xmp: str) -> dict[str, str]:
    """Key (a value of `_WANTED`) to text, the first of each; {} when there are none."""
    found: dict[str, str] = {}
    without_end: set[str] = set()
    for match in _PROPERTY.finditer(xmp):
        prefix, name = match[1], match[2]
        key = _WANTED[name]
        if prefix in _OTHER_PREFIXES or key in found:
            continue
        if match[5] is None:
            found[key] = _unescaped(match[3] if match[3] is not None else match[4] or "")
            continue
        tag = f"{prefix}:{name}"
        if tag in without_end or not match[0].startswith("<") or match[0].endswith("/>"):
            continue
        end = xmp.find(f"</{tag}", match.end())
        if end < 0:
            without_end.add(tag)
            continue
        found[key] = _text(xmp[match.end() : end])
    return found


def _text(content: str) -> str:
    item = _ITEM.search(content)
    return _unescaped(item[1] if item else _TAG.sub("", content)).strip()


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    # Its table of names is long, and few images need it.
    import html

    return html.unescape(text)
