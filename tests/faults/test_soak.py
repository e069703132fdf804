"""Days of use in minutes, and fifty browsers at once: nothing grows, nobody waits for a lock, nothing is lost."""

import sys
import time
from pathlib import Path

import pytest

from tests.faults import browsers, soak
from tests.faults.kill_loop import doctor
from tests.faults.serving import Served
from tests.pictures import write_pictures

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory, handles and threads are read in /proc")

MB = 1e6


def load(folder: Path, *, images: int, people: int, for_s: float, edits: int) -> browsers.Seen:
    """So many people browse while so many images are taken in; none of what they were told was saved is lost."""
    write_pictures(folder / "pictures", images)
    (folder / "library").mkdir()
    served = Served(folder / "library", [folder / "pictures"]).wait_until_up()
    began_s = time.monotonic()
    seen = browsers.browse(served, people, for_s=for_s, edits=edits)
    taken_in = served.get("/api/v1/status")["total"]
    took_s = time.monotonic() - began_s
    print(f"\n{people} browsers, {taken_in:,} of {images:,} images after {took_s:.0f} s: {seen.said()}")
    lost = [u for u, rating in seen.ratings.items() if served.get(f"/api/v1/images/{u}")["rating"] != rating]
    assert served.stop() == 0
    assert lost == []
    assert doctor(folder / "library") == []
    return seen


def test_people_browse_and_rate_while_images_come_in(tmp_path: Path) -> None:
    seen = load(tmp_path, images=120, people=8, for_s=2, edits=5)
    assert seen.faults == []
    assert seen.pages
    assert len(seen.edits) >= 5
    assert seen.wal_bytes < 64 * MB


@pytest.mark.long
def test_fifty_browse_and_rate_while_ten_thousand_images_come_in(tmp_path: Path) -> None:
    seen = load(tmp_path, images=10_000, people=50, for_s=60, edits=101)
    assert seen.faults == []
    assert len(seen.edits) > 100
    assert seen.wal_bytes < 64 * MB


def test_some_rounds_of_use_leave_a_library_sound(tmp_path: Path) -> None:
    verdict = soak.Soak(tmp_path, seconds=1, kill_at_s=[0.5], images=50).run()
    print(verdict.said(0))
    assert verdict.wrong == []
    assert verdict.orchestrators_killed == 1


@pytest.mark.long
def test_twenty_minutes_of_use_leave_memory_handles_and_threads_as_they_were(tmp_path: Path) -> None:
    verdict = soak.Soak(tmp_path, seconds=1_200, kill_at_s=[240, 480]).run()
    print(f"\n{verdict.said()}")
    assert verdict.wrong == []
    assert verdict.workers_killed >= 15
    # Each connection's pages fill their 16 MB as the database grows by what it tells of images that went, and
    # stay there, with holes in the heap between them. Measured over six minutes: 810 bytes an image.
    assert verdict.growth_bytes_per_image() < 1_300
    settled = verdict.settled()
    assert max(one.threads for one in settled) - min(one.threads for one in settled) <= 2
    assert max(one.handles for one in settled) - min(one.handles for one in settled) <= 16
    assert verdict.wal_bytes < 64 * MB


def test_memory_that_grows_is_seen() -> None:
    grown = [soak.Sample(at_s, at_s * 20, 100_000_000 + at_s * 50_000, 20, 20, 0) for at_s in range(0, 600, 2)]
    assert soak.Verdict(samples=grown).growth_bytes_per_image() == pytest.approx(2_500, rel=0.01)
    flat = [soak.Sample(one.at_s, one.came, 100_000_000, 20, 20, 0) for one in grown]
    assert soak.Verdict(samples=flat).growth_bytes_per_image() == 0
