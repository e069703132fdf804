"""Decodes images with libvips, reduced while they are read, so that memory does not grow with the image.

The result is the image as a browser shows it: turned as its EXIF orientation says, in 8-bit sRGB. Only the formats in
`ImageFormat` are accepted; libvips' untrusted loaders are blocked. docs/adr/0019 has the reasons and the figures.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

os.environ.setdefault("VIPS_BLOCK_UNTRUSTED", "1")
os.environ.setdefault("VIPS_CONCURRENCY", "1")

import pyvips

from mysticanvas.domain.errors import ImageTooLargeError, UnreadableFileError
from mysticanvas.domain.file import ImageFormat, ImageHead
from mysticanvas.imaging import bmp, cut_png, interlaced_png
from mysticanvas.imaging.colors import convert_to_srgb, scale

MAX_PIXELS = 1 << 28
MAX_SIDE_PX = 65_535
# For what a decoder keeps of an image that it cannot read row by row: most of a worker's memory limit, or less where
# the limit of this process leaves less.
MAX_BUFFER_BYTES = 384 * 1024 * 1024
# The first pass of a larger interlaced PNG is detailed enough.
MAX_INTERLACED_BYTES = 128 * 1024 * 1024
# What decoding needs besides, and what must be free for small images too.
_RESERVED_BYTES = 96 * 1024 * 1024
# Maximum ratio of long to short edge of the result of a panorama.
MAX_ELONGATION = 6
# The limit of WebP.
MAX_TARGET_SIDE_PX = 16_383
# A reduction by the decoder must leave this multiple of the requested size, which a better filter then reduces.
_OVERSAMPLING = 2
CUT_OFF = "The file ends too early: part of the image is missing."
CORRUPT = "The file is damaged: part of the image could not be decoded."
LOADERS = {
    ImageFormat.PNG: "pngload_source",
    ImageFormat.JPEG: "jpegload_source",
    ImageFormat.WEBP: "webpload_source",
    ImageFormat.GIF: "gifload_source",
    ImageFormat.AVIF: "heifload_source",
}
# The faults at which decoding stops, strictest first. libjpeg only warns of corrupt data, and also of harmless
# things, so that JPEG has a level more. With "none", the result contains the part that could be decoded.
_LEVELS = {ImageFormat.JPEG: ("warning", "truncated", "none")}
_OTHER_LEVELS = ("error", "none")
_CORRUPT_JPEG, _HARMLESS_JPEG = "Corrupt JPEG data", "extraneous bytes"
_TURNS: dict[int, Callable[[pyvips.Image], pyvips.Image]] = {
    2: lambda image: image.fliphor(),
    3: lambda image: image.rot180(),
    4: lambda image: image.flipver(),
    5: lambda image: image.rot90().fliphor(),
    6: lambda image: image.rot90(),
    7: lambda image: image.rot270().fliphor(),
    8: lambda image: image.rot270(),
}

pyvips.cache_set_max(0)


@dataclass(frozen=True, slots=True)
class Decoded:
    """`image` is in memory: upright, 8-bit sRGB or gray, perhaps with alpha. `damage` tells what it lacks."""

    image: pyvips.Image
    damage: str | None


def decode_reduced(handle: int, head: ImageHead, short_edge_px: int) -> Decoded:
    """The image in the open file `handle`, with a short edge of at most `short_edge_px`; it is never enlarged.

    Raises `ImageTooLargeError`, and `UnreadableFileError` when no pixel can be decoded.
    """
    check_decodable(head)
    return _decode(head, lambda level: _reduce(_open(handle, head, level, short_edge_px), head, short_edge_px))


def decode_stored(handle: int, head: ImageHead) -> Decoded:
    """The pixels as they are stored: whole, neither turned nor converted. Raises as `decode_reduced` does."""
    check_decodable(head)
    return _decode(head, lambda level: _open(handle, head, level, None).copy_memory())


def _decode(head: ImageHead, attempt: Callable[[str], pyvips.Image]) -> Decoded:
    damage = None
    for level in _LEVELS.get(head.format, _OTHER_LEVELS):
        try:
            with convert_errors():
                image = attempt(level)
        except ImageTooLargeError:
            raise
        except UnreadableFileError as error:
            if level == "none":
                raise
            damage = damage or _describe_damage(head, str(error))
        else:
            return Decoded(image, damage or _find_missing_end(head))
    raise AssertionError(head.format)


def check_decodable(head: ImageHead) -> None:
    """Raises `ImageTooLargeError` when decoding the image would take too much memory or time."""
    size = f"{head.width_px:,} × {head.height_px:,} pixels"
    if head.width_px * head.height_px > MAX_PIXELS or max(head.width_px, head.height_px) > MAX_SIDE_PX:
        raise ImageTooLargeError(f"The image is too large for a thumbnail: {size}.")
    is_reducible = head.format is ImageFormat.PNG
    if not is_reducible and head.buffer_bytes > measure_buffer_limit():
        raise ImageTooLargeError(
            f"The image is too large for a thumbnail: {size} in a variant of "
            f"{head.format.value.upper()} that can only be decoded as a whole."
        )


def measure_buffer_limit() -> int:
    """The bytes that a decoder may keep: `MAX_BUFFER_BYTES`, or less near the memory limit of this process."""
    free = _measure_free_bytes()
    return MAX_BUFFER_BYTES if free is None else max(0, min(MAX_BUFFER_BYTES, free - _RESERVED_BYTES))


def _measure_free_bytes() -> int | None:
    """What the address space limit of this process leaves; None without a limit, or where it cannot be measured."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return None
    return None if limit == resource.RLIM_INFINITY else limit - used


