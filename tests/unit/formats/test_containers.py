"""Where containers keep texts: every place that some writer uses is read, and read in bounds."""

import struct
import zlib

import pytest
from tests.pictures import png, png_chunk

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageHead
from mysticanvas.features.importing.reparse_job import FILE_PROBLEM
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.formats.containers.source import MAX_TEXT_BYTES
from mysticanvas.formats.detect import read_recipe

INFOTEXT = "a cat\nSteps: 20, Seed: 5"


class Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def read(self, offset: int, length: int) -> bytes:
        return self._content[offset : offset + length]


def head_of(content: bytes) -> ImageHead:
    return read_head(Bytes(content))


def texts_of(content: bytes) -> dict[str, str]:
    return {entry.key: entry.text for entry in reversed(head_of(content).texts)}


def tiff(*, comment: bytes, order: str = "<", in_exif_ifd: bool = True) -> bytes:
    """UserComment, in the Exif IFD or in IFD 0."""
    begin = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    field = struct.pack(order + "HHI", 0x9286, 7, len(comment))
    if in_exif_ifd:
        first = struct.pack(order + "HHHII", 1, 0x8769, 4, 1, 26) + struct.pack(order + "I", 0)
        second = struct.pack(order + "H", 1) + field + struct.pack(order + "II", 44, 0)
        return begin + first + second + comment
    return begin + struct.pack(order + "H", 1) + field + struct.pack(order + "II", 26, 0) + comment


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    frame = (0xC0, b"\x08\0\x10\0\x20\x01\x01\x11\0")
    body = b"".join(bytes((0xFF, kind)) + struct.pack(">H", len(c) + 2) + c for kind, c in (*segments, frame))
    return b"\xff\xd8" + body + b"\xff\xda\0\x02\0\xff\xd9"


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    pixels = (b"VP8L", b"\x2f\x1f\xc0\x03\0")
    body = b"".join(k + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for k, c in (pixels, *chunks))
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def with_chunks(*chunks: bytes, after: bool = False) -> bytes:
    whole = png()
    at = whole.index(b"IEND") - 4 if after else 33
    return whole[:at] + b"".join(chunks) + whole[at:]


# -- UserComment ----------------------------------------------------------------------------------------------

UTF16_LE, UTF16_BE = INFOTEXT.encode("utf-16-le"), INFOTEXT.encode("utf-16-be")


@pytest.mark.parametrize("in_exif_ifd", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + UTF16_BE,
        b"UNICODE\0" + UTF16_LE,
        b"UNICODE\0\xff\xfe" + UTF16_LE,
        b"UNICODE\0\xfe\xff" + UTF16_BE,
        b"UNICODE\0" + INFOTEXT.encode(),
        b"ASCII\0\0\0" + INFOTEXT.encode(),
        b"\0" * 8 + INFOTEXT.encode() + b"\0",
        INFOTEXT.encode(),
        b"\xff\xfe" + UTF16_LE,
        UTF16_BE,
        UTF16_LE,
    ],
)
def test_a_user_comment_is_read_in_every_encoding_and_in_either_ifd(
    comment: bytes, order: str, in_exif_ifd: bool
) -> None:
    exif = b"Exif\0\0" + tiff(comment=comment, order=order, in_exif_ifd=in_exif_ifd)
    for content in (jpeg((0xE1, exif)), webp((b"EXIF", exif)), webp((b"EXIF", exif[6:]))):
        assert texts_of(content)["UserComment"] == INFOTEXT
    assert texts_of(with_chunks(png_chunk(b"eXIf", exif[6:])))["UserComment"] == INFOTEXT


def test_a_prompt_without_ascii_at_its_beginning_is_still_read() -> None:
    text = "夜の喫茶店" * 200 + "\nSteps: 20, Seed: 5"
    for encoding in ("utf-16-be", "utf-16-le"):
        comment = b"UNICODE\0" + text.encode(encoding)
        assert texts_of(jpeg((0xE1, b"Exif\0\0" + tiff(comment=comment))))["UserComment"] == text


# -- PNG ------------------------------------------------------------------------------------------------------


def test_texts_of_every_chunk_are_read_also_behind_the_pixels() -> None:
    said = INFOTEXT.encode()
    packed = zlib.compress(said)
    for chunk in (
        png_chunk(b"tEXt", b"parameters\0" + said),
        png_chunk(b"zTXt", b"parameters\0\0" + packed),
        png_chunk(b"iTXt", b"parameters\0\0\0\0\0" + said),
        png_chunk(b"iTXt", b"parameters\0\1\0en\0title\0" + packed),
        png_chunk(b"comf", b"parameters\0" + said),
    ):
        for after in (False, True):
            assert texts_of(with_chunks(chunk, after=after))["parameters"] == INFOTEXT


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        (b"exif", b"Exif\0\0" + tiff(comment=INFOTEXT.encode()), "UserComment"),
        (b"APP1", b"Exif\0\0" + tiff(comment=INFOTEXT.encode()), "UserComment"),
        (b"xmp", b"<x:xmpmeta/>", "XMP"),
        (b"iptc", b"8BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\x78\0\x05a cat", "Caption-Abstract"),
        (b"8bim", b"8BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\x78\0\x05a cat", "Caption-Abstract"),
    ],
)
def test_what_imagemagick_wraps_in_hexadecimal_is_unwrapped(name: bytes, content: bytes, key: str) -> None:
    text = b"\n" + name + b"\n%8d\n" % len(content) + content.hex().encode() + b"\n"
    chunk = png_chunk(b"zTXt", b"Raw profile type " + name + b"\0\0" + zlib.compress(text))
    assert key in texts_of(with_chunks(chunk))


