"""Culling: one image large, keep, reject or rate with one key, and one edit at the end."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.acting import opened, start_at, tile, total, until, wait_for_focus
from tests.browser.conftest import write_images
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

IMAGES = 30


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("culling")
    write_images(home / "pictures", IMAGES)
    (home / "library").mkdir()
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),)) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page
    served.post("/api/v1/edits", {"query": "", "set": {"rating": 0}})
    served.post("/api/v1/edits", {"query": "", "set": {"favorite": False}})
    assert served.get("/api/v1/trash")["images"] == 0


def uuids(served: Served, query: str = "") -> list[str]:
    return [one["uuid"] for one in served.get("/api/v1/images", q=query, limit=1_000)["items"]]


def place(page: Page) -> Locator:
    return page.get_by_test_id("place")


def sums(page: Page) -> Locator:
    return page.get_by_test_id("sums")


def begin(page: Page, index: int) -> None:
    start_at(page, index)
    page.keyboard.press("Shift+C")
    expect(place(page)).to_have_text(f"{index + 1} / {IMAGES}")


def test_one_key_decides_and_the_rejected_go_as_one_edit(page: Page, served: Served) -> None:
    before = uuids(served)
    edits = len(served.get("/api/v1/edits", limit=500)["operations"])
    begin(page, 3)
    expect(place(page)).to_have_text(f"4 / {IMAGES}")
    page.keyboard.press("k")
    expect(place(page)).to_have_text(f"5 / {IMAGES}")
    page.keyboard.press("x")
    page.keyboard.press("Delete")
    page.keyboard.press("3")
    page.keyboard.press("f")
    expect(place(page)).to_have_text(f"9 / {IMAGES}")
    expect(sums(page)).to_have_text("3 kept · 2 rejected")
    assert faults(page) == []
    until(page, lambda: uuids(served, "rating:3") == [before[6]] and uuids(served, "is:favourite") == [before[7]])
    assert uuids(served) == before
    page.keyboard.press("Escape")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"3 kept, 2 rejected, {IMAGES - 5} undecided.")
    expect(dialog.get_by_role("button", name="Move 2 images to Trash")).to_be_focused()
    assert faults(page) == []
    page.keyboard.press("Enter")
    expect(total(page)).to_have_text(str(IMAGES - 2))
    assert uuids(served) == before[:4] + before[6:]
    # Where one was: the ninth, of which two before it are gone.
    wait_for_focus(page, 6)
    assert len(served.get("/api/v1/edits", limit=500)["operations"]) == edits + 3
    page.keyboard.press("Control+z")
    expect(total(page)).to_have_text(str(IMAGES))
    assert uuids(served) == before


def test_escape_leaves_at_the_image_that_is_looked_at(page: Page) -> None:
    begin(page, 2)
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(place(page)).to_have_text(f"7 / {IMAGES}")
    page.keyboard.press("k")
    page.keyboard.press("Escape")
    wait_for_focus(page, 7)


def test_the_last_decision_is_taken_back_with_its_stars(page: Page, served: Served) -> None:
    begin(page, 0)
    page.keyboard.press("4")
    until(page, lambda: len(uuids(served, "rating:4")) == 1)
    page.keyboard.press("x")
    expect(sums(page)).to_have_text("1 kept · 1 rejected")
    page.keyboard.press("Backspace")
    expect(sums(page)).to_have_text("1 kept · 0 rejected")
    expect(place(page)).to_have_text(f"2 / {IMAGES}")
    page.keyboard.press("Control+z")
    expect(sums(page)).to_have_text("0 kept · 0 rejected")
    expect(place(page)).to_have_text(f"1 / {IMAGES}")
    until(page, lambda: uuids(served, "rating:4") == [])
    page.keyboard.press("Escape")
    wait_for_focus(page, 0)


def test_what_is_chosen_alone_is_gone_through_and_the_end_comes_by_itself(page: Page, served: Served) -> None:
    before = uuids(served)
    start_at(page, 5)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+C")
    expect(place(page)).to_have_text("3 / 3")
    page.keyboard.press("Home")
    expect(place(page)).to_have_text("1 / 3")
    page.keyboard.press("x")
    page.keyboard.press("x")
    page.keyboard.press("k")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 kept, 2 rejected.")
    dialog.get_by_role("button", name="Keep this image").first.click()
    expect(dialog).to_contain_text("2 kept, 1 rejected.")
    dialog.get_by_role("button", name="Move 1 image to Trash").click()
    expect(total(page)).to_have_text(str(IMAGES - 1))
    assert uuids(served) == before[:6] + before[7:]
    page.keyboard.press("Control+z")
    until(page, lambda: uuids(served) == before)


def test_only_what_is_not_rated_is_gone_through_when_one_wishes(page: Page, served: Served) -> None:
    served.post("/api/v1/edits", {"uuids": uuids(served)[:10], "set": {"rating": 2}})
    page.reload()
    begin(page, 12)
    page.keyboard.press("u")
    expect(place(page)).to_have_text(f"3 / {IMAGES - 10}")
    page.keyboard.press("u")
    expect(place(page)).to_have_text(f"13 / {IMAGES}")
    page.keyboard.press("Escape")
    wait_for_focus(page, 12)


def test_leaving_without_the_trash_changes_nothing_and_escape_goes_on(page: Page, served: Served) -> None:
    before = uuids(served)
    begin(page, 1)
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(place(page)).to_have_text(f"3 / {IMAGES}")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Keep k").click()
    expect(sums(page)).to_have_text("1 kept · 0 rejected")
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Leave without trashing").click()
    expect(tile(page, 3)).to_be_visible()
    assert uuids(served) == before


def test_a_reload_goes_on_in_the_library_at_the_image_it_began_with(page: Page) -> None:
    begin(page, 8)
    page.reload()
    expect(place(page)).to_have_text(f"9 / {IMAGES}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Reject and go to the next image")
    assert faults(page) == []
