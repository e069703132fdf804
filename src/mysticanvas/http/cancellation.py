"""Questions that may take a while: off the event loop, and broken off when the asker has gone."""

import asyncio
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from mysticanvas.db.connections import GIVEN_UP

P = ParamSpec("P")
T = TypeVar("T")


async def while_wanted(request: Request, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`work` on a thread. Its reads of the database end with `TimeLimitError` once the client is gone."""
    gone = threading.Event()
    given_up = GIVEN_UP.set(gone)
    watching = asyncio.create_task(_watch(request, gone))
    try:
        return await run_in_threadpool(work, *args, **kwargs)
    finally:
        watching.cancel()
        GIVEN_UP.reset(given_up)


async def _watch(request: Request, gone: threading.Event) -> None:
    # The body has been read: what comes next is the end.
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
