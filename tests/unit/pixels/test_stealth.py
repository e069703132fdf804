"""Text in the lowest bits of a picture."""

import gzip

import numpy as np
import pytest
import pyvips
from tests.unit.pixels.hiding import SIGNATURES, hidden, put

from mysticanvas.domain.file import ImageFormat, ImageHead
from mysticanvas.imaging import stealth

TEXT = "ein Fuchs im Schnee, 狐\nSteps: 20, Seed: 5"


@pytest.mark.parametrize("kind", SIGNATURES)
@pytest.mark.parametrize("size", [(64, 48), (7, 640), (1000, 9)])
def test_text_is_found_in_alpha_and_in_colour_plain_and_packed(kind: str, size: tuple[int, int]) -> None:
    image = hidden(kind, TEXT.encode(), width=size[0], height=size[1])
    assert stealth.read_hidden_text(image) == TEXT


def test_a_picture_without_a_signature_hides_nothing() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 4), dtype=np.uint8)
    assert stealth.read_hidden_text(pyvips.Image.new_from_array(noise, interpretation="srgb")) is None
    assert stealth.read_hidden_text(pyvips.Image.black(64, 64)) is None
    assert stealth.read_hidden_text(pyvips.Image.black(2, 2, bands=4)) is None


@pytest.mark.parametrize("bits", [0xFFFFFFFF, 1 << 20, 7])
def test_a_length_that_cannot_be_is_not_believed(bits: int) -> None:
    assert stealth.read_hidden_text(hidden("alpha", TEXT.encode(), claimed_bits=bits)) is None


def test_what_unpacks_to_too_much_or_is_no_gzip_is_left_alone() -> None:
    bomb = gzip.compress(b"A" * (6 << 20))
    assert stealth.read_hidden_text(put("alpha gzip", bomb, width=256, height=256)) is None
    assert stealth.read_hidden_text(put("alpha gzip", b"no gzip at all", width=64, height=64)) is None
    assert stealth.read_hidden_text(put("alpha", b"\xff\xfe\xfa", width=64, height=64)) is None


@pytest.mark.parametrize(
    ("kind", "side_px", "frames", "may"),
    [
        (ImageFormat.PNG, 1024, 1, True),
        (ImageFormat.WEBP, 1024, 1, True),
        (ImageFormat.JPEG, 1024, 1, False),
        (ImageFormat.PNG, 1024, 9, False),
        (ImageFormat.PNG, 20_000, 1, False),
    ],
)
def test_only_still_lossless_pictures_are_looked_at(kind: ImageFormat, side_px: int, frames: int, may: bool) -> None:
    assert stealth.may_contain_text(ImageHead(kind, side_px, side_px, frames, True, ())) is may
