"""The Duplicates page: what it proposes and why, what would be lost, keyboard, undo, phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from mysticanvas.demo.write_metadata import add_png_texts
from tests.browser.acting import opened
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served
from tests.integration.test_likeness import encoded, scene

SETTINGS = "a fox in the snow\nNegative prompt: blurry\nSteps: 20, Sampler: {}, CFG scale: 7, Seed: {}, Size: 256x256"
FILES = 6


def with_settings(picture: int, sampler: str, seed: int, *, edge_px: int = 256) -> bytes:
    content = encoded(scene(picture).resize((edge_px, edge_px)))
    return add_png_texts(content, {"parameters": SETTINGS.format(sampler, seed)})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A small original with a larger copy without generation data; two that contradict each other; two variations."""
    home = tmp_path_factory.mktemp("duplicates")
    pictures = home / "pictures"
    pictures.mkdir()
    (pictures / "original.png").write_bytes(with_settings(0, "Euler a", 1, edge_px=128))
    (pictures / "larger.png").write_bytes(encoded(scene(0)))
    (pictures / "one.png").write_bytes(with_settings(1, "Euler a", 2))
    (pictures / "other.png").write_bytes(with_settings(1, "DDIM", 2))
    (pictures / "variation-1.png").write_bytes(with_settings(2, "Euler a", 3))
    (pictures / "variation-2.png").write_bytes(with_settings(2, "Euler a", 4))
    (home / "library").mkdir()
    server = Served(home / "library", [pictures]).wait_until_up()
    server.wait_until_idle(FILES)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),)) as page:
        yield page


def show(page: Page, file: str) -> None:
    """Shows the group with this file."""
    page.get_by_role("navigation", name="Pages").get_by_role("button", name="Duplicates").click()
    expect(page.get_by_test_id("group")).to_have_text("1 of 2")
    if file not in page.locator("figure .name").all_inner_texts():
        page.keyboard.press("]")
    expect(page.locator("figure", has_text=file)).to_be_visible()


def kept(page: Page) -> str:
    return page.locator("figure.kept .name").inner_text()


def test_the_original_is_kept_for_its_generation_data_although_the_copy_is_larger(page: Page) -> None:
    show(page, "original.png")
    assert kept(page) == "original.png"
    expect(page.locator("figure", has_text="original.png")).to_contain_text("The only image with generation data")
    expect(page.locator("figure", has_text="larger.png")).to_contain_text("No generation data")
    assert faults(page) == []


def test_the_larger_copy_can_be_kept_and_gets_the_generation_data_until_it_is_undone(
    page: Page, served: Served
) -> None:
    show(page, "original.png")
    page.keyboard.press("ArrowRight")
    assert kept(page) == "larger.png"
    expect(page.get_by_text("Copied: Generation data from original.png: prompt")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Duplicates merged; 1 image moved to Trash")).to_be_visible()
    assert served.post("/api/v1/snapshots", {"q": "size:256x256 seed:1"})["total"] == 1
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("group")).to_contain_text("of 2")
    assert served.post("/api/v1/snapshots", {"q": "size:256x256 seed:1"})["total"] == 0
    assert served.post("/api/v1/snapshots", {"q": "size:128x128 seed:1"})["total"] == 1


def test_where_something_would_be_lost_nothing_is_selected_and_only_the_red_button_merges(
    page: Page, served: Served
) -> None:
    show(page, "one.png")
    expect(page.locator("figure.kept")).to_have_count(0)
    expect(page.get_by_text("If you keep only one of these images, you lose:")).to_be_visible()
    expect(page.get_by_role("button", name="Select the image to keep")).to_be_disabled()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("different sampler")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("Enter")
    assert served.get("/api/v1/duplicates")["total"] == 2
    page.get_by_role("button", name="trash the other and lose this data").click()
    expect(page.get_by_text("Duplicates merged; 1 image moved to Trash")).to_be_visible()
    expect(page.get_by_test_id("group")).to_have_text("1 of 1")
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("group")).to_contain_text("of 2")


def test_a_message_never_covers_the_buttons_and_nothing_is_wider_than_a_phone(browser: Browser, served: Served) -> None:
    with opened(browser, served, width=390, height=844, scripts=(AXE.read_text("utf-8"),)) as page:
        page.get_by_role("navigation", name="Pages").get_by_role("button", name="Duplicates").click()
        page.locator("figure").first.wait_for()
        if page.locator("figure.kept").count() == 0:
            page.keyboard.press("]")
        page.get_by_role("button", name="Keep selected").click()
        message = page.get_by_text("Duplicates merged")
        message.wait_for()
        box, foot = message.bounding_box(), page.locator("footer:has(.buttons)").bounding_box()
        assert box is not None
        assert foot is not None
        assert box["y"] + box["height"] <= foot["y"]
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        for button in page.locator("footer .buttons button").all():
            assert (button.bounding_box() or {"height": 0})["height"] >= 44
        page.keyboard.press("Control+z")
        expect(page.get_by_test_id("group")).to_contain_text("of 2")
