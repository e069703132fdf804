"""Collections in the gallery: acceptance checks 25 and 33, by the pointer and by the keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.acting import (
    focused,
    opened,
    position,
    scroll_to,
    search,
    seen,
    start_at,
    tile,
    until,
    wait_for_focus,
    wait_until_at_rest,
)
from tests.browser.conftest import write_images
from tests.faults.serving import Served

IMAGES = 60
# Which tiles were about to go, one after the other.
WATCH_LEAVING = """() => {
    window.faded = [];
    new MutationObserver((all) => {
        for (const { target } of all) {
            const { index } = target.dataset;
            if (target.classList.contains('leaving') && !window.faded.includes(index)) window.faded.push(index);
        }
    }).observe(document.getElementById('grid'), { attributeFilter: ['class'], subtree: true });
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Images of their own: these tests file them."""
    home = tmp_path_factory.mktemp("collections")
    write_images(home / "pictures", IMAGES)
    (home / "library").mkdir()
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """The gallery with its panel of collections, which are none."""
    with opened(browser, served, allowed="409") as page:
        page.wait_for_selector("[role=gridcell]")
        page.get_by_role("navigation").get_by_role("button", name="Collections").click()
        panel(page).wait_for()
        yield page
    for one in served.get("/api/v1/collections")["collections"]:
        served.delete(f"/api/v1/collections/{one['uuid']}")


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Collections")


def row(page: Page, name: str) -> Locator:
    return panel(page).get_by_role("treeitem", name=name)


def names(page: Page) -> list[str]:
    found: list[str] = page.get_by_role("treeitem").evaluate_all(
        "(all) => all.map((one) => '.'.repeat(one.ariaLevel - 1) + one.ariaLabel.split(',')[0])"
    )
    return found


def made(served: Served, name: str, *images: str, query: str | None = None, parent: str | None = None) -> str:
    uuid = str(served.post("/api/v1/collections", {"name": name, "query": query, "parent": parent})["uuid"])
    if images:
        served.post("/api/v1/edits", {"uuids": list(images), "set": {"collect": uuid}})
    return uuid


def newest(served: Served, count: int) -> list[str]:
    return [one["uuid"] for one in served.get("/api/v1/images", limit=count)["items"]]


def members(served: Served, name: str) -> list[str]:
    named = [one for one in served.get("/api/v1/collections")["collections"] if one["name"] == name]
    return [uuid for one in named for uuid in served.get(f"/api/v1/collections/{one['uuid']}/items")["uuids"]]


def total(page: Page) -> Locator:
    return page.get_by_test_id("total")


def test_a_saved_search_fills_itself_before_ones_eyes(page: Page, served: Served) -> None:  # 25
    [fifth] = newest(served, 5)[4:]
    search(page, "rating:5 model:dreamer_v1")
    page.get_by_test_id("no-match").wait_for()
    page.get_by_role("button", name="Save as smart collection").click()
    page.keyboard.type("Five stars")
    expect(page.get_by_role("dialog")).to_contain_text("rating:5 model:dreamer_v1")
    page.keyboard.press("Enter")
    expect(row(page, "Five stars")).to_have_attribute("aria-label", "Five stars, 0 images, smart")
    row(page, "Five stars").click()
    page.get_by_test_id("no-match").wait_for()
    # What is rated elsewhere appears here, without a reload.
    served.post("/api/v1/edits", {"uuids": [fifth], "set": {"rating": 5}})
    expect(row(page, "Five stars")).to_have_attribute("aria-label", "Five stars, 1 image, smart")
    expect(total(page)).to_have_text("1")
    expect(tile(page, 0).locator(".stars")).to_have_text("★★★★★")
    served.post("/api/v1/edits", {"uuids": [fifth], "set": {"rating": 0}})
    expect(total(page)).to_have_text("0")


def test_an_image_that_arrives_is_in_the_saved_search_at_once(page: Page, served: Served) -> None:  # 25
    made(served, "Number 777", query='"number 777"')
    row(page, "Number 777").click()
    page.get_by_test_id("no-match").wait_for()
    write_images(served.library.parent / "pictures", 1, first=777)
    expect(total(page)).to_have_text("1")
    expect(row(page, "Number 777")).to_have_attribute("aria-label", "Number 777, 1 image, smart")


def test_images_are_dragged_into_a_collection(page: Page, served: Served) -> None:
    made(served, "Best")
    start_at(page, 1)
    tile(page, 3).click(modifiers=["Shift"])
    row(page, "Best").wait_for()
    tile(page, 2).drag_to(row(page, "Best"))
    until(page, lambda: members(served, "Best") == newest(served, 4)[1:])
    expect(row(page, "Best")).to_have_attribute("aria-label", "Best, 3 images, manual")
    tile(page, 5).drag_to(row(page, "Best"))
    until(page, lambda: len(members(served, "Best")) == 4)
    page.keyboard.press("Control+z")
    until(page, lambda: len(members(served, "Best")) == 3)


def test_by_the_keyboard_alone_images_go_in_change_places_and_come_out(page: Page, served: Served) -> None:
    first = newest(served, 4)
    start_at(page, 0)
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    wait_for_focus(page, 3)
    page.keyboard.press("b")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("For the wall")
    expect(page.get_by_role("option", name="New collection “For the wall”")).to_be_visible()
    page.keyboard.press("Enter")
    until(page, lambda: members(served, "For the wall") == first)
    page.keyboard.press("/")
    page.keyboard.type("collection:wall")
    page.get_by_role("option", name='collection:"For the wall"').wait_for()
    page.keyboard.press("Enter")
    expect(total(page)).to_have_text("4")
    search(page, "sort:manual")
    expect(page.get_by_role("heading", name="For the wall")).to_be_visible()
    expect(page.get_by_text("manual order")).to_be_visible()
    start_at(page, 0)
    page.keyboard.press(".")
    until(page, lambda: members(served, "For the wall") == [first[1], first[0], first[2], first[3]])
    wait_for_focus(page, 1)
    page.keyboard.press(".")
    until(page, lambda: members(served, "For the wall") == [first[1], first[2], first[0], first[3]])
    wait_for_focus(page, 2)
    page.keyboard.press(",")
    until(page, lambda: members(served, "For the wall") == [first[1], first[0], first[2], first[3]])
    wait_for_focus(page, 1)
    page.keyboard.press("Backspace")
    until(page, lambda: members(served, "For the wall") == [first[1], first[2], first[3]])
    expect(total(page)).to_have_text("3")
    wait_for_focus(page, 1)
    page.keyboard.press("Control+z")
    until(page, lambda: members(served, "For the wall") == [first[1], first[0], first[2], first[3]])
    expect(total(page)).to_have_text("4")


def test_images_change_places_by_the_pointer(page: Page, served: Served) -> None:
    first = newest(served, 4)
    made(served, "Best", *first)
    row(page, "Best").click()
    expect(total(page)).to_have_text("4")
    tile(page, 3).drag_to(tile(page, 1))
    until(page, lambda: members(served, "Best") == [first[0], first[3], first[1], first[2]])


def test_collections_are_nested_and_moved_by_keys(page: Page, served: Served) -> None:
    for name in ("One", "Two", "Three"):
        made(served, name)
    until(page, lambda: names(page) == ["One", "Two", "Three"])
    row(page, "Three").focus()
    page.keyboard.press("Alt+ArrowUp")
    until(page, lambda: names(page) == ["One", "Three", "Two"])
    expect(row(page, "Three")).to_be_focused()
    page.keyboard.press("Alt+ArrowRight")
    until(page, lambda: names(page) == ["One", ".Three", "Two"])
    page.keyboard.press("ArrowLeft")
    expect(row(page, "One")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    until(page, lambda: names(page) == ["One", "Two"])
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(row(page, "Three")).to_be_focused()
    page.keyboard.press("Alt+ArrowLeft")
    until(page, lambda: names(page) == ["One", "Three", "Two"])
    page.keyboard.press("F2")
    page.get_by_role("dialog").get_by_role("textbox", name="Name").fill("Third")
    page.keyboard.press("Enter")
    until(page, lambda: names(page) == ["One", "Third", "Two"])
    row(page, "Third").focus()
    page.keyboard.press("Delete")
    until(page, lambda: names(page) == ["One", "Two"])
    expect(row(page, "Two")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("Control+z")
    until(page, lambda: names(page) == ["One", "Two", "Three"])


def test_collections_are_nested_by_the_pointer_but_never_in_themselves(page: Page, served: Served) -> None:
    outer = made(served, "Outer")
    made(served, "Inner", parent=outer)
    made(served, "Other")
    until(page, lambda: names(page) == ["Outer", ".Inner", "Other"])
    row(page, "Other").drag_to(row(page, "Inner"))
    until(page, lambda: names(page) == ["Outer", ".Inner", "..Other"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method != "GET" else None)
    row(page, "Outer").drag_to(row(page, "Other"))
    wait_until_at_rest(page)
    assert asked == []
    assert names(page) == ["Outer", ".Inner", "..Other"]


def test_a_smart_collection_is_edited_refused_in_a_circle_and_frozen(page: Page, served: Served) -> None:
    made(served, "Red", query="model:dreamer_v1")
    row(page, "Red").focus()
    page.keyboard.press("F2")
    editing = page.get_by_role("dialog", name="Edit “Red”")
    editing.get_by_role("textbox", name="Search").fill("fox in:red")
    editing.get_by_role("button", name="Save").click()
    expect(editing.get_by_role("alert")).to_contain_text("Red → Red")
    editing.get_by_role("textbox", name="Search").fill("model:night_xl")
    editing.get_by_role("textbox", name="Notes").fill("blue, rather")
    editing.get_by_role("button", name="Save").click()
    expect(editing).to_have_count(0)
    row(page, "Red").click()
    found = served.get("/api/v1/images", q="model:night_xl", limit=0)["total"]
    expect(total(page)).to_have_text(str(found))
    expect(page.get_by_text("smart: model:night_xl · blue, rather")).to_be_visible()
    page.get_by_role("button", name="Edit collection").click()
    editing.get_by_role("button", name="Convert to manual").click()
    expect(row(page, "Red")).to_have_attribute("aria-label", f"Red, {found} images, manual")
    page.keyboard.press("Control+z")
    expect(row(page, "Red")).to_have_attribute("aria-label", f"Red, {found} images, smart")


@pytest.mark.parametrize("query", ["is:favourite", "in:starred"])
def test_what_matches_no_more_goes_and_comes_back_where_it_was(page: Page, served: Served, query: str) -> None:  # 33
    made(served, "Starred", query="is:favourite")
    served.post("/api/v1/edits", {"query": "", "set": {"favorite": True}})
    before = served.get("/api/v1/images", q=query, limit=0)["total"]
    search(page, query)
    page.locator(".chip").wait_for()
    expect(total(page)).to_have_text(str(before))
    scroll_to(page, 600)
    index = seen(page)[len(seen(page)) // 2]
    start_at(page, index)
    here = position(page)
    page.evaluate(WATCH_LEAVING)
    page.keyboard.press("f")
    expect(total(page)).to_have_text(str(before - 1))
    wait_for_focus(page, index)
    assert page.evaluate("window.faded") == [str(index)]
    assert abs(position(page) - here) < 260
    page.keyboard.press("Control+z")
    expect(total(page)).to_have_text(str(before))
    until(page, lambda: focused(page) >= 0)
    assert abs(position(page) - here) < 260
    served.post("/api/v1/edits", {"query": "", "set": {"favorite": False}})
