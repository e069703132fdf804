"""Large images get thumbnails within a small memory limit, because they are decoded row by row or reduced.

Each is decoded in a worker process of its own whose limit leaves less than the decoded image needs.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips
from tests.odd_pictures import BLUE, GOLD, GREEN, RED, write_striped_png

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs the address space limit of Linux")

WIDTH, HEIGHT = 7_000, 6_200
MIB = 1024 * 1024
# Decoded, the images need 124 MiB (RGB) or 165 MiB (RGBA).
SPARE_BYTES = 112 * MIB
WORKER = """
import os, resource, sys
from mysticanvas.features.thumbnails.task import run
from mysticanvas.features.thumbnails.types import MakeThumbs

folder, name, spare = sys.argv[1:]
small = run(MakeThumbs(os.fsencode(folder), b"small.png", [256, 512]))
assert small.webps, small
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(spare), used + int(spare)))
made = run(MakeThumbs(os.fsencode(folder), os.fsencode(name), [256, 512]))
print(made.damage, made.too_large, len(made.webps), f"{made.color_rgb or 0:06x}", sep="|")
if made.webps:
    sys.stdout.flush()
    open(os.path.join(folder, "thumb.webp"), "wb").write(made.webps[-1])
"""


def decode_in_little_memory(folder: Path, name: str, spare_bytes: int = SPARE_BYTES) -> list[str]:
    """Damage, reason for being too large, number of thumbnails, color."""
    write_striped_png(folder / "small.png", 64, 64)
    run = subprocess.run(
        [sys.executable, "-c", WORKER, str(folder), name, str(spare_bytes)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.strip().split("|")


def write_jpeg(path: Path, *, progressive: bool) -> None:
    plane = pyvips.Image.xyz(WIDTH, HEIGHT) * (200 / WIDTH)
    image = plane.bandjoin(plane[0]).cast("uchar").copy(interpretation="srgb")
    # Quality 95 keeps the resolution of colors, so that the coefficients of all three components are kept.
    image.jpegsave(str(path), Q=95, interlace=progressive)


@pytest.mark.parametrize(("interlaced", "channels"), [(False, 3), (False, 4), (True, 3), (True, 4)])
def test_a_large_png_is_never_in_memory_as_a_whole(tmp_path: Path, interlaced: bool, channels: int) -> None:
    write_striped_png(tmp_path / "large.png", WIDTH, HEIGHT, interlaced=interlaced, channels=channels)
    damage, too_large, thumbnails, _ = decode_in_little_memory(tmp_path, "large.png")
    assert (damage, too_large, thumbnails) == ("None", "None", "2")
    thumb = pyvips.Image.new_from_file(str(tmp_path / "thumb.webp"))
    assert (thumb.width, thumb.height) == (578, 512)
    # The stripes are wide enough to survive the reduction.
    pixels = thumb.numpy()[:, :, :3].astype(int)
    for color in (RED, GREEN, BLUE, GOLD):
        assert np.abs(pixels - np.array(color)).max(axis=2).min() <= 16


def test_a_large_jpeg_is_reduced_while_it_is_decoded(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "large.jpg", progressive=False)
    assert decode_in_little_memory(tmp_path, "large.jpg")[:3] == ["None", "None", "2"]


def test_a_large_lossy_webp_is_reduced_while_it_is_decoded(tmp_path: Path) -> None:
    plane = pyvips.Image.xyz(WIDTH, HEIGHT) * (200 / WIDTH)
    image = plane.bandjoin(plane[0]).cast("uchar").copy(interpretation="srgb")
    image.webpsave(str(tmp_path / "large.webp"), effort=0)
    assert decode_in_little_memory(tmp_path, "large.webp")[:3] == ["None", "None", "2"]


def test_an_image_that_needs_more_memory_than_there_is_is_too_large_and_not_damaged(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "large.jpg", progressive=True)
    damage, too_large, thumbnails, _ = decode_in_little_memory(tmp_path, "large.jpg")
    assert (damage, thumbnails) == ("None", "0")
    assert too_large == (
        "The image is too large for a thumbnail: 7,000 × 6,200 pixels in a variant of JPEG that can only be decoded "
        "as a whole."
    )