def test_what_may_be_inflated_is_bounded_for_the_whole_file() -> None:
    chunk = [png_chunk(b"zTXt", b"k%d\0\0" % n + zlib.compress(b"A" * 3_900_000, 1)) for n in range(9)]
    head = head_of(with_chunks(*chunk))
    assert sum(len(entry.text) for entry in head.texts) <= 20 * 1024 * 1024
    assert head.problems


@pytest.mark.parametrize(
    "chunk",
    [png_chunk(b"zTXt", b"parameters\0\0no zlib"), png_chunk(b"tEXt", b"parameters\0" + b"a" * MAX_TEXT_BYTES)],
    ids=["damaged", "too long"],
)
def test_a_problem_of_a_text_field_is_kept_when_the_metadata_is_parsed_again(chunk: bytes) -> None:
    [problem] = head_of(with_chunks(chunk)).problems
    assert "text field" in problem
    assert FILE_PROBLEM.match(problem)
    # As earlier versions stored it.
    assert FILE_PROBLEM.match(problem.replace("text field", "text"))
    assert not FILE_PROBLEM.match("No sampler was found in the ComfyUI workflow.")


# -- JPEG -----------------------------------------------------------------------------------------------------


def test_extended_xmp_is_put_together_in_order() -> None:
    parts = [b"<exif:UserComment>" + INFOTEXT.encode()[:8], INFOTEXT.encode()[8:] + b"</exif:UserComment>"]
    whole, offset, segments = sum(map(len, parts)), 0, []
    for part in parts:
        head = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">II", whole, offset)
        segments.append((0xE1, head + part))
        offset += len(part)
    for order in (segments, segments[::-1]):
        head = head_of(jpeg(*order))
        assert read_recipe(head, file_name="x").seed == 5


def test_a_comment_may_begin_with_a_keyword() -> None:
    assert texts_of(jpeg((0xFE, b"parameters\0" + INFOTEXT.encode())))["parameters"] == INFOTEXT
    assert texts_of(jpeg((0xFE, INFOTEXT.encode())))["Comment"] == INFOTEXT


def test_a_manifest_in_parts_is_put_together() -> None:
    box = struct.pack(">I4s", 400, b"jumb") + b"c2pa" + b"digitalsourcetype/trainedAlgorithmicMedia" + b" " * 50
    first, second = box[:40], box[:8] + box[40:]
    segments = [(0xEB, b"JP\0\1" + struct.pack(">I", n) + part) for n, part in ((1, first), (2, second))]
    assert "trainedAlgorithmicMedia" in texts_of(jpeg(*segments))["C2PA"]


def test_a_manifest_is_found_in_png_and_webp() -> None:
    manifest = b"\0\0\0\0jumbc2pa digitalsourcetype/digitalCapture"
    assert "digitalCapture" in texts_of(with_chunks(png_chunk(b"caBX", manifest)))["C2PA"]
    assert "digitalCapture" in texts_of(webp((b"C2PA", manifest)))["C2PA"]


def test_iptc_of_jpeg_is_read() -> None:
    iim = b"\x1c\x02\x41\0\x05Mochi\x1c\x02\x78\0\x05a cat"
    block = b"Photoshop 3.0\08BIM\x03\xed\0\0\0\0\0\x02ab8BIM\x04\x04\0\0" + struct.pack(">I", len(iim)) + iim
    assert texts_of(jpeg((0xED, block)))["Caption-Abstract"] == "a cat"


# -- damage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        jpeg((0xE1, b"Exif\0\0II*\0\xff\xff\xff\x7f")),
        jpeg((0xED, b"Photoshop 3.0\08BIM\x04\x04\0\0\xff\xff\xff\xff")),
        jpeg((0xEB, b"JP\0\1\0\0\0\1\xff\xff\xff\xffjumbc2pa")),
        jpeg((0xE1, b"http://ns.adobe.com/xmp/extension/\0short")),
        webp((b"EXIF", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")),
        with_chunks(png_chunk(b"caBX", b"")),
        with_chunks(png_chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 4\nzz")),
        with_chunks(png_chunk(b"eXIf", b"II*\0")),
    ],
)
def test_damaged_metadata_does_not_cost_the_image(content: bytes) -> None:
    assert head_of(content).width_px in (32, 64)


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe1\0\1", b"GIF89a", png()[:20], webp()[:14], b"BM" + b"\0" * 20])
def test_an_image_without_a_picture_is_refused_with_a_reason(content: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        head_of(content)
