"""A real Dask cluster on loopback: a scheduler and workers, in processes of their own, to be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

START_LIMIT_S = 180.0


class DaskCluster:
    """A context manager. Each worker does one task at a time."""

    def __init__(self, folder: Path, *, workers: int) -> None:
        self._folder = folder
        self._count = workers
        self._processes: list[subprocess.Popen[bytes]] = []
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.port = 0

    def __enter__(self) -> "DaskCluster":
        self._folder.mkdir(parents=True, exist_ok=True)
        self.start_scheduler()
        self.start_workers(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait(30)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        """At the port of the last one, if there was one."""
        file = self._folder / "scheduler.json"
        file.unlink(missing_ok=True)
        self.scheduler = self._start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--scheduler-file", str(file)
        )
        deadline_s = time.monotonic() + START_LIMIT_S
        while not file.exists() or not file.read_text().strip():
            assert time.monotonic() < deadline_s, "the scheduler did not come up"
            assert self.scheduler.poll() is None, "the scheduler ended by itself"
            time.sleep(0.05)
        self.port = int(json.loads(file.read_text())["address"].rpartition(":")[2])

    def start_workers(self, count: int) -> None:
        """Without the nanny that would start one anew."""
        self.workers += [
            self._start("dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--memory-limit", "0")
            for _ in range(count)
        ]

    def kill(self, process: subprocess.Popen[bytes] | None) -> None:
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait(30)

    def _start(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        log = (self._folder / "log.txt").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *words, "--no-dashboard"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        log.close()
        self._processes.append(process)
        return process
