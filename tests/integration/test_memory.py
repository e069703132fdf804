"""Hostile files cost workers, not the Orchestrator (X3, J6). Linux alone tells a process's memory."""

import json
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.faults.serving import Served
from tests.pictures import write_pictures

from mysticanvas.app.orchestrator import ARENAS

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


def cpu_s(process: int) -> float:
    """What it has computed so far; 0 for a process that is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
    entries = len(json.loads((bad / "bad_expected.json").read_text("utf-8")))
    peaks: list[int] = []
    spent: dict[int, float] = {}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            for child in children(served.process.pid):
                peaks.append(status_bytes(child, "VmHWM"))
                spent[child] = max(spent.get(child, 0), cpu_s(child))

    watcher = threading.Thread(target=watch)
    try:
        before = status_bytes(served.process.pid, "VmRSS")
        watcher.start()
        asked = served.post("/api/v1/imports", {"paths": [str(bad)]})["id"]
        while (report := served.get(f"/api/v1/imports/{asked}", wait=1)["report"]) is None:
            time.sleep(0.05)
        served.wait_until_idle(1)
        after = status_bytes(served.process.pid, "VmHWM")
    finally:
        done.set()
        watcher.join()
        served.stop()
    print(
        f"{entries} entries, {report['files_seen']} files, {report['imported']} images, {len(report['failures'])} "
        f"failures: parent + {(after - before) / MIB:.0f} MiB; workers {max(peaks) / MIB:.0f} MiB, "
        f"{max(spent.values()):.1f} s of CPU"
    )
    assert entries == 155
    # Ten minutes each, as tests/conftest.py has it: how the work grows with the text is in tests/property.
    assert not [one for one in report["failures"] if "took longer" in one["reason"]]
    assert after - before <= ORCHESTRATOR_GROWTH, f"{(after - before) / MIB:.0f} MiB"
    assert max(peaks) <= WORKER_LIMIT, f"{max(peaks) / MIB:.0f} MiB"


def own_heaps(process: int) -> int:
    """glibc's heaps of single threads: 64 MB that begin at a multiple of it, of which the rest is not open yet."""
    size = 64 * MIB
    opened: dict[int, int] = {}
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        span, rights, _, _, inode, *_ = line.split()
        begin, end = (int(address, 16) for address in span.split("-"))
        if inode == "0" and rights == "rw-p" and begin % size == 0:
            opened[end] = begin
        elif inode == "0" and rights == "---p" and begin in opened and end - opened[begin] == size:
            opened[end] = opened[begin]
    return sum(1 for end, begin in opened.items() if end - begin == size)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another libc has other heaps")
def test_threads_share_their_heaps_so_that_none_keeps_what_others_need(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures", 60)
    library = tmp_path / "library"
    library.mkdir()
    served = Served(library, [tmp_path / "pictures"]).wait_until_up()
    served.wait_until_idle(60)
    heaps = own_heaps(served.process.pid)
    assert served.stop() == 0
    assert 1 <= heaps <= ARENAS
