"""Hostile files cost workers, not the Orchestrator (X3, J6). Linux alone tells a process's memory."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.faults.serving import Served

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")

MIB = 1024 * 1024
ORCHESTRATOR_GROWTH = 50 * MIB
WORKER_LIMIT = 512 * MIB


def status_bytes(process: int, field: str) -> int:
    """A line of /proc/PID/status in bytes; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), 0)


def children(process: int) -> list[int]:
    asked = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)
    return [int(line) for line in asked.stdout.split()]


def test_hostile_files_leave_the_orchestrator_small_and_every_worker_below_its_limit(
    corpus: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    subprocess.run([sys.executable, str(corpus / "make_bad.py"), str(bad)], check=True, capture_output=True)
    library = tmp_path / "library"
    library.mkdir()
    served = Served(library, []).wait_until_up()
    peaks: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peaks.extend(status_bytes(child, "VmHWM") for child in children(served.process.pid))

    watcher = threading.Thread(target=watch)
    try:
        before = status_bytes(served.process.pid, "VmRSS")
        watcher.start()
        asked = served.post("/api/imports", {"paths": [str(bad)]})["id"]
        while served.get(f"/api/imports/{asked}", wait=1)["report"] is None:
            time.sleep(0.05)
        served.wait_until_idle(1)
        after = status_bytes(served.process.pid, "VmHWM")
    finally:
        done.set()
        watcher.join()
        served.stop()
    assert after - before <= ORCHESTRATOR_GROWTH, f"{(after - before) / MIB:.0f} MiB"
    assert max(peaks) <= WORKER_LIMIT, f"{max(peaks) / MIB:.0f} MiB"
