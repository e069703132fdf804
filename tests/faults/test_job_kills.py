"""kill -9 over a mixed load of jobs: none lost, none applied twice (J4); and proof that the harness sees."""

import sys
from pathlib import Path

import pytest

from tests.faults import job_kills

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are found in /proc")

HERE = Path(__file__).parent


def test_no_job_is_lost_or_applied_twice_by_ten_kills(tmp_path: Path) -> None:
    verdict = job_kills.run(tmp_path / "library", tmp_path / "pictures", images=246, kills=10, seed=7)
    print(verdict)
    assert verdict.wrong == []
    assert verdict.jobs >= 500
    assert verdict.orchestrators_killed > 0
    assert verdict.workers_killed > 0


@pytest.mark.long
def test_no_job_of_five_thousand_is_lost_or_applied_twice_by_two_hundred_kills(tmp_path: Path) -> None:
    verdict = job_kills.run(tmp_path / "library", tmp_path / "pictures", images=2_460, kills=200, seed=11)
    print(verdict)
    assert verdict.wrong == []
    assert verdict.jobs >= 5_000


# A result that was applied though it was cancelled is seen at once; one that was lost, at the end.
@pytest.mark.parametrize(("bug", "kills"), [("with_no_token_check.py", 20), ("with_effects_apart.py", 8)])
def test_the_harness_catches_a_planted_bug(tmp_path: Path, bug: str, kills: int) -> None:
    verdict = job_kills.run(
        tmp_path / "library", tmp_path / "pictures", images=100, kills=kills, seed=7, program=HERE / bug
    )
    assert verdict.wrong
