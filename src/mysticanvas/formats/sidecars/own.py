"""Sidecars that MystiCanvas writes for other programs: tags and a rating.

Source: XMP specification, part 1, section 7 (serialization) and part 2 (`dc:subject`, `xmp:Rating`). digiKam and
Lightroom read `lr:hierarchicalSubject`, with “|” between levels.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import escape

# Identifies sidecars that MystiCanvas wrote.
MARK = "MystiCanvas sidecar 1"


class SidecarFormat(StrEnum):
    XMP = "xmp"
    JSON = "json"

    @property
    def ending(self) -> str:
        """Suffix to append to the image's file name. `.mysticanvas` keeps programs from reading JSON as metadata."""
        return ".xmp" if self is SidecarFormat.XMP else ".mysticanvas.json"


@dataclass(frozen=True, slots=True)
class SidecarContent:
    """`tags` are (name, category or None); `rating` is 0 to 5."""

    tags: Sequence[tuple[str, str | None]]
    rating: int


def render_sidecar(content: SidecarContent, format_: SidecarFormat) -> bytes:
    """The sidecar file as UTF-8; equal input gives equal bytes."""
    return (_render_xmp(content) if format_ is SidecarFormat.XMP else _render_json(content)).encode()


def is_ours(content: bytes) -> bool:
    """Whether MystiCanvas wrote this content. An empty file counts: it is left when writing is interrupted."""
    return not content or MARK.encode() in content


def _render_json(content: SidecarContent) -> str:
    tags = [{"name": name, "category": category} for name, category in content.tags]
    return json.dumps({"made_by": MARK, "rating": content.rating, "tags": tags}, ensure_ascii=False, indent=1) + "\n"


def _render_xmp(content: SidecarContent) -> str:
    flat = [name for name, _ in content.tags]
    # Programs read “|” as a level separator.
    levels = [f"{category}|{name}".replace("||", "|") if category else name for name, category in content.tags]
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="{MARK}">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/">
   <xmp:Rating>{content.rating}</xmp:Rating>
   <dc:subject>{_render_bag(flat)}</dc:subject>
   <lr:hierarchicalSubject>{_render_bag(levels)}</lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def _render_bag(words: Sequence[str]) -> str:
    return "<rdf:Bag>" + "".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in words) + "</rdf:Bag>"
