"""kill -9 of the Orchestrator during an import (D2, J1, J3, J4), and proof that the harness sees."""

import sys
from pathlib import Path

import pytest

from tests.faults import kill_loop, ledger_kills
from tests.pictures import write_pictures

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

HERE = Path(__file__).parent


def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 200)
    verdict = kill_loop.run(tmp_path / "library", tmp_path / "pictures", files=200, kills=3, seed=7)
    print(f"{verdict.kills} kills, {verdict.acknowledged} acknowledged favourites")
    assert verdict.wrong == []
    assert verdict.kills == 3


@pytest.mark.long
def test_nothing_acknowledged_is_lost_by_sixty_kills_in_two_thousand_files(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 2_000)
    verdict = kill_loop.run(tmp_path / "library", tmp_path / "pictures", files=2_000, kills=60, seed=11)
    print(f"{verdict.kills} kills, {verdict.acknowledged} acknowledged favourites")
    assert verdict.wrong == []
    assert verdict.acknowledged > 0


@pytest.mark.parametrize("bug", ["with_early_reply.py", "with_loose_jobs.py"])
def test_the_harness_catches_a_planted_bug(tmp_path: Path, bug: str) -> None:
    write_pictures(tmp_path / "pictures", 200)
    verdict = kill_loop.run(tmp_path / "library", tmp_path / "pictures", files=200, kills=3, seed=7, program=HERE / bug)
    assert verdict.wrong


def test_every_acknowledged_edit_and_undo_outlives_kills(tmp_path: Path) -> None:
    ledger = ledger_kills.Kills(tmp_path / "library", tmp_path / "pictures", seed=3).run(4)
    print(f"{ledger.acknowledged} acknowledged, {ledger.undone} of them undone, {len(ledger.backups)} backups")
    assert ledger.wrong == []
    assert ledger.acknowledged > 0


@pytest.mark.long
def test_every_acknowledged_edit_and_undo_outlives_two_hundred_kills(tmp_path: Path) -> None:
    ledger = ledger_kills.Kills(tmp_path / "library", tmp_path / "pictures", seed=5).run(200)
    print(f"{ledger.acknowledged} acknowledged, {ledger.undone} of them undone, {len(ledger.backups)} backups")
    assert ledger.wrong == []
    assert min(ledger.acknowledged, ledger.undone, len(ledger.backups)) > 10


def test_the_ledger_catches_a_planted_bug(tmp_path: Path) -> None:
    kills = ledger_kills.Kills(
        tmp_path / "library", tmp_path / "pictures", seed=3, program=HERE / "with_early_reply.py"
    )
    assert kills.run(4).wrong
