"""Waiting for a gallery that has the library's lock already and does not answer yet."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mysticanvas.cli.output import err
from mysticanvas.domain.errors import LibraryBusyError
from mysticanvas.fs.instance_file import holder_address

T = TypeVar("T")

# A start takes about a second, or longer when a library is upgraded.
START_LIMIT_S = 20.0
POLL_S = 0.1
SAY_AFTER_S = 2.0


def open_unless_served(library: Path, open_library: Callable[[], T]) -> T | str:
    """What `open_library` returns, or the address of the gallery that holds the library.

    While another process holds the library without an address, as a gallery does that is starting and a command that
    works without one, this waits for the address or for the lock. Raises `LibraryBusyError` after `START_LIMIT_S`.
    """
    began_s = time.monotonic()
    is_said = False
    while True:
        if (address := holder_address(library)) is not None:
            return address
        try:
            return open_library()
        except LibraryBusyError:
            waited_s = time.monotonic() - began_s
            if waited_s > START_LIMIT_S:
                raise
        if waited_s > SAY_AFTER_S and not is_said:
            is_said = True
            err.print("Waiting for the MystiCanvas that is using this library …")
        time.sleep(POLL_S)
