"""IPTC: reads texts from Photoshop resource blocks.

Source: IPTC-NAA Information Interchange Model 4.2, sections 1 and 6; Adobe Photoshop file formats,
"Image resource blocks" (8BIM; resource 0x0404 holds the IIM).
"""

from collections.abc import Iterator

from mysticanvas.formats.containers.source import Entries, decode_utf8_or_latin1

_NAMES = {(2, 65): "OriginatingProgram", (2, 70): "ProgramVersion", (2, 120): "Caption-Abstract"}
_MAX_BLOCKS = 1_000


def read_photoshop(entries: Entries, content: bytes) -> None:
    """Add the texts of a series of resource blocks, with or without the "Photoshop 3.0" prefix."""
    at = len(b"Photoshop 3.0\0") if content.startswith(b"Photoshop 3.0\0") else 0
    for _ in range(_MAX_BLOCKS):
        if content[at : at + 4] != b"8BIM" or at + 12 > len(content):
            return
        kind = int.from_bytes(content[at + 4 : at + 6], "big")
        name_bytes = 1 + content[at + 6]
        at += 6 + name_bytes + name_bytes % 2
        length = int.from_bytes(content[at : at + 4], "big")
        at += 4
        if kind == 0x0404:
            read_iim(entries, content[at : at + length])
        at += length + length % 2


def read_iim(entries: Entries, content: bytes) -> None:
    for record, number, value in _iterate_datasets(content):
        name = _NAMES.get((record, number))
        if name is not None:
            entries.add("iptc", name, decode_utf8_or_latin1(value), important=True)


def _iterate_datasets(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 5 <= len(content) and content[at] == 0x1C:
        record, number = content[at + 1], content[at + 2]
        length = int.from_bytes(content[at + 3 : at + 5], "big")
        at += 5
        if length & 0x8000:
            # Extended dataset: these bits are the size of the length field.
            wide = length & 0x7FFF
            if wide > 8:
                return
            length = int.from_bytes(content[at : at + wide], "big")
            at += wide
        yield record, number, content[at : at + length]
        at += length
