"""Copies of what is committed, and environments in which nothing else is installed."""

import os
import shutil
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from mysticanvas.fs.instance_file import read_address

ROOT = Path(__file__).resolve().parents[1]
# Against hanging.
START_LIMIT_S = 180.0


def copy_sources(target: Path) -> Path:
    """What a clone of the current state would contain."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


class CleanInstall:
    """A virtual environment, without Node and without the packages of this one."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / ("python.exe" if os.name == "nt" else "python")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MYSTICANVAS_", "PYTHON"))}
        # Nothing else is on the PATH, so Node is not.
        self.environment = kept | {"PATH": str(self.bin)}

    def pip_install(self, *requirements: str) -> None:
        pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "--constraint", ROOT / "constraints.txt", *requirements], env=self.environment, check=True
        )

    @property
    def command(self) -> Path:
        return self.bin / ("mysticanvas.exe" if os.name == "nt" else "mysticanvas")


@contextmanager
def running(command: list[str], library: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The gallery that the command starts; stopped afterwards as a service manager would."""
    log = library.parent / f"{library.name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(START_LIMIT_S)


def wait_for_page(process: subprocess.Popen[bytes], library: Path) -> tuple[str, str]:
    """The address of the gallery, and its first page."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log = library.parent / f"{library.name}.log"
            raise RuntimeError(f"It ended by itself with {process.returncode}: {log.read_text('utf-8')}")
        try:
            address = read_address(library)
            if address is None:
                raise ValueError("it has no address yet")
            url = f"http://127.0.0.1:{address.port}/"
            return url, httpx.get(url, timeout=30).raise_for_status().text
        except (OSError, ValueError, httpx.HTTPError):
            time.sleep(0.1)
    raise TimeoutError("The gallery did not start.")
