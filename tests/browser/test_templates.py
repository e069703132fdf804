"""The page of prompt templates: writing, trying out, copying, wildcards, styles in and out, an image's recipe."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from tests.browser.acting import opened, start_at, until
from tests.browser.conftest import write_images
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served

IMAGES = 6
STYLES = 'name,prompt,negative_prompt\r\nInk,"ink, drawing of {prompt}",photo\r\nFilm,film still,\r\n'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    write_images(tmp_path / "pictures", IMAGES)
    (tmp_path / "library").mkdir()
    server = Served(tmp_path / "library", [tmp_path / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),)) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


def show(page: Page) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("button", name="Templates").click()
    page.get_by_role("heading", name="Templates", exact=True).wait_for()


def field(page: Page, name: str) -> Locator:
    return page.get_by_role("form", name="Template").get_by_label(name, exact=True)


def expanded(page: Page) -> list[str]:
    return page.get_by_test_id("expanded").all_text_contents()


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Templates").get_by_role("button", name=name)


def kept(served: Served) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in served.get("/api/v1/templates")["templates"]}


def test_a_template_is_written_tried_out_and_kept_by_the_keyboard(page: Page, served: Served) -> None:
    show(page)
    expect(page.get_by_role("heading", name="No templates yet")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("main").get_by_role("button", name="New template").press("Enter")
    expect(field(page, "Name")).to_be_focused()
    page.keyboard.type("Foxes")
    page.keyboard.press("Tab")
    page.keyboard.type("animals")
    field(page, "Prompt").focus()
    page.keyboard.insert_text("a {red|white} fox in {place}, __mood__")
    expect(page.get_by_text("Wildcard __mood__ does not exist.")).to_be_visible()
    page.get_by_label("place", exact=True).fill("snow")
    until(page, lambda: len(expanded(page)) == 3 and all("snow" in text for text in expanded(page)))
    assert set(expanded(page)) <= {f"a {colour} fox in snow, __mood__" for colour in ("red", "white")}
    assert served.get("/api/v1/templates")["templates"] == []
    assert faults(page) == []
    field(page, "Prompt").focus()
    page.keyboard.press("Control+Enter")
    expect(row(page, "Foxes")).to_contain_text("animals")
    assert kept(served)["Foxes"]["content"] == "a {red|white} fox in {place}, __mood__"
    expect(page.get_by_label("place", exact=True)).to_have_value("snow")
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Templates", exact=True).click()
    page.keyboard.press("Control+z")
    expect(page.get_by_role("heading", name="No templates yet")).to_be_visible()


def test_a_copy_is_in_the_form_that_is_chosen_and_counts_as_a_use(page: Page, served: Served) -> None:
    asked = {"name": "One", "content": "a {red|blue} fox", "params": {"steps": 20, "sampler": "Euler a"}}
    served.post("/api/v1/templates", asked)
    show(page)
    row(page, "One").click()
    until(page, lambda: len(expanded(page)) == 3)
    second = expanded(page)[1]
    page.get_by_label("Copy as").select_option("A1111, Forge")
    page.get_by_role("button", name="Copy prompt").nth(1).click()
    until(page, lambda: "Steps: 20" in page.evaluate("navigator.clipboard.readText()"))
    assert page.evaluate("navigator.clipboard.readText()").startswith(second)
    expect(row(page, "One")).to_contain_text("used once")
    page.get_by_label("Copy as").select_option("Prompt only")
    page.get_by_role("button", name="Copy prompt").nth(1).click()
    until(page, lambda: page.evaluate("navigator.clipboard.readText()") == second)
    expect(page.get_by_text("Used 2 times", exact=True)).to_be_visible()
    page.get_by_role("spinbutton", name="Seed").fill("77")
    first = served.post("/api/v1/templates:try", asked | {"seed": 77, "count": 3, "form": "prompt"})["expanded"]
    until(page, lambda: expanded(page) == first)


def test_a_changed_template_is_saved_undone_and_not_left_by_a_slip(page: Page, served: Served) -> None:
    for name in ("One", "Two"):
        served.post("/api/v1/templates", {"name": name, "content": f"text {name}"})
    show(page)
    row(page, "One").click()
    field(page, "Prompt").fill("another text")
    row(page, "Two").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Leave without saving?")
    assert faults(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(field(page, "Prompt")).to_have_value("another text")
    page.get_by_text("Settings").click()
    field(page, "Steps").fill("31")
    page.get_by_role("button", name="Save").click()
    until(page, lambda: kept(served)["One"]["content"] == "another text")
    assert kept(served)["One"]["params"] == {"steps": 31}
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(field(page, "Prompt")).to_have_value("text One")
    page.get_by_role("button", name="Delete").click()
    expect(row(page, "One")).to_have_count(0)
    expect(field(page, "Name")).to_have_value("Two")
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(row(page, "One")).to_be_visible()


def test_styles_come_in_from_a_file_and_go_out_again(page: Page, served: Served) -> None:
    show(page)
    styles: FilePayload = {"name": "styles.csv", "mimeType": "text/csv", "buffer": STYLES.encode()}
    page.locator("input[type=file]").set_input_files(styles)
    expect(page.locator(".toast")).to_contain_text("2 styles imported.")
    row(page, "Ink").click()
    expect(field(page, "Negative prompt")).to_have_value("photo")
    page.get_by_label("Search templates").fill("still")
    expect(row(page, "Ink")).to_have_count(0)
    expect(row(page, "Film")).to_be_visible()
    page.get_by_label("Search templates").fill("")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert sorted(download.value.path().read_text("utf-8").split()) == sorted(STYLES.split())
    page.keyboard.press("Control+z")
    expect(row(page, "Ink")).to_have_count(0)


def test_wildcards_are_kept_and_templates_choose_from_them(page: Page, served: Served) -> None:
    served.post("/api/v1/templates", {"name": "One", "content": "a __colour__ fox"})
    show(page)
    page.get_by_role("button", name="Create it").click()
    choices = page.get_by_label("Choices, one per line")
    expect(choices).to_be_focused()
    page.keyboard.insert_text("# warm\nred\norange")
    assert faults(page) == []
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("navigation", name="Wildcards").get_by_role("button", name="__colour__")).to_contain_text(
        "2 choices"
    )
    page.get_by_role("group", name="View").get_by_role("button", name="Prompts").click()
    until(page, lambda: bool(expanded(page)) and set(expanded(page)) <= {"a red fox", "a orange fox"})
    page.get_by_role("group", name="View").get_by_role("button", name="Wildcards").click()
    page.get_by_role("navigation", name="Wildcards").get_by_role("button", name="__colour__").click()
    page.get_by_role("button", name="Delete").click()
    until(page, lambda: served.get("/api/v1/templates")["wildcards"] == [])
    page.keyboard.press("Control+z")
    until(page, lambda: len(served.get("/api/v1/templates")["wildcards"]) == 1)


def test_an_images_recipe_is_kept_with_its_picture(page: Page, served: Served) -> None:
    start_at(page, 2)
    page.get_by_role("button", name="Save as template").click()
    name = page.get_by_role("dialog").get_by_label("Name")
    expect(name).to_have_value("a red fox in snow")
    assert faults(page) == []
    name.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Template “a red fox in snow” saved.")
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Image 3").get_by_role("button", name="Save as template").first.click()
    page.get_by_role("dialog", name="Save as template").get_by_label("Name").fill("From the viewer")
    page.keyboard.press("Enter")
    until(page, lambda: set(kept(served)) == {"a red fox in snow", "From the viewer"})
    page.keyboard.press("Escape")
    show(page)
    row(page, "From the viewer").click()
    until(page, lambda: row(page, "From the viewer").locator("img").evaluate("(one) => one.naturalWidth") > 1)
    expect(field(page, "Sampler")).to_have_value("Euler a")
    expect(field(page, "Prompt")).to_have_value("a red fox in snow, number 2")
    assert faults(page) == []
