"""Entry point to the container readers: detects the format by content and calls its reader."""

import struct

from mysticanvas.domain.errors import UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead
from mysticanvas.formats.containers import avif, gif, jpeg, png, webp
from mysticanvas.formats.containers.source import BufferedSource, ByteSource, check_size


def detect_format(first: bytes) -> ImageFormat | None:
    """The format, given at least the first 16 bytes; None when it is not supported."""
    if first.startswith(png.SIGNATURE):
        return ImageFormat.PNG
    if first.startswith(jpeg.SIGNATURE):
        return ImageFormat.JPEG
    if first[:4] == b"RIFF" and first[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if first[:6] in (b"GIF87a", b"GIF89a"):
        return ImageFormat.GIF
    if first[4:8] == b"ftyp" and (first[8:12] in avif.BRANDS or any(brand in first[16:] for brand in avif.BRANDS)):
        return ImageFormat.AVIF
    if first[:2] == b"BM" and len(first) >= 18 and first[14:18] in (b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"):
        return ImageFormat.BMP
    return None


_READERS = {
    ImageFormat.PNG: png.read_head,
    ImageFormat.JPEG: jpeg.read_head,
    ImageFormat.WEBP: webp.read_head,
    ImageFormat.GIF: gif.read_head,
    ImageFormat.AVIF: avif.read_head,
}


def read_head(source: ByteSource) -> ImageHead:
    """Read size, texts and problems of an image.

    Raises `UnreadableFileError` when the source is not a supported image or has no image data.
    """
    if source.size == 0:
        raise UnreadableFileError("The file is empty.")
    buffered = source if isinstance(source, BufferedSource) else BufferedSource(source)
    found = detect_format(buffered.head[:64])
    if found is None:
        raise UnreadableFileError(_explain_unsupported(buffered.head))
    if found is ImageFormat.BMP:
        return _read_bmp_head(buffered)
    return _READERS[found](buffered)


def _explain_unsupported(head: bytes) -> str:
    start = head[:256].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "This is a web page, not an image. The download may have failed."
    if start.startswith((b"<?xml", b"<svg")):
        return "SVG and XML files are not supported."
    if head.startswith((b"\0\0\0\x0cJXL ", b"\xff\x0a")):
        return "JPEG XL files are not supported."
    return "This file is not a supported image. Supported formats are PNG, JPEG, WebP, GIF, AVIF and BMP."


def _read_bmp_head(source: BufferedSource) -> ImageHead:
    """Source: the BITMAPINFOHEADER structure of the Windows API."""
    size = source.read(18, 8)
    if len(size) < 8:
        raise UnreadableFileError("The BMP file is truncated: its header is incomplete.")
    width_px, height_px = struct.unpack("<ii", size)
    check_size(width_px, abs(height_px))
    claimed = int.from_bytes(source.read(2, 4), "little")
    return ImageHead(ImageFormat.BMP, width_px, abs(height_px), 1, claimed <= source.size, ())
