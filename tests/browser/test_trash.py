"""The Trash by keyboard and pointer: acceptance checks 30 and 33, restoring, permanent deletion, notes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.acting import (
    opened,
    position,
    scroll_to,
    seen,
    start_at,
    tile,
    total,
    until,
    wait_for_focus,
)
from tests.browser.conftest import write_images
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

IMAGES = 130


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trash")


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    """A library whose system's trash is in `home`."""
    write_images(home / "pictures", IMAGES)
    (home / "library").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    # An image that has just been permanently deleted may be requested once more.
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),), allowed="status of 404") as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


def uuids(served: Served, query: str = "") -> list[str]:
    return [one["uuid"] for one in served.get("/api/v1/images", q=query, limit=1_000)["items"]]


def trashed(served: Served) -> int:
    return int(served.get("/api/v1/trash")["images"])


def toast(page: Page) -> Locator:
    return page.locator(".toast").last


def show_trash(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("button", name="Trash").click()
    page.get_by_role("heading", name="Trash", exact=True).wait_for()


def shown_uuid(page: Page) -> str:
    """The image in focus, by the address of the viewer."""
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    until(page, lambda: "at=" in page.url)
    uuid = page.url.partition("at=")[2].partition("&")[0]
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    return uuid


def test_delete_trashes_the_focused_image_and_undo_puts_it_back_in_place(page: Page, served: Served) -> None:  # 30
    before = uuids(served)
    start_at(page, 4)
    page.keyboard.press("Delete")
    expect(toast(page)).to_contain_text("1 image moved to Trash")
    # Under the pointer it stays.
    toast(page).hover()
    expect(total(page)).to_have_text(str(len(before) - 1))
    assert uuids(served) == before[:4] + before[5:]
    wait_for_focus(page, 4)
    assert shown_uuid(page) == before[5]
    page.get_by_role("button", name="Undo").click()
    expect(total(page)).to_have_text(str(len(before)))
    wait_for_focus(page, 4)
    assert shown_uuid(page) == before[4]
    assert uuids(served) == before


def test_a_chosen_range_goes_at_once_and_comes_and_goes_by_the_keyboard(page: Page, served: Served) -> None:  # 30
    before = uuids(served)
    start_at(page, 2)
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Delete")
    expect(total(page)).to_have_text(str(len(before) - 4))
    wait_for_focus(page, 2)
    assert uuids(served) == before[:2] + before[6:]
    page.keyboard.press("Control+z")
    expect(total(page)).to_have_text(str(len(before)))
    page.keyboard.press("Control+Shift+z")
    expect(total(page)).to_have_text(str(len(before) - 4))
    page.keyboard.press("Control+z")
    expect(total(page)).to_have_text(str(len(before)))
    assert uuids(served) == before


def test_three_quick_presses_trash_three_images_one_after_the_other(page: Page, served: Served) -> None:
    before = uuids(served)
    start_at(page, 6)
    for _ in range(3):
        page.keyboard.press("Delete")
    until(page, lambda: uuids(served) == before[:6] + before[9:])
    for _ in range(3):
        page.keyboard.press("Control+z")
    until(page, lambda: uuids(served) == before)


def test_the_view_stays_where_it_is_when_images_go(page: Page, served: Served) -> None:
    before = uuids(served)
    scroll_to(page, 3_000)
    index = seen(page)[len(seen(page)) // 2]
    start_at(page, index)
    there = position(page)
    page.keyboard.press("Delete")
    expect(total(page)).to_have_text(str(len(before) - 1))
    wait_for_focus(page, index)
    assert abs(position(page) - there) < 120
    page.keyboard.press("Control+z")
    expect(total(page)).to_have_text(str(len(before)))
    until(page, lambda: trashed(served) == 0)


def test_in_the_viewer_the_next_image_takes_the_place(page: Page, served: Served) -> None:
    before = uuids(served)
    start_at(page, 3)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"4 / {len(before)}")
    page.keyboard.press("Delete")
    expect(dialog).to_contain_text(f"4 / {len(before) - 1}")
    page.keyboard.press("Control+z")
    expect(dialog).to_contain_text(f"4 / {len(before)}")
    page.keyboard.press("Escape")
    assert uuids(served) == before


def test_a_removed_favorite_leaves_the_favorites_and_comes_back_by_undo(page: Page, served: Served) -> None:
    marked = uuids(served)[:6]
    served.post("/api/v1/edits", {"uuids": marked, "set": {"favorite": True}})
    page.get_by_role("navigation").get_by_role("button", name="Favorites").click()
    expect(total(page)).to_have_text("6")
    start_at(page, 2)
    page.keyboard.press("f")
    expect(total(page)).to_have_text("5")
    wait_for_focus(page, 2)
    assert shown_uuid(page) == marked[3]
    page.keyboard.press("Control+z")
    expect(total(page)).to_have_text("6")
    page.keyboard.press("Delete")
    expect(total(page)).to_have_text("5")
    page.keyboard.press("Control+z")
    expect(total(page)).to_have_text("6")
    served.post("/api/v1/edits", {"uuids": marked, "set": {"favorite": False}})


def test_the_trash_is_a_list_with_the_same_keys_and_restores(page: Page, served: Served) -> None:
    before = uuids(served)
    served.post("/api/v1/edits", {"uuids": before[:9], "set": {"trash": True}})
    show_trash(page)
    expect(total(page)).to_have_text("9")
    expect(page.locator("#grid").get_by_role("heading").first).to_contain_text("Will be deleted in 30 days")
    start_at(page, 1)
    page.keyboard.press("f")
    expect(tile(page, 1).locator(".heart")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(tile(page, 1).locator(".heart")).to_have_count(0)
    page.keyboard.press("3")
    expect(tile(page, 1).locator(".stars")).to_have_text("★★★")
    page.keyboard.press("0")
    expect(tile(page, 1).locator(".stars")).to_have_count(0)
    page.keyboard.press("r")
    expect(total(page)).to_have_text("8")
    wait_for_focus(page, 1)
    page.keyboard.press("Control+a")
    expect(page.get_by_test_id("selected")).to_contain_text("8 selected")
    assert faults(page) == []
    page.get_by_role("toolbar").get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", name="Trash is empty")).to_be_visible()
    assert faults(page) == []
    assert uuids(served) == before
    page.keyboard.press("Control+z")
    expect(total(page)).to_have_text("8")
    page.get_by_role("button", name="Restore all").click()
    until(page, lambda: trashed(served) == 0)


def test_deleting_for_good_says_what_happens_and_sends_the_file_to_the_systems_trash(
    page: Page, served: Served, home: Path
) -> None:
    before = uuids(served)
    [file] = served.get(f"/api/v1/images/{before[0]}")["files"]
    served.post("/api/v1/edits", {"uuids": before[:2], "set": {"trash": True}})
    show_trash(page)
    expect(total(page)).to_have_text("2")
    page.keyboard.press("Home")
    wait_for_focus(page, 0)
    page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete 1 image permanently?")
    expect(dialog).to_contain_text("to your system’s trash")
    assert faults(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert trashed(served) == 2
    page.keyboard.press("Delete")
    expect(dialog.get_by_role("button", name="Delete permanently")).to_be_focused()
    page.keyboard.press("Enter")
    expect(total(page)).to_have_text("1")
    expect(toast(page)).to_contain_text("1 image permanently deleted.")
    assert (home / "data" / "Trash" / "files" / file["path"]).exists()
    assert not (home / "pictures" / file["path"]).exists()
    page.get_by_role("button", name="Restore all").click()
    until(page, lambda: uuids(served) == before[1:])


def test_notes_are_written_on_one_image_and_on_many(page: Page, served: Served) -> None:
    start_at(page, 0)
    page.keyboard.press("n")
    expect(page.get_by_role("textbox", name="Note")).to_be_focused()
    page.keyboard.type("the good one f 1")
    assert faults(page) == []
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("note")).to_have_text("the good one f 1")
    assert len(uuids(served, "good")) == 1
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("n")
    expect(page.get_by_role("dialog")).to_contain_text("Note on 2 images")
    page.keyboard.type("both of them")
    page.get_by_role("button", name="Save", exact=True).click()
    until(page, lambda: len(uuids(served, "both")) == 2)
    page.keyboard.press("Control+z")
    until(page, lambda: len(uuids(served, "good")) == 1)
    page.keyboard.press("Control+z")
    until(page, lambda: not uuids(served, "good"))


def test_how_long_the_trash_keeps_is_set_on_its_page(page: Page, served: Served) -> None:
    served.patch("/api/v1/trash/settings", {"days": 30, "locked": []})
    show_trash(page)
    page.get_by_role("button", name="Kept for 30 days").click()
    page.get_by_role("combobox").select_option("7 days")
    page.get_by_label("Do not allow favorites to be moved to Trash").check()
    until(page, lambda: served.get("/api/v1/trash")["locked"] == ["favorites"])
    assert served.get("/api/v1/trash")["days"] == 7
    assert faults(page) == []
    page.get_by_label("Do not allow favorites to be moved to Trash").uncheck()
    until(page, lambda: served.get("/api/v1/trash")["locked"] == [])


def test_more_than_a_hundred_are_deleted_for_good_only_when_their_number_is_typed(
    browser: Browser, served: Served
) -> None:
    """Last: it leaves nothing."""
    before = uuids(served)
    # An image that has just been permanently deleted may be requested once more.
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),), allowed="status of 404") as page:
        start_at(page, 0)
        page.keyboard.press("Control+a")
        page.keyboard.press("Shift+Delete")
        dialog = page.get_by_role("dialog")
        act = dialog.get_by_role("button", name="Delete permanently")
        expect(act).to_be_disabled()
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        page.keyboard.type(str(len(before)))
        expect(act).to_be_enabled()
        assert faults(page) == []
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="No images yet")).to_be_visible()
        assert uuids(served) == []
        assert trashed(served) == 0
