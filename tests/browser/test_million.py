"""The acceptance checks that need a million images (`--long`).

The library comes from a seed; its thumbnails are really there. What is asserted are counts, which are the same on
every machine: nodes, layouts, requests, bytes. Times are printed beside those of the design (`-s` shows them).
"""

import random
import re
from collections.abc import Iterator
from functools import partial
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
    wait_until_at_rest,
)
from tests.browser.places import Places, drawn, lacking, misplaced
from tests.faults.serving import Served
from tests.synthetic import add_thumbs, fill

pytestmark = pytest.mark.long

IMAGES = 1_000_000
SECONDS_APART = 120
CONTENTS = 20_000
JUMPS = 240
FRAMES = 600
MOST_NODES = 800
# Of a jump, a key or another size: however many images there are.
MOST_LAYOUTS = 60
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


def measured(name: str, value: float, design: float, unit: str) -> None:
    print(f"\n  {name}: {value:.1f} {unit} (design {design:g})", end="")


def metrics(devtools: CDPSession) -> dict[str, float]:
    return {metric["name"]: metric["value"] for metric in devtools.send("Performance.getMetrics")["metrics"]}


def nodes(page: Page) -> int:
    return int(page.evaluate("document.getElementsByTagName('*').length"))


def longest_task_ms(page: Page) -> float:
    return float(max((duration for _, duration in page.evaluate("window.long_tasks")), default=0))


def test_the_first_images_are_there_soon(browser: Browser, million: Served) -> None:
    with opened(browser, million, scripts=(WATCH,)) as page:
        page.wait_for_selector("[role=gridcell]")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(str(million.http.base_url), wait_until="commit")
        first_s = until(page, lambda: page.locator("[role=gridcell]").count() > 0)
        all_s = first_s + until(page, lambda: shown(page))
        wait_until_at_rest(page)
        measured("longest task while loading", longest_task_ms(page), 50, "ms")
        measured("first tiles", first_s * 1000, 500, "ms")
        measured("all thumbnails in view", all_s * 1000, 1_000, "ms")
        assert nodes(page) < MOST_NODES
        # Of a million images one page of rows, and the thumbnails that are drawn.
        assert sum("/items?" in url for url in asked) == 1
        assert sum("/thumbnails/" in url for url in asked) <= 2 * page.locator("[role=gridcell]").count()


def test_the_count_has_its_separators(page: Page) -> None:  # 2
    expect(total(page)).to_have_text("1,000,000")


def test_few_nodes_also_after_scrolling(page: Page) -> None:  # 3
    counts = []
    for share in (0, 0.2, 0.5, 0.99, 0.7):
        jump(page, share)
        until(page, lambda: shown(page))
        counts.append(nodes(page))
    print(f"\n  nodes: {counts}", end="")
    assert max(counts) < MOST_NODES


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
        wait_until_at_rest(page)
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
    wait_until_at_rest(page)
    assert position(page) == far
    found = drawn(page)
    assert misplaced(meant, found) == []
    assert lacking(meant, found) == set()


def test_many_jumps_leave_nothing_behind(page: Page, devtools: CDPSession) -> None:  # 7
    devtools.send("Performance.enable")
    chance = random.Random(7)
    for _ in range(JUMPS):
        jump(page, chance.random())
        # Some are left when their thumbnails are asked for, some when they are there.
        until(page, lambda: chance.random() < 0.5 or shown(page))
    until(page, lambda: shown(page))
    page.mouse.move(5, 5)
    wait_until_at_rest(page)
    devtools.send("HeapProfiler.collectGarbage")
    found = metrics(devtools)
    print(f"\n  DOM nodes after {JUMPS} jumps: {found['Nodes']:.0f}", end="")
    assert found["Nodes"] < 3_000
    measured("heap", found["JSHeapUsedSize"] / 1e6, 15, "MB")
    assert found["JSHeapUsedSize"] < 45e6


