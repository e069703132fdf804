"""The viewer and what it says: acceptance checks 34 to 36."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acting import start_at, tile, until, wait_for_focus
from tests.browser.conftest import IMAGES, MODELS
from tests.faults.serving import Served
from tests.pictures import PARAMETERS


class SpaceBar:
    """Held for as long as the clock of the keyboard says, however slow the page is."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._down_s = 0.0

    def down(self) -> None:
        self._down_s = time.time()
        self._send("keyDown", self._down_s)

    def up(self, *, after_s: float) -> None:
        self._send("keyUp", self._down_s + after_s)

    def _send(self, kind: str, moment_s: float) -> None:
        key = {"key": " ", "code": "Space", "text": " ", "windowsVirtualKeyCode": 32}
        self._devtools.send("Input.dispatchKeyEvent", {"type": kind, "timestamp": moment_s, **key})


def tap(page: Page, key: str) -> None:
    if key != "Space":
        page.keyboard.press(key)
        return
    space = SpaceBar(page)
    space.down()
    space.up(after_s=0.1)


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_viewer_walks_the_list_and_gives_the_focus_back(page: Page, key: str) -> None:  # 34
    start_at(page, 2)
    tap(page, key)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"3 / {IMAGES}")
    expect(dialog.get_by_role("img", name="number 2")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    wait_for_focus(page, 2)
    tap(page, key)
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text(f"4 / {IMAGES}")
    page.keyboard.press("End")
    expect(dialog).to_contain_text(f"{IMAGES} / {IMAGES}")
    page.keyboard.press("ArrowLeft")
    expect(dialog).to_contain_text(f"{IMAGES - 1} / {IMAGES}")
    page.keyboard.press("Escape")
    wait_for_focus(page, IMAGES - 2)
    expect(tile(page, IMAGES - 2)).to_be_in_viewport()


def test_keys_that_are_quicker_than_the_browser_leave_the_viewer_once(page: Page) -> None:
    page.get_by_role("button", name="Jobs").click()
    page.get_by_role("button", name="Library").click()
    start_at(page, 2)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.evaluate(
        """() => { for (let press = 0; press < 2; press++)
            document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })) }"""
    )
    expect(page.get_by_role("dialog")).to_have_count(0)
    wait_for_focus(page, 2)
    assert "/library" in page.url


def test_a_key_right_after_escape_is_not_the_dialogs(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.evaluate(
        """() => { for (const key of ['Escape', 'g'])
            document.activeElement.dispatchEvent(
                new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })) }"""
    )
    expect(page.get_by_label("Year, month or day")).to_be_focused()
    expect(page.get_by_role("dialog")).to_have_count(1)


def test_space_held_shows_the_image_for_as_long(page: Page) -> None:  # 34
    start_at(page, 2)
    space = SpaceBar(page)
    space.down()
    expect(page.get_by_role("dialog")).to_be_visible()
    space.up(after_s=0.5)
    expect(page.get_by_role("dialog")).to_have_count(0)
    wait_for_focus(page, 2)


def test_a_rating_in_the_viewer_is_of_what_is_seen(page: Page, served: Served) -> None:  # 34
    start_at(page, 2)
    tile(page, 5).click(modifiers=["Shift"])
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"6 / {IMAGES}")
    page.keyboard.press("3")
    # Its toast is there too, and can be pressed.
    dialog.get_by_role("button", name="Undo").wait_for()
    assert served.get("/api/v1/images", q="rating:3")["total"] == 1
    dialog.get_by_role("button", name="Undo").click()
    until(page, lambda: served.get("/api/v1/images", q="rating:3")["total"] == 0)
    page.keyboard.press("Escape")


def test_zooming_is_undone_by_the_same_key(page: Page) -> None:  # 34
    start_at(page, 2)
    page.keyboard.press("Enter")
    picture = page.get_by_role("dialog").get_by_role("img", name="number 2")
    until(page, lambda: (picture.bounding_box() or {"width": 0})["width"] > 100)
    before = picture.bounding_box()
    page.keyboard.press("z")
    until(page, lambda: picture.bounding_box() != before)
    page.keyboard.press("z")
    until(page, lambda: picture.bounding_box() == before)


def test_the_prompt_and_all_parameters_are_copied(page: Page) -> None:  # 35
    start_at(page, 7)
    page.keyboard.press("p")
    expect(page.locator(".toast").last).to_contain_text("Prompt copied")
    assert page.evaluate("navigator.clipboard.readText()") == "a red fox in snow, number 7"
    page.keyboard.press("Shift+P")
    expect(page.locator(".toast").last).to_contain_text("Generation data copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    written, _, rest = PARAMETERS.format(seed=7, model=MODELS[1], model_hash="#").partition("#")
    assert copied.startswith(written)
    assert copied.endswith(rest)


def test_the_panel_says_how_it_was_made(page: Page) -> None:  # 36
    start_at(page, 7)
    panel = page.locator("#inspector")
    expect(page.get_by_test_id("prompt")).to_have_text("a red fox in snow, number 7")
    expect(page.get_by_test_id("negative_prompt")).to_have_text("blurry")
    said = {"Model": MODELS[1], "Seed": "7", "Steps": "20", "CFG scale": "7", "Sampler": "Euler a", "Size": "64 × 64"}
    for name, value in said.items():
        expect(panel.locator("dt", has_text=name).locator("+ dd").first).to_have_text(value)
    page.keyboard.press("i")
    expect(panel).to_have_count(0)
    page.keyboard.press("i")
    expect(panel).to_be_visible()
