"""Somebody swaps a file, or the folder it is in, for a link out of the root while it is being opened.

`Swapping` does nothing else in a process of its own; what reads the secret through the link has escaped.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.pictures import png

SECRET = b"outside, and nobody's business"
# What is opened, relative to the root; the first is swapped itself, of the second its folder.
SWAPPED = (b"swapped.png", b"folder/inside.png")

Opener = Callable[[bytes, bytes], bytes]


def lay_out(home: Path) -> Path:
    """The root, with both files in it, and what lies outside."""
    root, outside = home / "root", home / "outside"
    (root / "folder").mkdir(parents=True)
    outside.mkdir()
    for name in ("swapped.png", "inside.png"):
        (outside / name).write_bytes(SECRET)
    (root / "swapped.png").write_bytes(png(8, 8, color=0x112233))
    (root / "folder" / "inside.png").write_bytes(png(8, 8, color=0x332211))
    return root


class Swapping:
    """A context manager: while it is open, both are swapped as fast as the disk allows."""

    def __init__(self, root: Path) -> None:
        self._command = [sys.executable, str(Path(__file__)), str(root)]

    def __enter__(self) -> "Swapping":
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, env=environment)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.poll() is None, "the swapping ended by itself"
        self._process.kill()
        self._process.communicate()


def escapes(root: Path, opener: Opener, tries: int) -> tuple[int, int]:
    """(how often the secret came, how often the file itself came) while both are swapped."""
    escaped = came = 0
    with Swapping(root):
        for attempt in range(tries):
            try:
                content = opener(os.fsencode(root), SWAPPED[attempt % 2])
            except (OSError, ValueError):
                continue
            escaped += SECRET in content
            came += content.startswith(b"\x89PNG")
    return escaped, came


def by_real_path(root: bytes, path_bytes: bytes) -> bytes:
    """The control: looks first, then opens."""
    whole = os.path.join(root, path_bytes)
    if not os.path.realpath(whole).startswith(os.path.realpath(root) + b"/"):
        raise PermissionError("leads out of the root")
    with open(whole, "rb") as file:
        return file.read()


def _swap_for_ever(root: Path) -> None:
    outside, aside, link = root.parent / "outside", root.parent / "aside", root.parent / "link"
    real = root.parent / "real.png"
    os.link(root / "swapped.png", real)
    print("swapping", flush=True)
    while True:
        os.symlink(outside / "swapped.png", link)
        os.replace(link, root / "swapped.png")
        os.rename(root / "folder", aside)
        os.symlink(outside, root / "folder")
        os.link(real, link)
        os.replace(link, root / "swapped.png")
        os.unlink(root / "folder")
        os.rename(aside, root / "folder")


if __name__ == "__main__":
    _swap_for_ever(Path(sys.argv[1]))