def find_target_size(width_px: int, height_px: int, short_edge_px: int) -> tuple[int, int]:
    """The size of the image reduced to a short edge; larger than that for a panorama, so that it stays legible."""
    short, long = sorted((width_px, height_px))
    edge_px = short_edge_px if long <= short * MAX_ELONGATION else short_edge_px * MAX_ELONGATION * short / long
    factor = min(1.0, max(1.0, edge_px) / short, MAX_TARGET_SIDE_PX / long)
    return max(1, round(width_px * factor)), max(1, round(height_px * factor))


def reduce_stored(image: pyvips.Image, head: ImageHead, short_edge_px: int) -> pyvips.Image:
    """What `decode_reduced` returns, of the pixels that `decode_stored` returned. Raises `UnreadableFileError`."""
    with convert_errors():
        return _reduce(image, head, short_edge_px)


def _reduce(image: pyvips.Image, head: ImageHead, short_edge_px: int) -> pyvips.Image:
    """Reduces first, because turning and converting colors then costs nothing."""
    target = find_target_size(*head.stored_px, short_edge_px)
    image = convert_to_srgb(scale(image, target).copy_memory())
    turn = _TURNS.get(head.orientation)
    upright = (turn(image) if turn else image).copy_memory()
    # Otherwise, thumbnail_image would turn it again.
    upright.remove("orientation")
    return upright


def _open(handle: int, head: ImageHead, level: str, short_edge_px: int | None) -> pyvips.Image:
    """`short_edge_px`: the decoder may reduce the image while it decodes; None: it must not."""
    os.lseek(handle, 0, os.SEEK_SET)
    if head.format is ImageFormat.BMP:
        return bmp.load(handle, short_edge_px and short_edge_px * _OVERSAMPLING, strict=level != "none")
    if short_edge_px and _needs_first_pass(head, level):
        return interlaced_png.load_first_pass(handle, head, strict=level != "none")
    if head.format is ImageFormat.PNG and head.buffer_bytes == 0 and level == "none":
        rows = cut_png.count_rows(handle)
        os.lseek(handle, 0, os.SEEK_SET)
        return cut_png.blank_below(_load(handle, head, level, {}), rows)
    return _load(handle, head, level, _choose_reduction(head, short_edge_px) if short_edge_px else {})


def _load(handle: int, head: ImageHead, level: str, options: dict[str, float]) -> pyvips.Image:
    loader: Callable[..., pyvips.Image] = getattr(pyvips.Image, LOADERS[head.format])
    source = pyvips.Source.new_from_descriptor(handle)
    return loader(source, access="sequential", fail_on=level, **options)


def _needs_first_pass(head: ImageHead, level: str) -> bool:
    """Whether an interlaced PNG is too large to be decoded as a whole, or is known to be damaged: libpng then gives
    nothing."""
    is_interlaced = head.format is ImageFormat.PNG and head.buffer_bytes > 0
    return is_interlaced and (level == "none" or head.buffer_bytes > min(MAX_INTERLACED_BYTES, measure_buffer_limit()))


def _choose_reduction(head: ImageHead, short_edge_px: int) -> dict[str, float]:
    """The reduction that the decoder of this format offers."""
    target = find_target_size(*head.stored_px, short_edge_px)
    ratio = min(size / (wanted * _OVERSAMPLING) for size, wanted in zip(head.stored_px, target, strict=True))
    if head.format is ImageFormat.JPEG and ratio >= 2:
        return {"shrink": 8 if ratio >= 8 else 4 if ratio >= 4 else 2}
    if head.format is ImageFormat.WEBP and head.frames == 1 and ratio >= 2:
        return {"scale": 1 / ratio}
    return {}


def _describe_damage(head: ImageHead, reason: str) -> str | None:
    """What an error of a strict level means; None for something harmless."""
    if head.format is ImageFormat.JPEG and "premature end of JPEG" not in reason:
        return CORRUPT if _CORRUPT_JPEG in reason and _HARMLESS_JPEG not in reason else None
    is_cut_off = head.format is ImageFormat.JPEG or not head.complete or "end of GIF" in reason
    return CUT_OFF if is_cut_off else CORRUPT


def _find_missing_end(head: ImageHead) -> str | None:
    """Damage behind the decoded pixels. A JPEG file may have anything after its end, so only its decoder knows."""
    return None if head.complete or head.format is ImageFormat.JPEG else CUT_OFF


@contextmanager
def convert_errors() -> Iterator[None]:
    """Convert libvips errors to `UnreadableFileError`, and those about memory to `ImageTooLargeError`."""
    try:
        yield
    except MemoryError as error:
        raise ImageTooLargeError(
            "The image is too large for a thumbnail: decoding it takes too much memory."
        ) from error
    except pyvips.Error as error:
        text = str(error.detail or error.message).strip()
        if "out of memory" in text or "nsufficient memory" in text or "Memory allocation" in text:
            raise ImageTooLargeError(
                "The image is too large for a thumbnail: decoding it takes too much memory."
            ) from error
        reason = text.splitlines() or ["unknown error"]
        raise UnreadableFileError(f"The image could not be decoded: {reason[-1].strip()}") from error