def test_a_frame_of_scrolling_takes_few_layouts_and_few_nodes(page: Page, devtools: CDPSession) -> None:  # 8
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    jump(page, 0.3)
    until(page, lambda: shown(page))
    before = metrics(devtools)
    most_nodes: int = page.evaluate(
        """async (frames) => {
            const grid = document.getElementById('grid');
            let most = 0;
            for (let frame = 0; frame < frames; frame++) {
                await new Promise((drawn) => requestAnimationFrame(drawn));
                grid.scrollTop += 33;
                most = Math.max(most, document.getElementsByTagName('*').length);
            }
            return most;
        }""",
        FRAMES,
    )
    after = metrics(devtools)
    measured("main thread a frame", (after["TaskDuration"] - before["TaskDuration"]) * 1000 / FRAMES, 12, "ms CPU")
    layouts = (after["LayoutCount"] - before["LayoutCount"]) / FRAMES
    print(f"\n  {layouts:.2f} layouts a frame, at most {most_nodes} nodes", end="")
    assert layouts <= 2
    assert most_nodes < MOST_NODES


def test_the_middle_is_there_at_once(page: Page) -> None:  # 9
    until(page, lambda: shown(page))
    cancelled: list[str] = []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/thumbnails/" in request.url else None)
    page.on("requestfailed", lambda request: cancelled.append(request.url) if "/thumbnails/" in request.url else None)
    for share in (0.93, 0.12, 0.71, 0.33, 0.87):
        before = len(asked)
        jump(page, share)
        until(page, lambda before=before: len(asked) > before)
    jump(page, 0.5)
    tiles_s = until(page, lambda: IMAGES * 0.4 < (seen(page) or [0])[0] < IMAGES * 0.6)
    thumbs_s = until(page, lambda: shown(page))
    print(f"\n  {len(asked)} thumbnails asked for on the way, {len(cancelled)} cancelled", end="")
    measured("tiles in the middle", tiles_s * 1000, 200, "ms")
    measured("thumbnails in the middle", (tiles_s + thumbs_s) * 1000, 3_000, "ms")
    assert nodes(page) < MOST_NODES


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


def test_no_key_and_no_jump_lays_out_more_than_what_is_seen(page: Page, devtools: CDPSession) -> None:  # G4
    until(page, lambda: shown(page))
    wait_until_at_rest(page)
    devtools.send("Performance.enable")
    page.evaluate("window.long_tasks.length = 0")
    start_at(page, 2)
    acts = {key: partial(page.keyboard.press, key) for key in ("End", "Home", "PageDown", "]", "}", "ArrowDown", "x")}
    acts |= {f"to {share}": partial(jump, page, share) for share in (0.2, 0.8, 0.5)}
    for name, act in acts.items():
        before = metrics(devtools)["LayoutCount"]
        act()
        wait_until_at_rest(page)
        assert (name, metrics(devtools)["LayoutCount"] - before <= MOST_LAYOUTS) == (name, True)
        assert (name, nodes(page) < MOST_NODES) == (name, True)
    measured("longest task", longest_task_ms(page), 50, "ms")


def test_another_size_is_laid_out_in_few_steps_and_nothing_is_lost_from_view(
    page: Page, devtools: CDPSession
) -> None:  # 15
    jump(page, 0.4)
    until(page, lambda: shown(page))
    wait_until_at_rest(page)
    top = seen(page)[0]
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = metrics(devtools)
    slider = page.get_by_role("slider", name="Thumbnail size")
    for size in ("300", "180", "220"):
        slider.fill(size)
        wait_until_at_rest(page)
        assert top in seen(page)
    after = metrics(devtools)
    spent_ms = (after["ScriptDuration"] - before["ScriptDuration"]) * 1000 / 3
    measured("another size, layout and tiles", spent_ms, 50, "ms CPU of script")
    assert after["LayoutCount"] - before["LayoutCount"] <= 3 * MOST_LAYOUTS


def test_everything_is_chosen_and_one_left_out(page: Page) -> None:  # 27
    start_at(page, 3)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    spent: dict[str, Any] = page.evaluate(
        """async () => {
            const began = performance.now();
            const key = { key: 'a', ctrlKey: true, bubbles: true, cancelable: true };
            document.activeElement.dispatchEvent(new KeyboardEvent('keydown', key));
            await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
            return { ms: performance.now() - began, said: document.querySelector('[data-testid=selected]').innerText };
        }"""
    )
    assert spent["said"] == "1,000,000 selected (all matching)"
    assert asked == []
    tile(page, 2).click(modifiers=["Control"])
    expect(page.get_by_test_id("selected")).to_have_text("999,999 selected")
    measured("choosing everything", spent["ms"], 300, "ms")
    assert focused(page) == 2
