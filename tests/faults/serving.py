"""A real Orchestrator in a process of its own, to be killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from mysticanvas.cli.gallery import find_gallery
from mysticanvas.domain.errors import LibraryError

# Against hanging.
START_LIMIT_S = 180.0


class Served:
    """`mysticanvas serve`, on a free port by default. `program` runs instead of it, to plant a bug."""

    def __init__(
        self,
        library: Path,
        folders: list[Path],
        *,
        program: Path | None = None,
        port: int = 0,
        env: dict[str, str] | None = None,
    ) -> None:
        self.library = library
        self._log = (library.parent / f"{library.name}.log").open("ab")
        started = [str(program)] if program else ["-m", "mysticanvas.app.cli"]
        self.process = subprocess.Popen(
            [sys.executable, *started, "serve", "--no-open", "--port", str(port), "--library", str(library)]
            + [str(folder) for folder in folders],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            # Others may have the cores: what is looked up is not broken off for taking long.
            env={"MYSTICANVAS_READ_LIMIT_MS": "60000"}
            | (os.environ if env is None else env)
            | {"MYSTICANVAS_SETTLE_S": "1", "MYSTICANVAS_WORKERS": "1"},
        )
        self.http = httpx.Client(timeout=120)

    def wait_until_up(self) -> "Served":
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the Orchestrator ended by itself with {self.process.returncode}")
            try:
                gallery = find_gallery(self.library)
                if gallery is None or gallery.pid != self.process.pid:
                    raise ValueError("it is not up, or this is the address of one that was killed")
                self.http.base_url = gallery.url
                self.http.headers.update(gallery.headers)
                self.http.get("/api/v1/status").raise_for_status()
            except (OSError, ValueError, httpx.HTTPError, LibraryError):
                time.sleep(0.03)
            else:
                return self
        raise TimeoutError("the Orchestrator did not come up")

    @property
    def port(self) -> int:
        return int(str(self.http.base_url).rstrip("/").rpartition(":")[2])

    def get(self, path: str, **query: Any) -> Any:
        return self.http.get(path, params=query).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        return self._send("POST", path, body)

    def put(self, path: str, body: Any) -> Any:
        return self._send("PUT", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self._send("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path, None)

    def _send(self, method: str, path: str, body: Any) -> Any:
        reply = self.http.request(method, path, json=body).raise_for_status()
        return reply.json() if reply.content else None

    def wait_until_idle(self, images: int) -> None:
        """Returns when that many images are taken in and no job is left."""
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            status = self.get("/api/v1/status")
            left = status["jobs"]["waiting"] + status["jobs"]["running"]
            if status["total"] >= images and status["current_import"] is None and not left:
                return
            time.sleep(0.1)
        raise TimeoutError("the work did not end")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self._end()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self._end()

    def _end(self) -> int:
        try:
            return self.process.wait(120)
        finally:
            self.process.kill()
            self.http.close()
            self._log.close()
