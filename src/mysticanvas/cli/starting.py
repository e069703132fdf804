"""Waits for a gallery that already holds the library's lock but does not respond yet."""

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
    """The result of `open_library`, or the address of the gallery that already serves the library.

    A gallery that is starting, or a command that opened the library itself, holds the lock but has no address. This
    waits until the address or the lock is available. Raises `LibraryBusyError` after `START_LIMIT_S`.
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
            err.print("Waiting for another MystiCanvas process that is using this library …")
        time.sleep(POLL_S)
