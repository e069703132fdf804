"""What a person does in the gallery, and how a test waits for what follows."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.faults.serving import Served

# Complaints about the page's own rules become errors of the console, which fail the test.
REPORT_VIOLATIONS = """addEventListener('securitypolicyviolation',
    (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));"""
# Longer than anything takes on the slowest machine: for what never comes, not for what is slow.
LIMIT_S = 60.0
# Counts what the page waits for: answers that it has not read yet, and timers shorter than half a second, by which it
# asks for what one comes to rest at. The decrement comes after whoever waited has gone on: a chain is never none.
COUNT_WAITS = """(() => {
    window.waits = 0;
    const { setTimeout, clearTimeout } = window;
    const ended = () => setTimeout(() => window.waits--);
    const counted = (ask) => function (...given) {
        const answer = ask.apply(this, given);
        window.waits++;
        answer.then(ended, ended);
        return answer;
    };
    window.fetch = counted(window.fetch);
    for (const name of ['json', 'text', 'arrayBuffer', 'blob'])
        Response.prototype[name] = counted(Response.prototype[name]);
    const running = new Set();
    const stopped = (timer) => running.delete(timer) && ended();
    window.setTimeout = (act, wait_ms = 0, ...given) => {
        const timer = setTimeout((...all) => (stopped(timer), act(...all)), wait_ms, ...given);
        if (wait_ms < 500) running.add(timer), window.waits++;
        return timer;
    };
    window.clearTimeout = (timer) => (stopped(timer), clearTimeout(timer));
})()"""
# Two frames on: the page waits for nothing, nothing moves that comes to an end, and the list is not scrolling.
AT_REST = """() => new Promise((tell) => requestAnimationFrame(() => requestAnimationFrame(() => {
    const ends = (one) => one.playState === 'running' && one.effect.getComputedTiming().endTime !== Infinity;
    const scrolling = document.querySelector('.scrubber .label.moving') !== null;
    tell(!window.waits && !scrolling && !document.getAnimations().some(ends));
})))"""


def listen(context: BrowserContext) -> list[str]:
    """Everything that reaches a console of this context as an error, from now on."""
    complaints: list[str] = []
    context.add_init_script(REPORT_VIOLATIONS)
    context.add_init_script(COUNT_WAITS)
    context.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    return complaints


@contextmanager
def opened(
    browser: Browser,
    served: Served,
    *,
    width: int = 1400,
    height: int = 900,
    scripts: tuple[str, ...] = (),
    allowed: str | None = None,
) -> Iterator[Page]:
    """A signed-in page in a browser of its own. Its console must stay free of errors, but for those that
    match `allowed`."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="dark")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(LIMIT_S * 1000)
    for script in scripts:
        context.add_init_script(script)
    complaints = listen(context)
    page = context.new_page()
    page.goto(sign_in(served))
    try:
        yield page
    finally:
        context.close()
    unexpected = [text for text in complaints if allowed is None or not re.search(allowed, text)]
    assert not unexpected, "\n".join(unexpected)


def sign_in(served: Served) -> str:
    return str(served.post("/api/v1/session/links", {})["url"])


def until(page: Page, condition: Callable[[], Any]) -> float:
    """Seconds until the condition held, looked at every 10 ms. (Playwright's own waiting evaluates
    strings in the page, which the gallery's rules forbid.)"""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > LIMIT_S:
            raise AssertionError("it did not come to pass")
        page.wait_for_timeout(10)
    return time.monotonic() - began


def wait_until_at_rest(page: Page) -> None:
    """All that was asked for is there and drawn, and nothing moves or fades any more."""
    until(page, lambda: page.evaluate(AT_REST))


def tile(page: Page, index: int) -> Locator:
    return page.locator(f"[role=gridcell][data-index='{index}']")


def wait_for_focus(page: Page, index: int) -> None:
    expect(page.locator(f"[role=gridcell][data-index='{index}']:focus")).to_have_count(1)


def focused(page: Page) -> int:
    return int(page.evaluate("Number(document.activeElement.getAttribute('data-index') ?? -1)"))


def start_at(page: Page, index: int) -> None:
    """Focus on an image that is in view, nothing chosen."""
    tile(page, index).click()
    wait_for_focus(page, index)


def position(page: Page) -> float:
    return float(page.evaluate("(g => Number(g.dataset.base) + g.scrollTop)(document.getElementById('grid'))"))


def scroll_to(page: Page, top: float) -> None:
    page.evaluate(f"document.getElementById('grid').scrollTop = {top}")
    wait_until_at_rest(page)


def total(page: Page) -> Locator:
    return page.get_by_test_id("total")


def scrubber(page: Page) -> Locator:
    return page.get_by_role("slider", name="Time")


def jump(page: Page, share: float) -> None:
    """By a click on the scrubber."""
    box = scrubber(page).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * share)


def search_box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search")


def search(page: Page, query: str) -> None:
    page.keyboard.press("/")
    expect(search_box(page)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(query)
    page.keyboard.press("Enter")


def seen(page: Page) -> list[int]:
    """The images that are in view, first to last."""
    found: list[int] = page.evaluate(
        """() => { const view = document.getElementById('grid').getBoundingClientRect();
            return [...document.querySelectorAll('[role=gridcell]')].filter((tile) => {
                const at = tile.getBoundingClientRect();
                return at.bottom > view.top + 1 && at.top < view.bottom - 1;
            }).map((tile) => Number(tile.dataset.index)).sort((a, b) => a - b) }"""
    )
    return found


def shown(page: Page) -> bool:
    """Whether every image in view has its thumbnail."""
    return bool(
        page.evaluate(
            """() => { const view = document.getElementById('grid').getBoundingClientRect();
            const tiles = [...document.querySelectorAll('[role=gridcell]')].filter((tile) => {
                const at = tile.getBoundingClientRect();
                return at.bottom > view.top + 1 && at.top < view.bottom - 1;
            });
            return tiles.length > 0 && tiles.every((tile) => {
                const picture = tile.querySelector('img');
                return picture && picture.complete && picture.naturalWidth > 1;
            }) }"""
        )
    )
