"""The acceptance checks that need a million images, or have a time, frame or heap figure (`--long`).

The library comes from a seed; its thumbnails are really there. Figures are asserted at three times those
of the design, and printed as measured (`-s` shows them).
"""

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from mysticanvas.db.database import Database
from tests.browser.acting import (
    focused,
    jump,
    opened,
    position,
    scrubber,
    seen,
    shown,
    start_at,
    tile,
    total,
    until,
    wait_for_focus,
)
from tests.browser.places import Places, drawn, lacking, misplaced
from tests.faults.serving import Served
from tests.synthetic import add_thumbs, fill

pytestmark = pytest.mark.long

IMAGES = 1_000_000
SECONDS_APART = 120
CONTENTS = 20_000
JUMPS = 240
SLACK = 3
# Tasks of the main thread that are longer than 50 ms, and where the time of loading ended.
WATCH = """
window.long_tasks = [];
new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.long_tasks.push([task.startTime, task.duration]);
}).observe({ type: 'longtask', buffered: true });
"""


@pytest.fixture(scope="module")
def million(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Needs `browser` first, so that nothing is made where there is none."""
    library = tmp_path_factory.mktemp("million") / "library"
    library.mkdir()
    with Database.open(library) as database:
        fill(database, IMAGES, seconds_apart=SECONDS_APART, contents=CONTENTS)
    add_thumbs(library / "thumbs", CONTENTS)
    server = Served(library, []).wait_until_up()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def places(million: Served) -> dict[int, Places]:
    return {}


@pytest.fixture
def page(browser: Browser, million: Served) -> Iterator[Page]:
    with opened(browser, million, scripts=(WATCH,)) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


@pytest.fixture
def devtools(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)


def computed(places: dict[int, Places], million: Served, page: Page) -> Places:
    width = drawn(page)["width"]
    if width not in places:
        places[width] = Places(million, width)
    return places[width]


def measured(name: str, value: float, limit: float, unit: str) -> None:
    print(f"\n  {name}: {value:.1f} {unit} (design {limit:g}, asserted {limit * SLACK:g})", end="")
    assert value <= limit * SLACK


def metrics(devtools: CDPSession) -> dict[str, float]:
    return {metric["name"]: metric["value"] for metric in devtools.send("Performance.getMetrics")["metrics"]}


def test_the_first_images_are_there_soon(browser: Browser, million: Served) -> None:
    with opened(browser, million, scripts=(WATCH,)) as page:
        page.wait_for_selector("[role=gridcell]")
        page.goto(str(million.http.base_url), wait_until="commit")
        first_s = until(page, lambda: page.locator("[role=gridcell]").count() > 0)
        all_s = first_s + until(page, lambda: shown(page))
        page.wait_for_timeout(500)
        longest = max((duration for _, duration in page.evaluate("window.long_tasks")), default=0)
        print(f"\n  longest task while loading: {longest:.0f} ms", end="")
        measured("first tiles", first_s * 1000, 500, "ms")
        measured("all thumbnails in view", all_s * 1000, 1_000, "ms")


def test_the_count_has_its_separators(page: Page) -> None:  # 2
    expect(total(page)).to_have_text("1,000,000")


def test_few_nodes_also_after_scrolling(page: Page) -> None:  # 3
    counts = []
    for share in (0, 0.2, 0.5, 0.99, 0.7):
        jump(page, share)
        until(page, lambda: shown(page))
        counts.append(page.evaluate("document.getElementsByTagName('*').length"))
    print(f"\n  nodes: {counts}", end="")
    assert max(counts) < 800


def test_end_and_home_focus_the_last_and_the_first(page: Page) -> None:  # 4
    start_at(page, 0)
    page.keyboard.press("End")
    wait_for_focus(page, IMAGES - 1)
    expect(tile(page, IMAGES - 1)).to_be_in_viewport()
    expect(tile(page, IMAGES - 1)).to_have_attribute("aria-label", re.compile("^Image 1000000,"))
    page.keyboard.press("Home")
    wait_for_focus(page, 0)


def test_after_each_of_240_jumps_every_tile_is_where_it_is_computed_to_be(
    page: Page, million: Served, places: dict[int, Places]
) -> None:  # 5
    meant = computed(places, million, page)
    chance = random.Random(5)
    checked = 0
    for _ in range(JUMPS):
        jump(page, chance.random())
        page.mouse.wheel(0, chance.randrange(-900, 900))
        page.wait_for_timeout(20)
        found = drawn(page)
        assert misplaced(meant, found) == []
        assert lacking(meant, found) == set()
        checked += len(found["tiles"])
    print(f"\n  {checked:,} tiles checked, none misplaced", end="")
    assert checked > JUMPS * 20


def test_twenty_million_pixels_of_scrolling_drift_by_nothing(
    page: Page, million: Served, places: dict[int, Places]
) -> None:  # 6
    meant = computed(places, million, page)
    far, step = 20_000_000, 5_000
    page.evaluate(
        """async ([far, step]) => {
            const grid = document.getElementById('grid');
            for (let done = 0; done < far; done += step) {
                grid.scrollTop += step;
                await new Promise((drawn) => requestAnimationFrame(drawn));
            }
        }""",
        [far, step],
    )
    page.wait_for_timeout(400)
    assert position(page) == far
    found = drawn(page)
    assert misplaced(meant, found) == []
    assert lacking(meant, found) == set()


def test_many_jumps_leave_nothing_behind(page: Page, devtools: CDPSession) -> None:  # 7
    devtools.send("Performance.enable")
    chance = random.Random(7)
    for _ in range(JUMPS):
        jump(page, chance.random())
        page.wait_for_timeout(chance.randrange(60))
    until(page, lambda: shown(page))
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    devtools.send("HeapProfiler.collectGarbage")
    found = metrics(devtools)
    print(f"\n  DOM nodes after {JUMPS} jumps: {found['Nodes']:.0f}", end="")
    assert found["Nodes"] < 3_000
    measured("heap", found["JSHeapUsedSize"] / 1e6, 15, "MB")


def test_scrolling_leaves_the_main_thread_time(page: Page, devtools: CDPSession) -> None:  # 8
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    jump(page, 0.3)
    until(page, lambda: shown(page))
    before = metrics(devtools)["TaskDuration"]
    frames: int = page.evaluate(
        """async () => {
            const grid = document.getElementById('grid');
            let frames = 0;
            let last = performance.now();
            const end = last + 10_000;
            while (last < end) {
                const now = await new Promise((drawn) => requestAnimationFrame(drawn));
                grid.scrollTop += Math.round((now - last) * 2);
                last = now;
                frames++;
            }
            return frames;
        }"""
    )
    spent_ms = (metrics(devtools)["TaskDuration"] - before) * 1000
    print(f"\n  {frames} frames in 10 s", end="")
    measured("main thread a frame", spent_ms / frames, 12, "ms CPU")


def test_the_middle_is_there_at_once(page: Page) -> None:  # 9
    until(page, lambda: shown(page))
    cancelled: list[str] = []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/thumbs/" in request.url else None)
    page.on("requestfailed", lambda request: cancelled.append(request.url) if "/thumbs/" in request.url else None)
    for share in (0.93, 0.12, 0.71, 0.33, 0.87):
        jump(page, share)
        page.wait_for_timeout(25)
    jump(page, 0.5)
    tiles_s = until(page, lambda: IMAGES * 0.4 < (seen(page) or [0])[0] < IMAGES * 0.6)
    thumbs_s = until(page, lambda: shown(page))
    print(f"\n  {len(asked)} thumbnails asked for on the way, {len(cancelled)} cancelled", end="")
    measured("tiles in the middle", tiles_s * 1000, 200, "ms")
    measured("thumbnails in the middle", (tiles_s + thumbs_s) * 1000, 3_000, "ms")


def test_half_way_down_the_scrubber_is_the_middle(page: Page) -> None:  # 13
    box = scrubber(page).bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(middle, box["y"] + box["height"] / 2, steps=8)
    expect(page.locator(".scrubber .label")).to_have_text(re.compile(r"^[A-Z][a-z]{2,3} 202\d$"))
    page.mouse.up()
    in_view = seen(page)
    assert in_view[0] > 400_000
    assert in_view[-1] < 600_000


def test_no_task_is_long_once_it_is_loaded(page: Page) -> None:  # G4
    until(page, lambda: shown(page))
    page.wait_for_timeout(300)
    page.evaluate("window.long_tasks.length = 0")
    start_at(page, 2)
    for key in ("End", "Home", "PageDown", "]", "}", "ArrowDown", "x", "Escape"):
        page.keyboard.press(key)
        page.wait_for_timeout(60)
    for share in (0.2, 0.8, 0.5):
        jump(page, share)
        page.wait_for_timeout(200)
    longest = max((duration for _, duration in page.evaluate("window.long_tasks")), default=0)
    measured("longest task", longest, 50, "ms")


def test_another_size_is_laid_out_quickly_and_nothing_is_lost_from_view(page: Page, devtools: CDPSession) -> None:  # 15
    jump(page, 0.4)
    until(page, lambda: shown(page))
    page.wait_for_timeout(300)
    top = seen(page)[0]
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = metrics(devtools)["ScriptDuration"]
    slider = page.get_by_role("slider", name="Size of the thumbnails")
    for size in ("300", "180", "220"):
        slider.fill(size)
        page.wait_for_timeout(250)
        assert top in seen(page)
    spent_ms = (metrics(devtools)["ScriptDuration"] - before) * 1000 / 3
    measured("another size, layout and tiles", spent_ms, 50, "ms CPU of script")


def test_everything_is_chosen_and_one_left_out(page: Page) -> None:  # 27
    start_at(page, 3)
    spent: dict[str, Any] = page.evaluate(
        """async () => {
            const began = performance.now();
            const key = { key: 'a', ctrlKey: true, bubbles: true, cancelable: true };
            document.activeElement.dispatchEvent(new KeyboardEvent('keydown', key));
            await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
            return { ms: performance.now() - began, said: document.querySelector('[data-testid=chosen]').innerText };
        }"""
    )
    assert spent["said"] == "1,000,000 selected (everything matching)"
    tile(page, 2).click(modifiers=["Control"])
    expect(page.get_by_test_id("chosen")).to_have_text("999,999 selected")
    measured("choosing everything", spent["ms"], 300, "ms")
    assert focused(page) == 2
