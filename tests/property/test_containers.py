"""Containers with everything in them that some writer puts there, damaged anywhere (M5, X3)."""

import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st
from tests.pictures import png_chunk
from tests.property import effort
from tests.property.hostile import FAULT

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.detect import read_recipe

INFOTEXT = b"a cat\nSteps: 20, Seed: 5"
TIFF = (
    b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x09\0\0\0\x26\0\0\0\x86\x92\x07\0\x18\0\0\0\x30\0\0\0\0\0\0\0workflow:\0"
    + INFOTEXT
)
IIM = b"8BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\x78\0\x05a cat"
XMP = b"<x:xmpmeta><exif:UserComment><rdf:Alt><rdf:li>a &lt;cat</rdf:li></rdf:Alt></exif:UserComment></x:xmpmeta>"
MANIFEST = b"\0\0\0\x60jumbc2pa\x64name\x65gpt-4digitalsourcetype/trainedAlgorithmicMedia"


def _png() -> bytes:
    profile = b"\nexif\n%8d\n" % len(TIFF) + TIFF.hex().encode()
    chunks = [
        png_chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)),
        png_chunk(b"tEXt", b"parameters\0" + INFOTEXT),
        png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        png_chunk(b"eXIf", TIFF),
        png_chunk(b"caBX", MANIFEST),
        png_chunk(b"IDAT", zlib.compress(b"\0" * 14)),
        png_chunk(b"comf", b'prompt\0{"1": {"class_type": "SaveImage", "inputs": {}}}'),
        png_chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _jpeg() -> bytes:
    segments = [
        (0xE1, b"Exif\0\0" + TIFF),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">II", 10, 0) + XMP),
        (0xEB, b"JP\0\1\0\0\0\1" + MANIFEST),
        (0xED, b"Photoshop 3.0\0" + IIM),
        (0xFE, b"parameters\0" + INFOTEXT),
        (0xC0, b"\x08\0\x02\0\x02\x01\x01\x11\0"),
    ]
    body = b"".join(bytes((0xFF, kind)) + struct.pack(">H", len(part) + 2) + part for kind, part in segments)
    return b"\xff\xd8" + body + b"\xff\xda\0\x02\0\xff\xd9"


def _webp() -> bytes:
    chunks = [(b"VP8L", b"\x2f\x01\x40\0\0"), (b"EXIF", TIFF), (b"XMP ", XMP), (b"C2PA", MANIFEST)]
    body = b"".join(kind + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for kind, part in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _gif() -> bytes:
    comment = b"\x21\xfe" + bytes((len(INFOTEXT),)) + INFOTEXT + b"\0"
    return b"GIF89a\x02\0\x02\0\0\0\0" + comment + b"\x2c\0\0\0\0\x02\0\x02\0\0\x02\x02\x44\x01\0\x3b"


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def _avif() -> bytes:
    name = _box(b"infe", b"\x02\0\0\0\0\x01\0\0Exif\0")
    size = _box(b"iprp", _box(b"ipco", _box(b"ispe", b"\0\0\0\0" + struct.pack(">II", 2, 2))))
    begin = _box(b"ftyp", b"avif\0\0\0\0avifmif1")
    for _ in range(2):
        # Where the item lies is known once everything before it is.
        places = _box(b"iloc", b"\0\0\0\0\x44\0\0\1\0\1\0\0\0\1" + struct.pack(">II", len(begin) + 8, len(TIFF) + 4))
        meta = _box(b"meta", b"\0\0\0\0" + _box(b"iinf", b"\0\0\0\0\0\1" + name) + places + size)
    return begin + _box(b"mdat", b"\0\0\0\0" + TIFF) + meta


WHOLE = {"png": _png(), "jpeg": _jpeg(), "webp": _webp(), "gif": _gif(), "avif": _avif()}


class Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def read(self, offset: int, length: int) -> bytes:
        return self._content[offset : offset + length]


def test_everything_in_a_whole_container_is_found() -> None:
    for name, content in WHOLE.items():
        recipe = read_recipe(read_head(Bytes(content)), file_name="x")
        assert (recipe.prompt, recipe.seed) == ("a cat", 5), name


@effort.parsers
@given(
    name=st.sampled_from(sorted(WHOLE)),
    cuts=st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 12), st.binary(max_size=12)), max_size=4),
    end=st.integers(0, 3_000),
)
def test_a_container_damaged_anywhere_is_read_or_refused(
    name: str, cuts: list[tuple[int, int, bytes]], end: int
) -> None:
    content = WHOLE[name]
    for at, length, other in cuts:
        content = content[: 12 + at] + other + content[12 + at + length :]
    try:
        head = read_head(Bytes(content[: 12 + end]))
    except UnreadableFileError:
        return
    assert FAULT not in read_recipe(head, file_name="x").problems
