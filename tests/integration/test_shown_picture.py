"""One notion of the shown picture: what a browser shows, in size, thumbnails and perceptual hashes."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.odd_pictures import (
    BLUE,
    DAMAGED,
    GOLD,
    GREEN,
    RED,
    SHOWN_AS_QUARTERS,
    SIZE,
    UNDAMAGED,
    bomb,
    encoded,
    quarters,
)  # fmt: skip

from mysticanvas.features.thumbnails.task import run
from mysticanvas.features.thumbnails.types import MakeThumbs, ThumbsMade
from mysticanvas.formats.containers.identify import read_head
from mysticanvas.fs.safe_open import open_beneath
from mysticanvas.imaging.perceptual_hash import BRIGHTNESS_EDGE_PX, HASH_BYTES, MINIATURE_BYTES


def thumbs_of(folder: Path, name: str, content: bytes) -> ThumbsMade:
    (folder / name).write_bytes(content)
    return run(MakeThumbs(os.fsencode(folder), name.encode(), [256, 512]))


def corners(webp: bytes) -> list[list[int]]:
    """The colors in the middle of the quarters, clockwise from the top left."""
    pixels = np.asarray(Image.open(io.BytesIO(webp)).convert("RGB"))
    rows, columns = pixels.shape[0] // 4, pixels.shape[1] // 4
    return [pixels[y, x].tolist() for y, x in ((rows, columns), (rows, -columns), (-rows, -columns), (-rows, columns))]


@pytest.mark.parametrize("name", SHOWN_AS_QUARTERS)
def test_every_encoding_of_a_picture_gives_the_same_size_thumbnail_and_hash(tmp_path: Path, name: str) -> None:
    made = thumbs_of(tmp_path, name, SHOWN_AS_QUARTERS[name]())
    assert (made.damage, made.too_large, made.width_px, made.height_px) == (None, None, *SIZE)
    for webp in made.webps:
        for seen, meant in zip(corners(webp), (RED, GREEN, BLUE, GOLD), strict=True):
            assert np.abs(np.subtract(seen, meant)).max() <= 12, (seen, meant)
    plain = thumbs_of(tmp_path, "plain.png", encoded(quarters(), "png"))
    assert made.phash is not None
    assert plain.phash is not None
    # The hash of flat areas is noise, so that the miniature is compared: brightness, then colors as signed bytes.
    brightness, colors = HASH_BYTES + BRIGHTNESS_EDGE_PX**2, MINIATURE_BYTES - BRIGHTNESS_EDGE_PX**2
    for start, count, kind in ((HASH_BYTES, BRIGHTNESS_EDGE_PX**2, np.uint8), (brightness, colors, np.int8)):
        ours, meant = (np.frombuffer(one, kind, count, start).astype(int) for one in (made.phash, plain.phash))
        assert np.abs(ours - meant).max() <= 12
    with open_beneath(os.fsencode(tmp_path), name.encode()) as source:
        head = read_head(source)
    assert (head.width_px, head.height_px) == SIZE


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_says_so_and_shows_what_is_left(tmp_path: Path, name: str) -> None:
    made = thumbs_of(tmp_path, name, DAMAGED[name]())
    assert made.damage is not None
    assert made.too_large is None
    if not name.endswith(".webp"):
        # BMP files begin at the bottom.
        corner, meant = (3, GOLD) if name.endswith(".bmp") else (0, RED)
        assert np.abs(np.subtract(corners(made.webps[-1])[corner], meant)).max() <= 40


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("harm", ["cut", "corrupt", "checksum"])
def test_the_missing_part_of_a_damaged_png_is_blank_and_no_other_part_is_shown_there(
    tmp_path: Path, mode: str, harm: str
) -> None:
    noise = np.random.default_rng(1).integers(120, 250, (1200, 600, len(mode)), np.uint8)
    content = encoded(Image.fromarray(noise.squeeze(), mode), "png")
    third = len(content) // 3
    harmed = {
        "cut": content[:third],
        "corrupt": content[:third] + b"\xff" * 64 + content[third + 64 :],
        # Of the pixels, at the end: all of them can be shown.
        "checksum": content[:-20] + bytes(4) + content[-16:],
    }[harm]
    made = thumbs_of(tmp_path, "tall.png", harmed)
    assert made.damage is not None
    seen = np.asarray(Image.open(io.BytesIO(made.webps[-1])).convert("RGBA")).astype(int)
    shown = (seen[..., :3].max(axis=2) > 60) & (seen[..., 3] > 60)
    height = len(shown)
    assert shown[: height // 4].mean() > 0.95
    assert shown[height // 2 :].mean() == 0 if harm != "checksum" else shown.mean() > 0.95


@pytest.mark.parametrize("size", [(1, 30_000), (30_000, 1), (3, 60_000), (40, 20_000)])
def test_an_image_longer_than_webp_allows_gets_a_smaller_thumbnail(tmp_path: Path, size: tuple[int, int]) -> None:
    made = thumbs_of(tmp_path, "thin.png", encoded(Image.new("RGB", size, (90, 140, 20)), "png"))
    assert (made.damage, made.too_large) == (None, None)
    for webp in made.webps:
        width, height = Image.open(io.BytesIO(webp)).size
        assert max(width, height) <= 16_383
        assert (width < height) is (size[0] < size[1])


@pytest.mark.parametrize("name", UNDAMAGED)
def test_a_strange_but_complete_file_is_not_damaged(tmp_path: Path, name: str) -> None:
    made = thumbs_of(tmp_path, name, UNDAMAGED[name]())
    assert (made.damage, len(made.webps)) == (None, 2)


def test_an_image_beyond_the_limits_is_too_large_and_not_damaged(tmp_path: Path) -> None:
    made = thumbs_of(tmp_path, "bomb.png", bomb())
    assert (made.damage, made.webps) == (None, [])
    assert made.too_large == "The image is too large for a thumbnail: 30,000 × 30,000 pixels."
