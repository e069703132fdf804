"""Runs slow requests off the event loop, and cancels their reads when the client disconnects."""

import asyncio
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from mysticanvas.db.connections import READ_CANCELLED

P = ParamSpec("P")
T = TypeVar("T")


async def run_while_connected(request: Request, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `work` on a thread. Its database reads raise `TimeLimitError` once the client has disconnected."""
    gone = threading.Event()
    given_up = READ_CANCELLED.set(gone)
    watching = asyncio.create_task(_watch(request, gone))
    try:
        return await run_in_threadpool(work, *args, **kwargs)
    finally:
        watching.cancel()
        READ_CANCELLED.reset(given_up)


async def _watch(request: Request, gone: threading.Event) -> None:
    # The body has been read, so only a disconnect can follow.
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
