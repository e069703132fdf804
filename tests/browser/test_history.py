"""The history: what was done, undone after a restart, refused with the reason; by the keyboard too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Browser, Locator, Page, Route, expect

from tests.browser.acting import opened, start_at, until, wait_until_at_rest
from tests.browser.conftest import write_images
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

IMAGES = 20
DEEDS = 120


def begin(home: Path) -> Served:
    write_images(home / "pictures", IMAGES)
    (home / "library").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    return server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = begin(tmp_path_factory.mktemp("history"))
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    script = AXE.read_text("utf-8")
    with opened(browser, served, scripts=(script,), allowed="status of 409") as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


def show_history(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("button", name="History").click()
    page.get_by_role("heading", name="History", exact=True).wait_for()


def edit(page: Page, words: str) -> Locator:
    """The newest one that is said so."""
    return page.locator("[data-edit]").filter(has_text=words).first


def uuids(served: Served, query: str = "") -> list[str]:
    return [one["uuid"] for one in served.get("/api/v1/images", q=query, limit=1_000)["items"]]


def mark(served: Served, images: list[str], **set_: object) -> int:
    return int(served.post("/api/v1/edits", {"uuids": images, "set": set_})["operation"])


def test_an_edit_is_listed_with_its_images_undone_and_redone(page: Page, served: Served) -> None:
    start_at(page, 1)
    for _ in range(6):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("3")
    page.wait_for_selector(".toast")
    show_history(page)
    newest = page.locator("[data-edit]").first
    expect(newest).to_contain_text("Rated 7 images ★★★")
    expect(page.locator("section h2").first).to_have_text("Today")
    until(page, lambda: newest.locator("img").first.evaluate("(picture) => picture.naturalWidth") > 1)
    expect(newest.get_by_text("+3")).to_be_visible()
    assert faults(page) == []
    newest.get_by_role("button", name="Undo").click()
    expect(newest).to_contain_text("undone")
    assert uuids(served, "rating:3") == []
    newest.get_by_role("button", name="Redo").click()
    expect(newest.get_by_role("button", name="Undo")).to_be_visible()
    assert len(uuids(served, "rating:3")) == 7
    newest.get_by_role("button", name="Undo").click()
    expect(newest).to_contain_text("undone")
    assert faults(page) == []


def test_what_ctrl_z_undoes_is_marked_at_once(page: Page, served: Served) -> None:
    start_at(page, 2)
    page.keyboard.press("f")
    page.wait_for_selector(".toast")
    show_history(page)
    expect(edit(page, "to favorites").get_by_role("button", name="Undo")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(edit(page, "to favorites")).to_contain_text("undone")
    page.keyboard.press("Control+Shift+z")
    expect(edit(page, "to favorites").get_by_role("button", name="Undo")).to_be_visible()
    page.keyboard.press("Control+z")
    until(page, lambda: uuids(served, "is:favourite") == [])


def test_a_late_answer_does_not_replace_what_was_asked_for_after_it(page: Page) -> None:
    start_at(page, 2)
    for stars in ("★", "★★"):
        page.keyboard.press(str(len(stars)))
        expect(page.locator(".toast").last).to_contain_text(f"rated {stars}")
    show_history(page)
    expect(edit(page, "★★").get_by_role("button", name="Undo")).to_be_visible()
    undone = page.locator("[data-edit] .badge")
    before = undone.count()
    late: list[tuple[Route, APIResponse]] = []

    def keep_the_first(route: Route) -> None:
        if late:
            route.continue_()
        else:
            late.append((route, route.fetch()))

    page.route("**/api/v1/edits?*", keep_the_first)
    page.keyboard.press("Control+z")
    until(page, lambda: late)
    page.keyboard.press("Control+z")
    expect(undone).to_have_count(before + 2)
    for route, answer in late:
        route.fulfill(response=answer)
    wait_until_at_rest(page)
    expect(undone).to_have_count(before + 2)


def test_an_undo_that_is_refused_says_why(page: Page, served: Served) -> None:
    doomed = uuids(served)[-1]
    mark(served, [doomed], rating=5)
    mark(served, [doomed], trash=True)
    served.post("/api/v1/trash:purge", {"uuids": [doomed]})
    show_history(page)
    rated = edit(page, "Rated 1 image ★★★★★")
    expect(rated.get_by_role("button", name="Permanently deleted")).to_be_disabled()
    rated.get_by_role("button", name="Undo").click()
    expect(rated).to_contain_text("The image was deleted permanently, so this edit cannot be undone.")
    expect(rated.get_by_role("button", name="Undo")).to_be_visible()
    assert faults(page) == []


def test_an_image_of_an_edit_opens_where_it_is_now(page: Page, served: Served) -> None:
    first, second = uuids(served)[:2]
    mark(served, [first], notes="a thing to see")
    mark(served, [second], trash=True)
    show_history(page)
    edit(page, "Edited the note").get_by_role("button", name="Open image").click()
    page.get_by_role("dialog").wait_for()
    assert first in page.url
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="History", exact=True).wait_for()
    edit(page, "to Trash").get_by_role("button", name="Open image in Trash").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 / 1")
    assert "/trash" in page.url
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="History", exact=True).wait_for()
    served.post("/api/v1/trash:restore", {"which": "all"})


def test_the_keyboard_walks_the_edits_and_undoes_one(page: Page, served: Served) -> None:
    chosen = uuids(served)[:3]
    mark(served, chosen, rating=1)
    mark(served, chosen, favorite=True)
    show_history(page)
    edit(page, "to favorites").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(edit(page, "Rated 3 images ★").get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    until(page, lambda: uuids(served, "rating:1") == [])
    assert len(uuids(served, "is:favourite")) == 3
    served.post("/api/v1/edits:undo", {})


def test_older_edits_come_while_scrolling(page: Page, served: Served) -> None:
    one = uuids(served)[:1]
    for number in range(DEEDS // 2):
        mark(served, one, rating=1 + number % 4)
    show_history(page)
    page.locator("[data-edit]").first.wait_for()
    known = served.get("/api/v1/edits", limit=500)["operations"]
    until(page, lambda: page.locator("[data-edit]").count() >= 50)
    assert page.locator("[data-edit]").count() < len(known)
    page.locator("main").hover()
    page.mouse.wheel(0, 100_000)
    until(page, lambda: page.locator("[data-edit]").count() > 50)

    def all_are_there() -> bool:
        page.mouse.wheel(0, 100_000)
        return page.locator("[data-edit]").count() == len(known)

    until(page, all_are_there)
    shown = page.locator("[data-edit]").evaluate_all("(rows) => rows.map((row) => Number(row.dataset.edit))")
    assert shown == [edit["operation"] for edit in known]


def test_an_edit_is_undone_after_a_restart(browser: Browser, tmp_path: Path) -> None:
    server = begin(tmp_path)
    images = uuids(server)[:4]
    before = server.http.get("/api/v1/library/export").text
    mark(server, images, trash=True)
    server.stop()
    again = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    try:
        with opened(browser, again, scripts=(AXE.read_text("utf-8"),)) as page:
            page.wait_for_selector("[role=gridcell]")
            show_history(page)
            edit(page, "Moved 4 images to Trash").get_by_role("button", name="Undo").click()
            expect(edit(page, "Moved 4 images to Trash")).to_contain_text("undone")
            assert again.http.get("/api/v1/library/export").text == before
            page.get_by_role("navigation").get_by_role("button", name="Library").click()
            expect(page.get_by_test_id("total")).to_have_text(str(IMAGES))
            page.get_by_role("navigation").get_by_role("button", name="Trash").click()
            expect(page.get_by_role("heading", name="Trash is empty")).to_be_visible()
    finally:
        again.stop()


def test_before_the_first_edit_the_page_says_what_will_be_there(browser: Browser, tmp_path: Path) -> None:
    server = begin(tmp_path)
    try:
        with opened(browser, server, scripts=(AXE.read_text("utf-8"),)) as page:
            page.wait_for_selector("[role=gridcell]")
            show_history(page)
            expect(page.get_by_role("heading", name="No changes yet")).to_be_visible()
            assert faults(page) == []
    finally:
        server.stop()
