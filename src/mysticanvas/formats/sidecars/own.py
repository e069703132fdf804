"""Sidecars that MystiCanvas writes for other programs: tags and a rating.

Source: XMP specification, part 1, section 7 (serialisation) and part 2 (`dc:subject`, `xmp:Rating`); the
name `lr:hierarchicalSubject`, with “|” between levels, is what digiKam and Lightroom read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.sax.saxutils import escape

# Tells our own sidecars from those of others.
MARK = "MystiCanvas sidecar 1"


class SidecarFormat(StrEnum):
    XMP = "xmp"
    JSON = "json"

    @property
    def ending(self) -> str:
        """After the whole name of the image. JSON bears our name, so that it is read by nobody as a recipe."""
        return ".xmp" if self is SidecarFormat.XMP else ".mysticanvas.json"


@dataclass(frozen=True, slots=True)
class Said:
    """`tags` are (name, category or None); `rating` is 0 to 5."""

    tags: Sequence[tuple[str, str | None]]
    rating: int


def written(said: Said, how: SidecarFormat) -> bytes:
    """The same for the same."""
    return (_xmp(said) if how is SidecarFormat.XMP else _json(said)).encode()


def is_ours(content: bytes) -> bool:
    """An empty file is one of ours whose writing was cut short."""
    return not content or MARK.encode() in content


def _json(said: Said) -> str:
    tags = [{"name": name, "category": category} for name, category in said.tags]
    return json.dumps({"made_by": MARK, "rating": said.rating, "tags": tags}, ensure_ascii=False, indent=1) + "\n"


def _xmp(said: Said) -> str:
    flat = [name for name, _ in said.tags]
    # A bar would be read as another level.
    levels = [f"{category}|{name}".replace("||", "|") if category else name for name, category in said.tags]
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="{MARK}">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/">
   <xmp:Rating>{said.rating}</xmp:Rating>
   <dc:subject>{_bag(flat)}</dc:subject>
   <lr:hierarchicalSubject>{_bag(levels)}</lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def _bag(words: Sequence[str]) -> str:
    return "<rdf:Bag>" + "".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in words) + "</rdf:Bag>"
