"""Images that many programs show wrongly: turned, with profiles, deep, in CMYK, cut off.

The shown image of most is the same: four quarters in these colors, clockwise from the top left.
"""

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageDraw

from tests.pictures import png_chunk

RED, GREEN, BLUE, GOLD = (204, 40, 40), (30, 150, 60), (40, 60, 190), (230, 180, 40)
SIZE = (480, 320)
ORIENTATION = 0x0112
# How to store an image that is shown upright under each orientation: the inverse of what a viewer does.
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quarters(size: tuple[int, int] = SIZE) -> Image.Image:
    image = Image.new("RGB", size, RED)
    draw, (width, height) = ImageDraw.Draw(image), size
    draw.rectangle((width // 2, 0, width, height // 2 - 1), GREEN)
    draw.rectangle((width // 2, height // 2, width, height), BLUE)
    draw.rectangle((0, height // 2, width // 2 - 1, height), GOLD)
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(kind: str, orientation: int, size: tuple[int, int] = SIZE) -> bytes:
    """Shown as the quarters; stored turned."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image = quarters(size)
    stored = image.transpose(_STORED[orientation]) if orientation in _STORED else image
    lossy = {"quality": 95} if kind in ("jpeg", "webp") else {}
    return encoded(stored, kind, exif=exif.tobytes(), **lossy)


def wide_gamut_profile() -> bytes:
    """An RGB matrix profile (ICC.1:2001) with the primaries of Display P3 and a gamma of 2.2."""
    primaries = {
        b"rXYZ": (0.5151, 0.2412, -0.0011),
        b"gXYZ": (0.2920, 0.6922, 0.0419),
        b"bXYZ": (0.1571, 0.0666, 0.7841),
    }
    tags = {b"wtpt": _xyz(0.9642, 1.0, 0.8249)} | {name: _xyz(*values) for name, values in primaries.items()}
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) + bytes(2)
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    tags |= {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"wide\0" + bytes(79), b"cprt": b"text" + bytes(8)}
    table, body, offset = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", offset + len(body), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + _xyz(0.9642, 1.0, 0.8249)[8:] + bytes(48)
    return head + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">iii", *(round(value * 65536) for value in values))


def in_wide_gamut() -> tuple[Image.Image, bytes]:
    """The quarters in the colors of a wide gamut, and the profile that says so."""
    profile = wide_gamut_profile()
    wide = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    image = ImageCms.profileToProfile(quarters(), ImageCms.createProfile("sRGB"), wide, outputMode="RGB")
    assert image is not None
    return image, profile


def deep_png(image: Image.Image, *, bits: int = 16, interlaced: bool = False) -> bytes:
    """A PNG that Pillow cannot write: 16 bits per channel, or interlaced."""
    pixels = np.asarray(image)
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[pixels.shape[2]]
    deep = pixels.astype(">u2") * 257 if bits == 16 else pixels
    steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    parts = [deep[y::down, x::right] for x, y, right, down in steps] if interlaced else [deep]
    rows = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", image.width, image.height, bits, color_type, 0, 0, int(interlaced))
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows, 1)), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def bmp(image: Image.Image) -> bytes:
    return encoded(image, "bmp")


def _with_palette() -> bytes:
    """Palette with a transparent entry, which covers a frame around the quarters' corners."""
    image = quarters().quantize(8)
    image.info.clear()
    return encoded(image, "png", transparency=255)


def _inverted_cmyk() -> bytes:
    """As Photoshop writes CMYK: an Adobe segment, and ink inverted. Pillow writes exactly that."""
    content = encoded(quarters().convert("CMYK"), "jpeg", quality=95)
    assert b"Adobe" in content
    return content


def _cmyk_without_segment() -> bytes:
    """The same without the Adobe segment: every viewer takes it for inverted ink all the same."""
    content = _inverted_cmyk()
    start = content.index(b"\xff\xee")
    return content[:start] + content[start + 2 + int.from_bytes(content[start + 2 : start + 4], "big") :]


def _animation(kind: str) -> bytes:
    frames = [quarters(), Image.new("RGB", SIZE, (0, 0, 0))]
    options = {"lossless": True} if kind == "webp" else {}
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=200, **options)


def _profiled(kind: str) -> bytes:
    image, profile = in_wide_gamut()
    return encoded(
        image,
        kind,
        icc_profile=profile,
        **({"quality": 95} if kind == "jpeg" else {"lossless": True} if kind == "webp" else {}),
    )


# Each is shown as the quarters.
SHOWN_AS_QUARTERS: dict[str, Callable[[], bytes]] = {
    **{f"turned-{n}.jpg": partial(turned, "jpeg", n) for n in range(1, 9)},
    **{f"turned-{n}.webp": partial(turned, "webp", n) for n in range(2, 9)},
    **{f"turned-{n}.png": partial(turned, "png", n) for n in range(2, 9)},
    "turned-6.avif": lambda: turned("avif", 6),
    "wide-gamut.png": lambda: _profiled("png"),
    "wide-gamut.jpg": lambda: _profiled("jpeg"),
    "wide-gamut.webp": lambda: _profiled("webp"),
    "broken-profile.png": lambda: encoded(quarters(), "png", icc_profile=b"no profile" * 40),
    "broken-profile.jpg": lambda: encoded(quarters(), "jpeg", quality=95, icc_profile=wide_gamut_profile()[:200]),
    "profile-of-gray.png": lambda: encoded(
        quarters(), "png", icc_profile=wide_gamut_profile().replace(b"RGB ", b"GRAY", 1)
    ),
    "16-bit.png": lambda: deep_png(quarters()),
    "16-bit-alpha.png": lambda: deep_png(quarters().convert("RGBA")),
    "interlaced.png": lambda: deep_png(quarters(), bits=8, interlaced=True),
    "palette.png": _with_palette,
    "cmyk-inverted.jpg": _inverted_cmyk,
    "cmyk.jpg": _cmyk_without_segment,
    "progressive.jpg": lambda: encoded(quarters(), "jpeg", quality=95, progressive=True),
    "animated.gif": lambda: _animation("gif"),
    "animated.webp": lambda: _animation("webp"),
    "animated.png": lambda: _animation("png"),
    "plain.bmp": lambda: bmp(quarters()),
}


def detailed(kind: str, **options: Any) -> bytes:
    """The quarters with noise, so that a file cut in the middle lacks pixels."""
    noise = np.random.default_rng(7).integers(-30, 30, (SIZE[1], SIZE[0], 3))
    image = Image.fromarray(np.clip(np.asarray(quarters()).astype(int) + noise, 0, 255).astype(np.uint8))
    return deep_png(image, bits=8, interlaced=True) if kind == "interlaced" else encoded(image, kind, **options)


def cut(content: bytes, share: float = 0.5) -> bytes:
    return content[: int(len(content) * share)]


def _overwrite(content: bytes, share: float = 0.5) -> bytes:
    at = int(len(content) * share)
    return content[:at] + np.random.default_rng(3).bytes(4096) + content[at + 4096 :]


DAMAGED: dict[str, Callable[[], bytes]] = {
    "cut.png": lambda: cut(detailed("png")),
    "cut-interlaced.png": lambda: cut(detailed("interlaced")),
    "cut.jpg": lambda: cut(detailed("jpeg")),
    "cut-progressive.jpg": lambda: cut(detailed("jpeg", progressive=True)),
    "cut.webp": lambda: cut(detailed("webp")),
    "cut.gif": lambda: cut(detailed("gif")),
    "cut.bmp": lambda: cut(detailed("bmp")),
    "cut-end.png": lambda: detailed("png")[:-12],
    "overwritten.png": lambda: _overwrite(detailed("png")),
    "overwritten.jpg": lambda: _overwrite(detailed("jpeg", quality=95)),
}
# Strange, but complete.
UNDAMAGED: dict[str, Callable[[], bytes]] = {
    "more-behind.jpg": lambda: detailed("jpeg") + b"trailer" * 2000,
    "no-trailer.gif": lambda: detailed("gif").removesuffix(b";"),
}


def write_odd_pictures(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in (SHOWN_AS_QUARTERS | DAMAGED | UNDAMAGED).items():
        (folder / name).write_bytes(make())
    (folder / "bomb.png").write_bytes(bomb())


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """900 megapixels in a few bytes."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(99)))
        + png_chunk(b"IEND", b"")
    )


def write_striped_png(path: Path, width: int, height: int, *, interlaced: bool = False, channels: int = 3) -> None:
    """A large PNG of diagonal stripes, written pass by pass and row by row, so that it fits into little memory."""
    steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    packer = zlib.compressobj(1)
    stripes = np.arange(width + 512) // 64 % 4
    colors = np.array([RED, GREEN, BLUE, GOLD], np.uint8)[stripes]
    if channels == 4:
        colors = np.concatenate([colors, np.full((len(colors), 1), 255, np.uint8)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, int(interlaced))
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header))
        for x, y, right, down in steps if interlaced else ((0, 0, 1, 1),):
            for row in range(y, height, down):
                start = row % 256
                packed = packer.compress(b"\0" + colors[start + x : start + width : right].tobytes())
                if packed:
                    file.write(png_chunk(b"IDAT", packed))
        file.write(png_chunk(b"IDAT", packer.flush()) + png_chunk(b"IEND", b""))
