"""Accessibility of tags and collections (check 40): axe-core on each page and dialog, in dark and light."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.tag import TagSource
from mysticanvas.features.tags import assertion_queries, image_tag_queries
from mysticanvas.features.tags import service as tag_service
from mysticanvas.features.tags.assertion_queries import Assertion
from tests.browser.acting import opened, search, start_at, tile, wait_until_at_rest
from tests.browser.conftest import write_images
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

IMAGES = 12


def _say(tx: WriteTx) -> None:
    """A tagger is sure of snow and proposes a burrow."""
    images = tx.column("SELECT id FROM live_generations")
    for name in ("snow", "burrow"):
        tag = tag_service.find_or_suggest(tx, name, TagSource.VISION, now_ms=0)
        assert tag is not None
        said = Assertion(TagSource.VISION, confidence=0.8, run="wd-v3")
        assertion_queries.record(tx, [(image, tag, said) for image in images], now_ms=0)
    image_tag_queries.derive_images(tx, images)


@pytest.fixture(scope="module")
def organised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("organised")
    write_images(home / "pictures", IMAGES)
    (home / "library").mkdir()
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    script = "tag fox : animal kind\nalias vixen -> fox\nimply fox -> animal\ntag snow : weather"
    server.post("/api/v1/tags:bulk-edit", {"text": script})
    server.post("/api/v1/edits", {"query": "", "set": {"tags": {"add": ["fox"]}}})
    outer = server.post("/api/v1/collections", {"name": "Best", "notes": "for the wall"})["uuid"]
    server.post("/api/v1/collections", {"name": "Inner", "parent": outer})
    server.post("/api/v1/collections", {"name": "Red", "query": "model:dreamer_v1"})
    server.post("/api/v1/edits", {"query": "fox", "set": {"collect": outer}})
    server.stop()
    with Database.open(home / "library") as database:
        database.write(_say)
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, organised: Served) -> Iterator[Page]:
    with opened(browser, organised, scripts=(AXE.read_text("utf-8"),)) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


def settled(page: Page, role: str, name: str) -> None:
    page.get_by_role(role, name=name).first.wait_for()  # type: ignore[arg-type]
    wait_until_at_rest(page)


def test_tagging_has_no_serious_fault(page: Page) -> None:
    start_at(page, 0)
    page.locator("#inspector .machine").first.wait_for()
    assert faults(page) == []
    tile(page, 3).click(modifiers=["Shift"])
    page.keyboard.press("t")
    page.get_by_role("dialog").locator(".chip").first.wait_for()
    page.keyboard.type("vix")
    page.get_by_role("dialog").get_by_role("option").first.wait_for()
    assert faults(page) == []


def test_the_page_of_tags_has_no_serious_fault(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("button", name="Tags").click()
    page.locator("[data-tag=fox]").first.click()
    settled(page, "list", "Aliases")
    assert faults(page) == []
    page.get_by_role("button", name="Split…").click()
    settled(page, "dialog", "Split")
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.locator("[data-tag=fox] .box").click()
    page.locator("[data-tag=snow] .box").click()
    assert faults(page) == []
    page.get_by_role("button", name="Merge…").click()
    page.get_by_test_id("touched").wait_for()
    assert faults(page) == []
    page.keyboard.press("Escape")


def test_bulk_edits_suggested_and_new_tags_have_no_serious_fault(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("button", name="Tags").click()
    page.get_by_role("button", name="Bulk edit").click()
    page.keyboard.type("rename fox -> reynard\nimply animal -> fox")
    page.get_by_role("button", name="Preview").click()
    settled(page, "table", "")
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New tag").click()
    settled(page, "dialog", "New tag")
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Suggested tags").click()
    settled(page, "list", "Suggested tags")
    assert faults(page) == []


def test_collections_have_no_serious_fault(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("button", name="Collections").click()
    page.get_by_role("treeitem", name="Best").click()
    settled(page, "heading", "Best")
    assert faults(page) == []
    page.get_by_role("treeitem", name="Red").focus()
    page.keyboard.press("F2")
    settled(page, "dialog", "Edit")
    assert faults(page) == []
    page.keyboard.press("Escape")
    start_at(page, 0)
    page.keyboard.press("b")
    settled(page, "option", "Best")
    page.keyboard.type("new one")
    assert faults(page) == []
    page.keyboard.press("Escape")
    search(page, "rating:0 -tag:snow")
    page.get_by_role("button", name="Save as smart collection").click()
    settled(page, "dialog", "Save this search")
    assert faults(page) == []


def test_every_control_of_them_is_large_enough_to_hit(page: Page) -> None:
    small = """[...document.querySelectorAll('button, input, select, [role=treeitem]')].map((control) => {
            const at = control.getBoundingClientRect();
            return [control.ariaLabel || control.innerText, Math.round(at.width), Math.round(at.height)];
        }).filter(([, width, height]) => width > 0 && (width < 24 || height < 24))"""
    page.get_by_role("navigation").get_by_role("button", name="Collections").click()
    page.get_by_role("treeitem", name="Best").hover()
    page.locator("#inspector .chip").first.wait_for()
    assert page.evaluate(small) == []
    start_at(page, 0)
    page.keyboard.press("t")
    page.get_by_role("dialog").locator(".chip").first.wait_for()
    assert page.evaluate(small) == []
    page.keyboard.press("Escape")
    page.get_by_role("navigation").get_by_role("button", name="Tags").click()
    page.locator("[data-tag=fox]").first.click()
    settled(page, "list", "Aliases")
    assert page.evaluate(small) == []
