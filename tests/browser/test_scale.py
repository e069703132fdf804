"""Load and scale: acceptance checks 1 to 9 as counts; with a million images and times in test_million.py."""

import random

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acting import (
    jump,
    position,
    scroll_to,
    shown,
    start_at,
    total,
    until,
    wait_for_focus,
    wait_until_at_rest,
)
from tests.browser.conftest import IMAGES
from tests.browser.places import Places, drawn, lacking, misplaced
from tests.faults.serving import Served

# A quarter of what test_million.py does with a million.
JUMPS = 60


@pytest.fixture(scope="module")
def places(served: Served) -> dict[int, Places]:
    """By width, made when first asked for."""
    return {}


def at_width(places: dict[int, Places], served: Served, width: int) -> Places:
    if width not in places:
        places[width] = Places(served, width)
    return places[width]


def test_only_this_machine_is_asked(page: Page, served: Served) -> None:  # 1
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.reload()
    until(page, lambda: shown(page))
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Jobs").click()
    page.get_by_role("heading", name="Jobs").wait_for()
    assert hosts == {f"127.0.0.1:{served.port}"}


def test_the_count_is_the_servers_with_separators(page: Page, served: Served) -> None:  # 2
    expect(total(page)).to_have_text(f"{served.get('/api/v1/status')['total']:,}")


def test_few_nodes_however_far_one_scrolls(page: Page) -> None:  # 3
    for y in (0, 2_000, 8_000, 100_000, 0):
        scroll_to(page, y)
        assert page.evaluate("document.getElementsByTagName('*').length") < 800


def test_end_and_home_focus_the_last_and_the_first(page: Page) -> None:  # 4
    start_at(page, 0)
    page.keyboard.press("End")
    wait_for_focus(page, IMAGES - 1)
    page.keyboard.press("Home")
    wait_for_focus(page, 0)


def test_after_each_jump_every_tile_is_where_it_is_computed_to_be(
    page: Page, served: Served, places: dict[int, Places]
) -> None:  # 5
    chance = random.Random(5)
    meant = at_width(places, served, drawn(page)["width"])
    checked = 0
    for _ in range(JUMPS):
        jump(page, chance.random())
        found = drawn(page)
        assert misplaced(meant, found) == []
        assert lacking(meant, found) == set()
        checked += len(found["tiles"])
    assert checked > JUMPS * 10


def test_scrolling_to_and_fro_drifts_by_nothing(page: Page, served: Served, places: dict[int, Places]) -> None:  # 6
    meant = at_width(places, served, drawn(page)["width"])
    expected = position(page)
    chance = random.Random(6)
    for _ in range(150):
        step = chance.choice((-900, -300, 1, 7, 333, 1_000))
        expected = max(0, min(meant.height + 24 - drawn(page)["height"], expected + step))
        page.evaluate(f"document.getElementById('grid').scrollBy(0, {step})")
    wait_until_at_rest(page)
    assert abs(position(page) - expected) < 1
    assert misplaced(meant, drawn(page)) == []


def test_many_jumps_leave_no_nodes_behind(page: Page) -> None:  # 7; a source taken from a loading image did
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    chance = random.Random(7)
    for _ in range(JUMPS):
        jump(page, chance.random())
    page.mouse.move(5, 5)
    until(page, lambda: shown(page))
    wait_until_at_rest(page)
    devtools.send("HeapProfiler.collectGarbage")
    counts = {metric["name"]: metric["value"] for metric in devtools.send("Performance.getMetrics")["metrics"]}
    assert counts["Nodes"] < 3_000


def test_thumbnails_that_are_no_longer_in_view_are_not_waited_for(page: Page) -> None:  # 9
    until(page, lambda: shown(page))
    cancelled, asked, answered = [], [], []
    page.on("request", lambda request: asked.append(request.url) if "/thumbnails/" in request.url else None)
    page.on("requestfinished", lambda request: answered.append(request.url) if "/thumbnails/" in request.url else None)
    page.on("requestfailed", lambda request: cancelled.append(request.url) if "/thumbnails/" in request.url else None)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    slow = {"offline": False, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.emulateNetworkConditions", slow)
    for share in (0.9, 0.1, 0.6, 0.3, 0.8, 0.05, 0.5):
        before = len(asked)
        jump(page, share)
        until(page, lambda before=before: len(asked) > before)
    until(page, lambda: shown(page))
    assert len(asked) > 50
    assert len(cancelled) > len(asked) / 3
    # Nothing of an earlier place is left in the browser's queue.
    until(page, lambda: len(answered) + len(cancelled) == len(asked))
