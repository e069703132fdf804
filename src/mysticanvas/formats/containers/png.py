"""PNG: reads chunks and skips pixels.

Source: PNG specification, third edition, sections 5 and 11.3. CRCs are not checked, because some generators and
many editors write wrong ones for intact texts. Texts may follow the pixels.
"""

import struct
import zlib

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead, turn_size
from mysticanvas.formats.containers import c2pa, exif, iptc
from mysticanvas.formats.containers.source import (
    MAX_TEXT_BYTES,
    BufferedSource,
    Entries,
    check_size,
    decode_utf8_or_latin1,
)

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_INFLATED_BYTES = 4 * 1024 * 1024
MAX_ALL_INFLATED_BYTES = 16 * 1024 * 1024
MAX_CHUNKS = 1_000_000
# Texts of generators are kept, no matter how many other texts a file has.
_IMPORTANT = frozenset(
    b"parameters prompt workflow Comment Description Dream sd-metadata invokeai_metadata invokeai_workflow "
    b"invokeai_graph generation_data Software Source Title smproj parameters-json fooocus_scheme negative_prompt "
    b"negative-prompt seed steps sampler scale postprocessing extras XML:com.adobe.xmp".split()
)
_TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt"))
_READ = _TEXTS | {b"eXIf", b"comf", b"caBX"}
# Decoded channels by color type; a palette may have transparency.
_MAX_CHANNELS = {0: 2, 2: 4, 3: 4, 4: 2, 6: 4}
_RAW_PROFILE = b"Raw profile type "


def read_head(source: BufferedSource) -> ImageHead:
    """Raises `UnreadableFileError` when the header is missing or the file ends before the pixels."""
    if source.read(12, 4) != b"IHDR" or len(source.read(8, 25)) < 25:
        raise UnreadableFileError("The PNG file is truncated: its header is incomplete.")
    width_px, height_px, depth, color_type = struct.unpack(">IIBB", source.read(16, 10))
    check_size(width_px, height_px)
    walk = _ChunkReader(source)
    walk.run()
    if not walk.saw_pixels:
        raise UnreadableFileError("The PNG file is truncated: it contains no image data.")
    is_interlaced = source.read(28, 1) == b"\1"
    pixel_bytes = _MAX_CHANNELS.get(color_type, 4) * (2 if depth == 16 else 1)
    return ImageHead(
        ImageFormat.PNG,
        *turn_size((width_px, height_px), walk.orientation),
        walk.frames,
        walk.complete,
        walk.entries.texts,
        tuple(walk.entries.problems),
        walk.orientation,
        walk.has_profile,
        width_px * height_px * pixel_bytes if is_interlaced else 0,
    )


class _ChunkReader:
    def __init__(self, source: BufferedSource) -> None:
        self._source = source
        self.entries = Entries()
        self.frames = 1
        self.complete = False
        self.saw_pixels = False
        self.has_profile = False
        self.orientation = 1
        self._inflated_bytes = 0

    def run(self) -> None:
        offset = 33
        for _ in range(MAX_CHUNKS):
            header = self._source.read(offset, 8)
            if len(header) < 8:
                return
            length, kind = int.from_bytes(header[:4], "big"), header[4:]
            if kind == b"IEND":
                self.complete = True
                return
            if offset + 8 + length > self._source.size:
                # Truncated within a chunk. The pixels before it can still be displayed.
                self.saw_pixels |= kind == b"IDAT"
                return
            self._read_chunk(kind, offset + 8, length)
            offset += 12 + length

    def _read_chunk(self, kind: bytes, offset: int, length: int) -> None:
        if kind == b"IDAT":
            self.saw_pixels = True
        elif kind == b"iCCP":
            self.has_profile = True
        elif kind == b"acTL" and length >= 8:
            self.frames = max(1, int.from_bytes(self._source.read(offset, 4), "big"))
        elif kind in _READ:
            if kind == b"caBX":
                manifest = self._source.read(offset, min(length, c2pa.MAX_MANIFEST_BYTES))
                self.entries.add("c2pa", "C2PA", c2pa.summarize(manifest), important=True)
                return
            if length > MAX_TEXT_BYTES:
                problem = f"A text field of {length:,} bytes exceeds the size limit and was skipped."
                self.entries.problems.append(problem)
                return
            self._read_text(kind, self._source.read(offset, length))

    def _read_text(self, kind: bytes, content: bytes) -> None:
        if kind == b"eXIf":
            exif.read_into(self.entries, content)
            if not self.saw_pixels:
                # Browsers and libvips ignore an orientation after the pixels.
                self.orientation = exif.read_orientation(content)
            return
        keyword, separator, rest = content.partition(b"\0")
        if not separator:
            return
        text = self._decode_text(kind, rest)
        if text is not None and keyword.startswith(_RAW_PROFILE):
            self._read_raw_profile(keyword.removeprefix(_RAW_PROFILE), text)
        if text is None:
            name = decode_utf8_or_latin1(keyword[:79])
            self.entries.problems.append(f"The text field “{name}” is damaged or too long and was skipped.")
        else:
            carrier = kind.decode("ascii")
            self.entries.add(carrier, decode_utf8_or_latin1(keyword), text, important=keyword in _IMPORTANT)

    def _decode_text(self, kind: bytes, rest: bytes) -> str | None:
        """The text of a chunk after its keyword; None when it cannot be decompressed."""
        if kind == b"zTXt":
            inflated = self._inflate_within_limit(rest[1:]) if rest[:1] == b"\0" else None
            return None if inflated is None else decode_utf8_or_latin1(inflated)
        if kind == b"iTXt":
            compressed, method = rest[:1] == b"\1", rest[1:2]
            body = rest[2:].split(b"\0", 2)[-1]
            if not compressed:
                return body.decode("utf-8", "replace")
            inflated = self._inflate_within_limit(body) if method == b"\0" else None
            return None if inflated is None else inflated.decode("utf-8", "replace")
        return decode_utf8_or_latin1(rest)

    def _inflate_within_limit(self, content: bytes) -> bytes | None:
        """Decompress a text; None for damage, or when the file's texts exceed `MAX_ALL_INFLATED_BYTES`."""
        if self._inflated_bytes >= MAX_ALL_INFLATED_BYTES:
            return None
        inflated = _inflate(content)
        self._inflated_bytes += MAX_INFLATED_BYTES if inflated is None else len(inflated)
        return inflated

    def _read_raw_profile(self, name: bytes, text: str) -> None:
        """Read a profile wrapped by ImageMagick: a name, a length, and another container in hexadecimal."""
        try:
            content = bytes.fromhex("".join(text.split("\n")[3:]))
        except ValueError:
            return
        if name in (b"exif", b"APP1", b"app1") and content.startswith((b"Exif", b"II", b"MM")):
            exif.read_into(self.entries, content)
        elif name in (b"iptc", b"8bim"):
            iptc.read_photoshop(self.entries, content)
        elif name in (b"xmp", b"APP1", b"app1"):
            xmp = content.removeprefix(b"http://ns.adobe.com/xap/1.0/\0")
            self.entries.add("xmp", "XMP", decode_utf8_or_latin1(xmp), important=True)


def _inflate(content: bytes) -> bytes | None:
    """Decompress at most `MAX_INFLATED_BYTES`; None when the content is damaged or larger."""
    inflater = zlib.decompressobj()
    try:
        result = inflater.decompress(content, MAX_INFLATED_BYTES)
    except zlib.error:
        return None
    return result if inflater.eof else None
