"""A hook is told of each image at least once, however often the gallery is killed (docs/hooks.md)."""

import sys
from pathlib import Path

import pytest

from tests.faults import hook_kills

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

HERE = Path(__file__).parent


def test_a_hook_is_told_of_each_image_although_the_gallery_is_killed(tmp_path: Path) -> None:
    verdict = hook_kills.run(tmp_path, files=100, kills=2, seed=3)
    print(f"{verdict.kills} kills, {verdict.deliveries} deliveries, {verdict.repeated} of them repeated")
    assert verdict.wrong == []


@pytest.mark.long
def test_a_hook_is_told_of_each_of_two_thousand_images_through_thirty_kills(tmp_path: Path) -> None:
    verdict = hook_kills.run(tmp_path, files=2_000, kills=30, seed=5)
    print(f"{verdict.kills} kills, {verdict.deliveries} deliveries, {verdict.repeated} of them repeated")
    assert verdict.wrong == []
    assert verdict.kills == 30


def test_the_harness_catches_deliveries_that_are_recorded_too_late(tmp_path: Path) -> None:
    verdict = hook_kills.run(tmp_path, files=100, kills=2, seed=8, program=HERE / "with_late_hooks.py")
    assert any("not told" in one for one in verdict.wrong)
