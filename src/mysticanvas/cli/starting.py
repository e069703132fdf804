"""Waits for a gallery that already holds the library's lock but does not respond yet."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mysticanvas.cli.gallery import Gallery, StrangerError, find_gallery
from mysticanvas.cli.output import err
from mysticanvas.domain.errors import LibraryBusyError

T = TypeVar("T")

# A start takes about a second, or longer when a library is upgraded.
START_LIMIT_S = 20.0
# A gallery that has just taken the lock replaces the address of the last one within this time.
STRANGER_LIMIT_S = 2.0
POLL_S = 0.1
SAY_AFTER_S = 2.0


def open_unless_served(library: Path, open_library: Callable[[], T]) -> T | Gallery:
    """Returns the result of `open_library`, or the gallery that holds the library.

    A gallery that is starting, or a command that opened the library itself, holds the lock but has no address. The
    function waits until an address or the lock is available. Raises `LibraryBusyError` after `START_LIMIT_S`, and
    `StrangerError` if another program still responds at the address after `STRANGER_LIMIT_S`.
    """
    began_s = time.monotonic()
    is_said = False
    while True:
        try:
            gallery = find_gallery(library)
            return open_library() if gallery is None else gallery
        except LibraryBusyError as error:
            waited_s = time.monotonic() - began_s
            if waited_s > (STRANGER_LIMIT_S if isinstance(error, StrangerError) else START_LIMIT_S):
                raise
        if waited_s > SAY_AFTER_S and not is_said:
            is_said = True
            err.print("Waiting for another MystiCanvas process that is using this library …")
        time.sleep(POLL_S)
