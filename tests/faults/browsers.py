"""Scripted browsers over real HTTP, each signed in: they scroll, search and rate while something else goes on."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.faults.serving import Served

WORDS = ("", "fox", "snow", "number", "rating:>=3", "is:favorite", '"red fox"', "blurry")
PAGE = 60
# A person looks before the next thing is done.
LOOKS_S = (0.2, 1.2)
# How much longer a slow machine may need for the edits that are asked for.
LONGER_S = 600.0
BUSY_WORDS = ("busy", "locked")


@dataclass(slots=True)
class Seen:
    """Milliseconds of every answer by what was asked; answers that were faults; `busy` ones among them."""

    pages: list[float] = field(default_factory=list)
    searches: list[float] = field(default_factory=list)
    edits: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    wal_bytes: int = 0
    ratings: dict[str, int] = field(default_factory=dict)

    @property
    def busy(self) -> list[str]:
        return [fault for fault in self.faults if any(word in fault.lower() for word in BUSY_WORDS)]

    def said(self) -> str:
        parts = [
            f"{name} {len(times):,} p50 {percentile(times, 50):.0f} p99 {percentile(times, 99):.0f} ms"
            for name, times in (("pages", self.pages), ("searches", self.searches), ("edits", self.edits))
        ]
        return (
            f"{', '.join(parts)}, {len(self.faults)} faults, {len(self.busy)} busy, WAL {self.wal_bytes / 1e6:.1f} MB"
        )


def percentile(times: list[float], share: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * share // 100)] if times else 0.0


@dataclass(frozen=True, slots=True)
class _Visit:
    """So long, and then until there were so many edits; `last_s` is against hanging."""

    until_s: float
    edits: int
    last_s: float
    seen: Seen

    def goes_on(self) -> bool:
        now_s = time.monotonic()
        return now_s < self.until_s or (len(self.seen.edits) < self.edits and now_s < self.last_s)


def browse(served: Served, count: int, *, for_s: float, edits: int) -> Seen:
    """`count` browsers for so long, and on a slow machine for longer, until they have made so many edits; what they
    saw."""
    return asyncio.run(_browse(served, count, for_s, edits))


async def _browse(served: Served, count: int, for_s: float, edits: int) -> Seen:
    seen = Seen()
    until_s = time.monotonic() + for_s
    visit = _Visit(until_s, edits, until_s + LONGER_S, seen)
    codes = [served.post("/api/v1/session/links", {})["url"].rpartition("#t=")[2] for _ in range(count)]
    watching = asyncio.create_task(_watch_log(served.library, visit))
    await asyncio.gather(*(_Browser(served, number, count, visit).live(code) for number, code in enumerate(codes)))
    await watching
    return seen


async def _watch_log(library: Path, visit: _Visit) -> None:
    log = library / "mysticanvas.db-wal"
    while visit.goes_on():
        if log.exists():
            visit.seen.wal_bytes = max(visit.seen.wal_bytes, log.stat().st_size)
        await asyncio.sleep(0.2)


class _Browser:
    """Browsers rate images of their own, so that the last rating of each is known."""

    def __init__(self, served: Served, number: int, count: int, visit: _Visit) -> None:
        self._base = str(served.http.base_url).rstrip("/")
        self._chance = random.Random(number)
        self._number, self._count = number, count
        self._goes_on, self._seen = visit.goes_on, visit.seen

    async def live(self, code: str) -> None:
        headers = {"Origin": self._base}
        async with httpx.AsyncClient(base_url=self._base, headers=headers, timeout=300, trust_env=False) as self._http:
            await self._http.post("/api/v1/session", json={"code": code})
            while self._goes_on():
                await self._visit()

    async def _visit(self) -> None:
        """A search, some pages of it, and a rating or two."""
        query = await self._ask(self._seen.searches, "POST", "/api/v1/snapshots", {"q": self._chance.choice(WORDS)})
        at = 0
        while query is not None and at < query["total"] and self._goes_on():
            await asyncio.sleep(self._chance.uniform(*LOOKS_S))
            path = f"/api/v1/snapshots/{query['snapshot']}/items?start={at}&count={PAGE}"
            page = await self._ask(self._seen.pages, "GET", path)
            if page is None or self._chance.random() < 0.2:
                return
            for uuid in page["uuid"]:
                await self._rate(uuid)
            at += PAGE
        await asyncio.sleep(self._chance.uniform(*LOOKS_S))

    async def _rate(self, uuid: str) -> None:
        """One of its own only: two that rate the same image at once have no order that could be known."""
        if int(uuid[:8], 16) % self._count != self._number:
            return
        rating = self._chance.randrange(1, 6)
        done = await self._ask(self._seen.edits, "POST", "/api/v1/edits", {"uuids": [uuid], "set": {"rating": rating}})
        if done is not None:
            self._seen.ratings[uuid] = rating

    async def _ask(self, times: list[float], method: str, path: str, body: Any = None) -> Any:
        """None where the answer is a fault, or the view is not kept any more."""
        began_s = time.perf_counter()
        try:
            reply = await self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            self._seen.faults.append(f"{path}: {error!r}")
            return None
        times.append((time.perf_counter() - began_s) * 1000)
        if reply.status_code == 410:
            return None
        if reply.is_error:
            self._seen.faults.append(f"{path}: {reply.status_code} {reply.text[:200]}")
            return None
        return reply.json()
