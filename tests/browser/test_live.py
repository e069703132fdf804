"""Live updates: acceptance checks 10 and 39, on a library of their own that is killed and started again."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.acting import (
    LIMIT_S,
    jump,
    opened,
    position,
    scroll_to,
    seen,
    sign_in,
    start_at,
    tile,
    total,
    until,
    wait_until_at_rest,
)
from tests.browser.conftest import write_images
from tests.faults.serving import Served
from tests.pictures import a1111_png

IMAGES = 200
TABS = 7
# What the tabs of a browser tell each other is what the one with the connection has heard.
HEAR = """
window.heard = [];
new BroadcastChannel('mysticanvas-live').onmessage = ({ data }) => window.heard.push([data.kind, data.id ?? null]);
"""
# The browser itself reports that the server does not answer.
GONE = "net::ERR_|Failed to fetch"


class Library:
    """A served library that can be killed and comes back at the same address."""

    def __init__(self, home: Path) -> None:
        self.pictures = home / "pictures"
        self._library = home / "library"
        self._library.mkdir()
        write_images(self.pictures, IMAGES)
        self.served = Served(self._library, [self.pictures]).wait_until_up()
        self.served.wait_until_idle(IMAGES)
        self._next = 50_000

    def kill(self) -> int:
        port = self.served.port
        self.served.kill()
        return port

    def start(self, port: int) -> None:
        self.served = Served(self._library, [], port=port).wait_until_up()

    def add_images(self, count: int) -> list[int]:
        """New files in the watched folder, newer than all others."""
        seeds = list(range(self._next, self._next + count))
        self._next += count
        for seed in seeds:
            (self.pictures / f"{seed}.png").write_bytes(a1111_png(seed))
        return seeds

    def favour(self, index: int, favorite: bool = True) -> None:
        view = self.served.post("/api/v1/snapshots", {"q": ""})["snapshot"]
        chosen = {"snapshot": view, "ranges": [[index, index + 1]], "except": [], "set": {"favorite": favorite}}
        self.served.post("/api/v1/edits", chosen)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.served.stop()


@pytest.fixture
def page(browser: Browser, library: Library) -> Iterator[Page]:
    with opened(browser, library.served, scripts=(HEAR,), allowed=GONE) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


def count_of(page: Page) -> int:
    return int(total(page).inner_text().replace(",", ""))


def test_seven_tabs_share_one_connection_and_all_hear(page: Page, library: Library) -> None:  # 10
    streams: list[str] = []
    page.context.on(
        "request", lambda asked: streams.append(asked.url) if "/api/v1/events/stream" in asked.url else None
    )
    tabs = [page.context.new_page() for _ in range(TABS - 1)]
    for tab in tabs:
        tab.goto(page.url)
        tab.wait_for_selector("[role=gridcell]")
    assert streams == []
    library.favour(2)
    for tab in (tabs[-1], tabs[0], page):
        expect(tile(tab, 2).locator(".heart")).to_be_visible()
    # The tab with the connection goes; another takes over where it stopped.
    page.close()
    until(tabs[0], lambda: len(streams) == 1)
    library.favour(2, favorite=False)
    for tab in (tabs[-1], tabs[0]):
        expect(tile(tab, 2).locator(".heart")).to_have_count(0)
    assert len(streams) == 1


def test_a_new_file_appears_by_itself_at_the_top(page: Page, library: Library) -> None:  # 39
    start_at(page, 4)
    wait_until_at_rest(page)
    label = tile(page, 4).get_attribute("aria-label") or ""
    [seed] = library.add_images(1)
    expect(total(page)).to_have_text(f"{IMAGES + 1}")
    expect(tile(page, 0)).to_have_attribute("aria-label", re.compile(f"number {seed}$"))
    # The focus is still at the image where it was.
    expect(tile(page, 5)).to_be_focused()
    assert (tile(page, 5).get_attribute("aria-label") or "").partition(",")[2] == label.partition(",")[2]


def picture_of(page: Page, index: int) -> str:
    return tile(page, index).locator("img").get_attribute("src") or ""


def test_a_new_image_without_a_thumbnail_shows_no_picture_of_another(page: Page, library: Library) -> None:
    start_at(page, 0)
    wait_until_at_rest(page)
    until(page, lambda: "/api/v1/thumbnails/" in picture_of(page, 0))
    before = picture_of(page, 0)
    library.served.post("/api/v1/jobs:pause", {"kind": "thumb"})
    [seed] = library.add_images(1)
    expect(tile(page, 0)).to_have_attribute("aria-label", re.compile(f"number {seed}$"))
    assert picture_of(page, 0).startswith("data:")
    until(page, lambda: picture_of(page, 1) == before)
    library.served.post("/api/v1/jobs:resume", {"kind": "thumb"})
    until(page, lambda: "/api/v1/thumbnails/" in picture_of(page, 0))
    assert picture_of(page, 0) != before


def test_scrolled_down_new_files_are_announced_and_nothing_jumps(page: Page, library: Library) -> None:  # 39
    start_at(page, 0)
    scroll_to(page, 4_000)
    before = (position(page), seen(page))
    [seed] = library.add_images(1)
    chip = page.get_by_role("button", name="1 new", exact=True)
    expect(chip).to_be_visible()
    assert (position(page), seen(page)) == before
    expect(total(page)).to_have_text(f"{IMAGES}")
    chip.click()
    expect(total(page)).to_have_text(f"{IMAGES + 1}")
    expect(tile(page, 0)).to_be_focused()
    expect(tile(page, 0)).to_have_attribute("aria-label", re.compile(f"number {seed}$"))
    expect(chip).to_have_count(0)


def test_who_scrolls_back_to_the_top_finds_the_new_ones(page: Page, library: Library) -> None:  # 39
    start_at(page, 0)
    scroll_to(page, 4_000)
    library.add_images(2)
    expect(page.get_by_role("button", name="2 new", exact=True)).to_be_visible()
    scroll_to(page, 0)
    expect(total(page)).to_have_text(f"{IMAGES + 2}")


def test_what_arrives_while_a_note_is_written_leaves_the_note_with_its_image(page: Page, library: Library) -> None:
    start_at(page, 0)
    [first] = library.served.get("/api/v1/images", q="", limit=1)["items"]
    page.keyboard.press("n")
    expect(page.get_by_role("textbox", name="Note")).to_be_focused()
    before = numbers(page)
    library.add_images(1)
    library.served.wait_until_idle(IMAGES + 1)
    until(page, lambda: ("image.added", True) in [(kind, number not in before) for kind, number in heard(page)])
    wait_until_at_rest(page)
    page.keyboard.type("the one that I saw")
    page.keyboard.press("Control+Enter")
    until(page, lambda: library.served.get("/api/v1/images", q="saw")["total"] == 1)
    assert library.served.get("/api/v1/images", q="saw")["items"][0]["uuid"] == first["uuid"]
    # Then it is shown.
    expect(total(page)).to_have_text(f"{IMAGES + 1}")


def test_the_progress_of_jobs_moves_live(page: Page, library: Library) -> None:  # 39
    page.get_by_role("button", name="Jobs").click()
    progress = page.locator("[data-kind=thumb] progress")
    expect(progress).to_have_attribute("value", f"{IMAGES}")
    library.served.post("/api/v1/jobs:pause", {"kind": "thumb"})
    library.add_images(12)
    expect(page.locator("[data-kind=thumb]")).to_contain_text(f"{IMAGES} of {IMAGES + 12}")
    library.served.post("/api/v1/jobs:resume", {"kind": "thumb"})
    expect(progress).to_have_attribute("value", f"{IMAGES + 12}")


# Events for scripts, which pages do not hear.
FOR_SCRIPTS = ("edit.done", "job.done", "import.done")


class Ear:
    """Hears every event of a server that pages hear, beside the page, from when it is made on."""

    def __init__(self, served: Served) -> None:
        self.ids: list[int] = []
        self._ready = threading.Event()
        headers = {"Authorization": served.http.headers["Authorization"]}
        self._client = httpx.Client(base_url=served.http.base_url, headers=headers, timeout=LIMIT_S)
        threading.Thread(target=self._follow, daemon=True).start()
        assert self._ready.wait(LIMIT_S)

    def _follow(self) -> None:
        try:
            with self._client.stream("GET", "/api/v1/events/stream") as stream:
                number, kind = 0, ""
                for line in stream.iter_lines():
                    self._ready.set()
                    name, _, value = line.partition(": ")
                    if name == "id":
                        number = int(value)
                    elif name == "event":
                        kind = value
                    elif name == "data":
                        # What has no number, such as a ping, is not counted.
                        self.ids += [number] if number and kind not in FOR_SCRIPTS else []
                        number = 0
        except httpx.HTTPError:
            self._ready.set()


def heard(page: Page) -> list[tuple[str, int | None]]:
    return [(kind, number) for kind, number in json.loads(page.evaluate("JSON.stringify(window.heard)"))]


def numbers(page: Page) -> list[int]:
    return [number for kind, number in heard(page) if number is not None and kind != "connected"]


def wait_until_the_same_is_heard(page: Page, library: Library, ear: Ear, *, since: int) -> None:
    """Something more happens, and the page has heard what the ear has: nothing is lost, and nothing came twice."""
    before = len(ear.ids)
    library.favour(0)
    until(page, lambda: len(ear.ids) > before)
    until(page, lambda: [n for n in numbers(page) if n > since] == [n for n in ear.ids if n > since])


def test_a_killed_server_is_missed_and_found_again_with_nothing_lost(page: Page, library: Library) -> None:  # 39
    start_at(page, 3)
    jump(page, 0.5)
    wait_until_at_rest(page)
    library.favour(1)
    until(page, lambda: numbers(page))
    where = position(page)
    requests: list[str] = []
    page.on("request", lambda asked: requests.append(asked.url) if "/api/v1/events/stream" in asked.url else None)

    port = library.kill()
    banner = page.get_by_role("alert")
    expect(banner).to_contain_text("Reconnecting")
    last = numbers(page)[-1]
    # What is there can still be looked at; a change is refused with a word, and nothing pretends otherwise.
    jump(page, 0.52)
    index = seen(page)[3]
    start_at(page, index)
    page.keyboard.press("f")
    expect(page.locator(".toast").last).to_contain_text("Nothing was changed")
    expect(tile(page, index).locator(".heart")).to_have_count(0)

    library.start(port)
    ear = Ear(library.served)
    library.favour(index)
    expect(banner).to_have_count(0)
    # It asked for what came after the last that it had heard, and was told that some are lost.
    assert requests[-1].endswith(f"since={last}")
    until(page, lambda: ("reset", None) in [(kind, None) for kind, _ in heard(page)])
    # What happened meanwhile is there.
    expect(tile(page, index).locator(".heart")).to_be_visible()
    since = next(number or 0 for kind, number in reversed(heard(page)) if kind == "reset")
    library.favour(index, favorite=False)
    [seed] = library.add_images(1)
    expect(page.get_by_role("button", name="1 new", exact=True)).to_be_visible()
    expect(tile(page, index).locator(".heart")).to_have_count(0)
    wait_until_the_same_is_heard(page, library, ear, since=since)
    assert len([number for number in ear.ids if number > since]) >= 3
    assert seed
    assert abs(position(page) - where) < 2_000


def test_a_page_that_was_away_a_moment_hears_what_it_missed_once(page: Page, library: Library) -> None:  # 39
    library.favour(1)
    until(page, lambda: numbers(page))
    ear = Ear(library.served)
    address = sign_in(library.served).partition("/#")[0]
    other = page.context.new_page()
    other.goto(address)
    other.wait_for_selector("[role=gridcell]")
    # The connection's tab goes, and things happen before the other has one.
    page.close()
    for favorite in (False, True, False, True):
        told = len(ear.ids)
        library.favour(2, favorite=favorite)
        # Each is told by itself.
        until(other, lambda told=told: len(ear.ids) > told)
    expect(tile(other, 2).locator(".heart")).to_be_visible()
    wait_until_the_same_is_heard(other, library, ear, since=numbers(other)[0])
    assert numbers(other) == sorted(set(numbers(other)))


def test_what_keeps_the_library_from_work_is_said_and_so_is_a_folder_that_is_away(
    browser: Browser, library: Library
) -> None:
    status = library.served.get("/api/v1/status")
    full = "The disk is full, so nothing was changed. Free some space; MystiCanvas then continues automatically."
    status["error"] = full
    status["folders"][0]["error"] = "The drive is away."
    with opened(browser, library.served) as page:
        page.wait_for_selector("[role=gridcell]")
        expect(page.get_by_role("alert")).to_have_count(0)
        page.route("**/api/v1/status", lambda route: route.fulfill(json=status))
        page.reload()
        expect(page.get_by_role("alert")).to_have_text(full)
        expect(page.get_by_role("contentinfo")).to_contain_text("pictures: The drive is away.")
        # As a tab hears it from the one that has the connection.
        page.evaluate(
            """() => new BroadcastChannel('mysticanvas-live').postMessage(
                { kind: 'trouble', data: { sentence: null }, id: Number.MAX_SAFE_INTEGER })"""
        )
        expect(page.get_by_role("alert")).to_have_count(0)
