"""What do signed pages notice of 2,000 idle and 200 slow connections that have not signed in?

    python3 dev.py bench strangers [SECONDS [IDLE [SLOW]]]

Serves a small library. Clients in a process of their own hold the connections, and open each again three to seven
seconds after the server has closed it, all from the address of the pages. Slow ones send a header
or a body, or read a reply, one byte a second. Meanwhile signed pages are asked for, over one connection and over a new
one each time. 120 seconds by default. The goal: 99 % of the pages within 200 ms, a log of at most 100 kB, at most 30 MB
more memory.
"""

import asyncio
import itertools
import math
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
from tests import application
from tests.faults.serving import Served
from tests.pictures import write_pictures

MB = 1e6
IMAGES = 200
PAGES = ("/", "/api/v1/status", "/api/v1/images?limit=60")
EVERY_S = 0.1
WITHOUT_S = 15
REOPEN_S = (3, 7)


def main() -> None:
    seconds, idle, slow = (int(one) for one in [*sys.argv[1:], *["120", "2000", "200"][len(sys.argv) - 1 :]])
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {psutil.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures"
        write_pictures(pictures, IMAGES)
        served = Served(Path(folder) / "library", [pictures]).wait_until_up()
        # As a browser does, the first connection is kept.
        served.http = httpx.Client(
            base_url=served.http.base_url,
            headers=served.http.headers,
            timeout=120,
            limits=httpx.Limits(keepalive_expiry=None),
        )
        try:
            served.wait_until_idle(IMAGES)
            _measure(served, seconds, idle, slow)
        finally:
            served.stop()


def _measure(served: Served, seconds: int, idle: int, slow: int) -> None:
    server = psutil.Process(served.process.pid)
    _print_times("without strangers", *_ask(served, server, WITHOUT_S))
    before, cpu_s, began_s = server.memory_info().rss, sum(server.cpu_times()[:2]), time.monotonic()
    with _strangers(served.port, idle, slow):
        same, new, most = _ask(served, server, seconds)
        open_now = len(server.net_connections("tcp"))
    share = (sum(server.cpu_times()[:2]) - cpu_s) / (time.monotonic() - began_s)
    _print_times(f"with {idle:,} idle and {slow:,} slow", same, new, most)
    print(f"memory: {before / MB:.0f} MB before, {(most - before) / MB:+.0f} MB at most")
    print(f"processor time of the server: {share:.0%} of one core")
    print(f"connections that the server had at the end: {open_now}")
    print(f"log: {_log_bytes(served) / 1e3:.1f} kB")


def _ask(served: Served, server: psutil.Process, seconds: float) -> tuple[list[float], list[float], int]:
    """Milliseconds of each page, over one connection and over new ones, and the most memory in bytes."""
    same, new, most = list[float](), list[float](), 0
    until_s = time.monotonic() + seconds
    for path in itertools.cycle(PAGES):
        if time.monotonic() > until_s:
            return same, new, most
        same.append(_time_ms(served.http, path))
        new.append(_time_new_ms(served, path))
        most = max(most, server.memory_info().rss)
        time.sleep(EVERY_S)
    raise AssertionError


def _time_ms(client: httpx.Client, path: str) -> float:
    began_s = time.perf_counter()
    client.get(path).raise_for_status()
    return (time.perf_counter() - began_s) * 1e3


def _time_new_ms(served: Served, path: str) -> float:
    """Infinite when the connection was closed before its request arrived."""
    try:
        with httpx.Client(base_url=served.http.base_url, headers=served.http.headers, timeout=120) as client:
            return _time_ms(client, path)
    except httpx.TransportError:
        return math.inf


def _print_times(label: str, same: list[float], new: list[float], _: int) -> None:
    for name, times in (("one connection", same), ("new connections", new)):
        ordered = sorted(times)
        p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        print(f"{label}, {name}: {len(ordered)} pages, p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {ordered[-1]:.0f} ms")
        print(f"  lost: {ordered.count(math.inf)}, over 200 ms: {sum(one > 200 for one in ordered)}")


def _log_bytes(served: Served) -> int:
    files = [served.library.with_name(f"{served.library.name}.log"), *(served.library / "logs").iterdir()]
    return sum(file.stat().st_size for file in files)


# -- the strangers ----------------------------------------------------------------------------


@contextmanager
def _strangers(port: int, idle: int, slow: int) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, __file__, "connect", str(port), str(idle), str(slow)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    # Every one has connected once.
    process.stdout.readline()
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
        print(rest, end="")


async def connect_all(port: int, idle: int, slow: int) -> None:
    kinds = [_stay_idle] * idle + [(_send_header, _send_body, _read_slowly)[number % 3] for number in range(slow)]
    counts = {"opened": 0}
    running = [asyncio.create_task(_reconnect(port, kind, counts)) for kind in kinds]
    while counts["opened"] < len(kinds):
        await asyncio.sleep(0.1)
    print("connected", flush=True)
    began_s = time.monotonic()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*running)
    print(
        f"connections that strangers opened: {counts['opened'] / (time.monotonic() - began_s):.0f} a second", flush=True
    )


async def _reconnect(port, kind, counts) -> None:  # type: ignore[no-untyped-def]
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket() as client, suppress(OSError):
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", port))
            counts["opened"] += 1
            await kind(loop, client, f"Host: 127.0.0.1:{port}\r\n".encode())
        await asyncio.sleep(random.uniform(*REOPEN_S))


async def _stay_idle(loop: asyncio.AbstractEventLoop, client: socket.socket, _: bytes) -> None:
    await loop.sock_recv(client, 1)


async def _send_header(loop: asyncio.AbstractEventLoop, client: socket.socket, host: bytes) -> None:
    await loop.sock_sendall(client, b"GET / HTTP/1.1\r\n" + host + b"X-Filler: ")
    while True:
        await loop.sock_sendall(client, b"a")
        await asyncio.sleep(1)


async def _send_body(loop: asyncio.AbstractEventLoop, client: socket.socket, host: bytes) -> None:
    await loop.sock_sendall(client, b"POST /api/v1/session HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\n")
    origin = host.replace(b"Host: ", b"Origin: http://")
    await loop.sock_sendall(client, origin + b"Content-Length: 1000\r\n\r\n")
    while True:
        await loop.sock_sendall(client, b"a")
        await asyncio.sleep(1)


async def _read_slowly(loop: asyncio.AbstractEventLoop, client: socket.socket, host: bytes) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    await loop.sock_sendall(client, (b"GET / HTTP/1.1\r\n" + host + b"\r\n") * 10)
    while await loop.sock_recv(client, 1):
        await asyncio.sleep(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["connect"]:
        with suppress(KeyboardInterrupt):
            asyncio.run(connect_all(*map(int, sys.argv[2:])))
    else:
        application.load()
        main()
