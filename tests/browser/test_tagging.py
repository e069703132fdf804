"""Tags in the gallery: acceptance checks 31 and 32, the page of tags, and what an image says of its own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.tag import Assertion, TagSource
from mysticanvas.features.tags import assertion_queries, image_tag_queries
from mysticanvas.features.tags import service as tag_service
from tests.browser.acting import opened, search, start_at, tile, until, wait_for_focus
from tests.browser.conftest import write_images
from tests.faults.serving import Served
from tests.rows import add_images

IMAGES = 24
MANY = 100_000


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A few images of their own: these tests change the vocabulary."""
    home = tmp_path_factory.mktemp("tagging")
    write_images(home / "pictures", IMAGES)
    (home / "library").mkdir()
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    server.put("/api/v1/tags/prompt-tags", {"on": False})
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, tagged: Served) -> Iterator[Page]:
    """The gallery without a tag but these: fox, which vixen is an alias of, and implies animal."""
    script = "tag fox : animal kind\nalias vixen -> fox\nimply fox -> animal\ntag snow : weather\ntag forest : place"
    tagged.post("/api/v1/tags:bulk-edit", {"text": script})
    # A circle is refused, and a tag that has just gone may be asked for once more: the console says so.
    with opened(browser, tagged, allowed="status of 40[49]") as page:
        page.wait_for_selector("[role=gridcell]")
        yield page
    for tag in tagged.get("/api/v1/tags/slice", count=500)["tags"]:
        tagged.post("/api/v1/tags:delete", {"tag": tag["name"]})


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Tags of")


def box(page: Page) -> Locator:
    return dialog(page).get_by_role("combobox", name="Add tag")


def on_all(page: Page) -> list[str]:
    chips = dialog(page).get_by_role("list", name="On all").or_(dialog(page).get_by_role("list", name="Tags"))
    names: list[str] = chips.locator(".chip").evaluate_all("(all) => all.map((chip) => chip.dataset.tag)")
    return names


def count(served: Served, query: str) -> int:
    return int(served.get("/api/v1/images", q=query, limit=0)["total"])


def tag(served: Served, query: str, *names: str) -> None:
    served.post("/api/v1/edits", {"query": query, "set": {"tags": {"add": list(names)}}})


def test_two_letters_and_enter_tag_all_that_is_chosen(page: Page, tagged: Served) -> None:  # 31
    start_at(page, 1)
    tile(page, 4).click(modifiers=["Shift"])
    page.keyboard.press("t")
    expect(box(page)).to_be_focused()
    page.keyboard.type("sn")
    expect(dialog(page).get_by_role("option", name="snow")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    until(page, lambda: count(tagged, "tag:snow") == 4)
    until(page, lambda: on_all(page) == ["snow"])
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    page.keyboard.press("Control+z")
    until(page, lambda: count(tagged, "tag:snow") == 0)


def test_an_alias_becomes_its_tag_before_ones_eyes_and_what_it_implies_appears(
    page: Page, tagged: Served
) -> None:  # 31
    start_at(page, 0)
    page.keyboard.press("t")
    page.keyboard.type("vi")
    offer = dialog(page).get_by_role("option").first
    expect(offer).to_contain_text("vixen → fox")
    expect(offer).to_contain_text("implies animal")
    page.keyboard.press("Enter")
    expect(dialog(page).get_by_text("“vixen” is an alias of “fox”.")).to_be_visible()
    until(page, lambda: on_all(page) == ["animal", "fox"])
    expect(dialog(page).locator("[data-tag=animal]")).to_contain_text("implied by fox")
    assert (count(tagged, "tag:fox"), count(tagged, "tag:animal")) == (1, 1)


def test_everything_that_matches_is_tagged_by_one_edit(page: Page, tagged: Served) -> None:  # 31
    page.keyboard.press("Control+a")
    page.keyboard.press("t")
    expect(page.get_by_role("dialog", name=f"Tags of {IMAGES} images (all matching)")).to_be_visible()
    page.keyboard.type("brand new one")
    expect(dialog(page).get_by_role("option", name="New tag “brand new one”")).to_be_visible()
    page.keyboard.press("Enter")
    until(page, lambda: count(tagged, 'tag:"brand new one"') == IMAGES)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    until(page, lambda: not tagged.get("/api/v1/tags/completions", q="brand")["tags"])


def test_what_all_and_what_some_have_is_told_apart_and_given_to_all(page: Page, tagged: Served) -> None:
    newest = [one["uuid"] for one in tagged.get("/api/v1/images", limit=3)["items"]]
    tagged.post("/api/v1/edits", {"uuids": newest, "set": {"tags": {"add": ["snow"]}}})
    tagged.post("/api/v1/edits", {"uuids": newest[:1], "set": {"tags": {"add": ["forest"]}}})
    start_at(page, 0)
    tile(page, 2).click(modifiers=["Shift"])
    page.keyboard.press("t")
    until(page, lambda: on_all(page) == ["snow"])
    some = dialog(page).get_by_role("list", name="On some")
    expect(some.locator("[data-tag=forest]")).to_contain_text("1 of 3")
    some.get_by_role("button", name="Add forest to all").click()
    until(page, lambda: count(tagged, "tag:forest") == 3)
    until(page, lambda: on_all(page) == ["forest", "snow"])


def test_a_tag_goes_by_minus_by_backspace_and_by_its_cross(page: Page, tagged: Served) -> None:
    tag(tagged, "", "snow", "forest", "fox")
    start_at(page, 0)
    tile(page, 2).click(modifiers=["Shift"])
    page.keyboard.press("t")
    until(page, lambda: on_all(page) == ["animal", "forest", "fox", "snow"])
    page.keyboard.type("-sno")
    expect(dialog(page).get_by_role("option", name="Remove snow")).to_be_visible()
    page.keyboard.press("Enter")
    until(page, lambda: count(tagged, "-tag:snow") == 3)
    until(page, lambda: on_all(page) == ["animal", "forest", "fox"])
    page.keyboard.press("Backspace")
    expect(dialog(page).get_by_role("button", name="Remove fox")).to_be_focused()
    page.keyboard.press("Delete")
    until(page, lambda: count(tagged, "-tag:fox") == 3)
    expect(box(page)).to_be_focused()
    until(page, lambda: on_all(page) == ["forest"])
    dialog(page).get_by_role("button", name="Remove forest").click()
    until(page, lambda: count(tagged, "-tag:forest") == 3)
    until(page, lambda: on_all(page) == [])
    expect(box(page)).to_be_focused()
    page.keyboard.press("Control+z")
    until(page, lambda: count(tagged, "-tag:forest") == 0)
    until(page, lambda: on_all(page) == ["forest"])


def test_the_panel_says_who_said_so_and_a_person_has_the_last_word(page: Page, tagged: Served) -> None:
    start_at(page, 0)
    page.keyboard.press("t")
    page.keyboard.type("fox,")
    until(page, lambda: count(tagged, "tag:fox") == 1)
    page.keyboard.press("Escape")
    chips = page.locator("#inspector").get_by_role("list", name="Tags of this image")
    expect(chips.locator("[data-tag=fox]")).to_contain_text("Set by you")
    expect(chips.locator("[data-tag=animal]")).to_contain_text("Implied by another tag")
    chips.get_by_role("button", name="Remove animal").click()
    expect(chips.locator("[data-tag=animal]")).to_have_count(0)
    take_back = page.locator("#inspector").get_by_role("button", name="Add rejected tag animal")
    take_back.click()
    expect(chips.locator("[data-tag=animal]")).to_contain_text("Set by you")
    # In the viewer it is the same.
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="Image 1")
    expect(viewer.locator("[data-tag=fox]")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.type("fore")
    expect(dialog(page).get_by_role("option", name="forest")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(viewer.locator("[data-tag=forest]")).to_be_visible()
    page.keyboard.press("Escape")
    wait_for_focus(page, 0)


def test_an_image_that_loses_the_tag_of_the_search_goes_and_comes_back(page: Page, tagged: Served) -> None:  # 33
    tag(tagged, "", "snow")
    search(page, "tag:snow")
    page.get_by_role("button", name="Remove tag:snow").wait_for()
    expect(page.get_by_test_id("total")).to_have_text(str(IMAGES))
    start_at(page, 3)
    page.locator("#inspector").get_by_role("button", name="Remove snow").click()
    expect(page.get_by_test_id("total")).to_have_text(str(IMAGES - 1))
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("total")).to_have_text(str(IMAGES))


# -- the page of tags ---------------------------------------------------------------------------------


def open_tags(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("button", name="Tags").click()
    page.get_by_role("grid", name="Tags").locator("[data-tag]").first.wait_for()


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("grid", name="Tags").locator(f"[data-tag='{name}']")


def detail(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Tag ")


def test_a_merge_does_what_its_trial_says_and_undo_splits_them_again(page: Page, tagged: Served) -> None:  # 32
    newest = [one["uuid"] for one in tagged.get("/api/v1/images", limit=9)["items"]]
    tagged.post("/api/v1/edits", {"uuids": newest[:6], "set": {"tags": {"add": ["wood"]}}})
    tagged.post("/api/v1/edits", {"uuids": newest[4:], "set": {"tags": {"add": ["forest"]}}})
    open_tags(page)
    row(page, "forest").get_by_role("button", name="Select").click()
    row(page, "wood").get_by_role("button", name="Select").click()
    page.get_by_role("button", name="Merge…").click()
    merging = page.get_by_role("dialog", name="Merge 2 tags")
    merging.get_by_role("radio", name="forest").check()
    expect(merging.get_by_test_id("touched")).to_have_text("6 images")
    merging.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".toast").last).to_contain_text("“wood” merged into “forest”: 6 images changed")
    expect(row(page, "wood")).to_have_count(0)
    expect(row(page, "forest")).to_contain_text("9")
    assert (count(tagged, "tag:forest"), count(tagged, "tag:wood")) == (9, 0)
    page.keyboard.press("Control+z")
    expect(row(page, "wood")).to_contain_text("6")
    expect(row(page, "forest")).to_contain_text("5")
    assert (count(tagged, "tag:forest"), count(tagged, "tag:wood")) == (5, 6)


def test_relations_are_said_both_ways_and_a_circle_shows_its_path(page: Page, tagged: Served) -> None:
    open_tags(page)
    row(page, "fox").click()
    expect(detail(page).get_by_role("list", name="Aliases")).to_contain_text("vixen")
    expect(detail(page).get_by_role("list", name="Implies", exact=True)).to_contain_text("animal")
    detail(page).get_by_role("list", name="Implies", exact=True).get_by_role(
        "button", name="animal", exact=True
    ).click()
    expect(detail(page).get_by_role("list", name="Implied by")).to_contain_text("fox")
    add = detail(page).get_by_role("combobox", name="Add implied tag")
    add.click()
    page.keyboard.type("vixe")
    expect(detail(page).get_by_role("option", name="vixen")).to_be_visible()
    page.keyboard.press("Enter")
    expect(detail(page).get_by_role("alert")).to_contain_text("cycle")
    expect(detail(page).get_by_role("alert")).to_contain_text("→")
    detail(page).get_by_role("list", name="Implied by").get_by_role("button", name="Remove fox").click()
    expect(detail(page).get_by_role("list", name="Implied by")).to_have_count(0)
    assert tagged.get("/api/v1/tags/by-name", name="fox")["implies"] == []


def test_an_alias_across_categories_is_added_after_a_confirmation(page: Page, tagged: Served) -> None:
    open_tags(page)
    row(page, "fox").click()
    detail(page).get_by_role("combobox", name="Add alias").click()
    page.keyboard.type("snow")
    expect(detail(page).get_by_role("option", name="snow")).to_be_visible()
    page.keyboard.press("Enter")
    expect(detail(page).get_by_role("alert")).to_contain_text("weather")
    refused = tagged.http.post("/api/v1/tags:alias", json={"tag": "snow", "of": "fox"})
    assert (refused.status_code, refused.json()["confirm"]) == (409, "across")
    detail(page).get_by_role("button", name="Add anyway").click()
    expect(detail(page).get_by_role("list", name="Aliases")).to_contain_text("snow")
    expect(detail(page).get_by_role("button", name="Add anyway")).to_have_count(0)
    expect(detail(page).get_by_role("alert")).to_have_count(0)


def test_a_tag_is_renamed_filed_split_and_deleted_each_with_its_undo(page: Page, tagged: Served) -> None:
    tag(tagged, "", "red fox")
    before = tagged.http.get("/api/v1/tags/export").text
    open_tags(page)
    row(page, "red fox").click()
    name = detail(page).get_by_role("textbox", name="Name")
    name.fill("crimson fox")
    name.press("Enter")
    expect(row(page, "crimson fox")).to_be_visible()
    category = detail(page).get_by_role("combobox", name="Category")
    category.fill("animal kind")
    category.press("Enter")
    expect(row(page, "crimson fox")).to_contain_text("animal kind")
    detail(page).get_by_role("button", name="Split…").click()
    page.keyboard.type("fox,crimson,")
    splitting = page.get_by_role("dialog", name="Split")
    expect(splitting.get_by_text(f"{IMAGES} images")).to_be_visible()
    splitting.get_by_role("button", name="Split", exact=True).click()
    until(page, lambda: count(tagged, "tag:crimson tag:fox") == IMAGES)
    row(page, "crimson").click()
    detail(page).get_by_role("button", name="Delete").click()
    until(page, lambda: count(tagged, "tag:crimson") == 0)
    for _ in range(4):
        page.keyboard.press("Control+z")
    until(page, lambda: tagged.http.get("/api/v1/tags/export").text == before)
    assert count(tagged, 'tag:"red fox"') == IMAGES


def test_a_script_is_tried_before_it_is_run(page: Page, tagged: Served) -> None:
    tag(tagged, "", "snow")
    open_tags(page)
    page.get_by_role("button", name="Bulk edit").click()
    script = page.get_by_role("dialog", name="Bulk edit")
    expect(script.get_by_role("button", name="Apply")).to_be_disabled()
    page.keyboard.type("imply animal -> fox")
    script.get_by_role("button", name="Preview").click()
    expect(script.get_by_role("row").last).to_contain_text("cycle")
    expect(script.get_by_role("button", name="Apply")).to_be_disabled()
    script.get_by_role("textbox").fill("rename snow -> powder\nimply powder -> winter")
    expect(script.get_by_role("button", name="Apply")).to_be_disabled()
    script.get_by_role("button", name="Preview").click()
    script.get_by_role("button", name="Apply").click()
    until(page, lambda: count(tagged, "tag:winter") == IMAGES)
    page.keyboard.press("Control+z")
    until(page, lambda: count(tagged, "tag:snow") == IMAGES and count(tagged, "tag:winter") == 0)


def test_a_vocabulary_goes_out_and_comes_in_as_text(page: Page, tagged: Served) -> None:
    open_tags(page)
    with page.expect_download() as loaded:
        page.get_by_role("button", name="Export all tags").click()
    text = loaded.value.path().read_text("utf-8")
    assert text == tagged.http.get("/api/v1/tags/export").text
    assert "alias vixen -> fox" in text
    added = {"name": "tags.txt", "mimeType": "text/plain", "buffer": (text + "tag bear : animal kind\n").encode()}
    page.locator("input[type=file]").set_input_files(added)  # type: ignore[arg-type]
    script = page.get_by_role("dialog", name="Import tags")
    script.get_by_role("button", name="Preview").click()
    script.get_by_role("button", name="Apply").click()
    expect(row(page, "bear")).to_be_visible()


def _add_many(tx: WriteTx) -> None:
    sql = "INSERT INTO tags (name, normalized_name, category, created_at) VALUES (:name, :name, :category, 0)"
    tx.run_many(sql, [{"name": f"t{n:05}", "category": ("odd", None)[n % 2]} for n in range(MANY)])


def test_a_hundred_thousand_tags_make_a_few_nodes(browser: Browser, tmp_path: Path) -> None:
    with Database.open(tmp_path / "library") as database:
        database.write_bulk(_add_many)
        add_images(database, 3)
    server = Served(tmp_path / "library", []).wait_until_up()
    try:
        # Its images are rows alone, without files or thumbnails.
        with opened(browser, server, allowed="404") as page:
            page.wait_for_selector("[role=gridcell]")
            open_tags(page)
            expect(page.get_by_text(f"{MANY:,} tags")).to_be_visible()
            page.locator("[data-row]").first.click()
            page.keyboard.press("End")
            expect(page.locator("[data-row]:focus")).to_have_attribute("data-tag", f"t{MANY - 1:05}")
            page.keyboard.press("PageUp")
            page.keyboard.press("ArrowUp")
            expect(page.locator("[data-row]:focus")).to_have_attribute("data-tag", re.compile(r"t999\d\d"))
            assert page.locator("[data-row]").count() < 60
            assert int(page.evaluate("document.querySelectorAll('*').length")) < 900
            page.get_by_role("searchbox", name="Search tags").fill("t4711")
            expect(page.get_by_text("10 tags", exact=True)).to_be_visible()
            expect(page.locator("[data-row='9']")).to_contain_text("t47119")
    finally:
        server.stop()


def _say(tx: WriteTx) -> None:
    """A tagger says snow and winter, which are tags, and two words that are none yet."""
    images = tx.column("SELECT id FROM live_generations")
    for name in ("snow", "winter"):
        tag_service.find_or_add(tx, name, now_ms=0)
    for name, confidence in (("snow", 0.9), ("winter", 0.8), ("foxes", 0.7), ("burrow", 0.6)):
        tag = tag_service.find_or_suggest(tx, name, TagSource.VISION, now_ms=0)
        assert tag is not None
        said = Assertion(TagSource.VISION, confidence=confidence, run="wd-v3")
        assertion_queries.record(tx, [(image, tag, said) for image in images], now_ms=0)
    tag_service.find_or_add(tx, "fox", now_ms=0)
    image_tag_queries.derive_images(tx, images)


def test_what_a_tagger_says_waits_for_a_persons_word(browser: Browser, tmp_path: Path) -> None:
    with Database.open(tmp_path / "library") as database:
        add_images(database, 2)
        database.write(_say)
    server = Served(tmp_path / "library", []).wait_until_up()
    try:
        with opened(browser, server, allowed="404") as page:
            page.wait_for_selector("[role=gridcell]")
            start_at(page, 0)
            chips = page.locator("#inspector").get_by_role("list", name="Tags of this image")
            expect(chips.locator("[data-tag=snow]")).to_contain_text("0.90")
            expect(chips.locator("[data-tag=snow]")).to_contain_text("Set by wd-v3 (90%)")
            chips.get_by_role("button", name="Accept snow").click()
            expect(chips.locator("[data-tag=snow]")).to_contain_text("by you")
            chips.get_by_role("button", name="Reject winter").click()
            expect(chips.locator("[data-tag=winter]")).to_have_count(0)
            assert (count(server, "tag:snow"), count(server, "tag:winter")) == (2, 1)
            page.keyboard.press("Control+z")
            expect(chips.locator("[data-tag=winter]")).to_contain_text("0.80")
            unsure = page.locator("#inspector").get_by_role("list", name="Suggested tags")
            expect(unsure.locator("[data-tag=burrow]")).to_be_visible()

            open_tags(page)
            page.get_by_role("button", name="Suggested tags 2").click()
            page.locator("[data-proposal=foxes]").get_by_role("button", name="Alias of fox", exact=True).click()
            expect(page.locator("[data-proposal=foxes]")).to_have_count(0)
            until(page, lambda: count(server, "tag:fox") == 2)
            page.get_by_role("button", name="Accept burrow").click()
            until(page, lambda: count(server, "tag:burrow") == 2)
            expect(page.get_by_role("heading", name="No suggested tags")).to_be_visible()
            page.keyboard.press("Control+z")
            until(page, lambda: count(server, "tag:burrow") == 0)
            page.get_by_role("button", name="Reject burrow").click()
            expect(page.get_by_role("heading", name="No suggested tags")).to_be_visible()
    finally:
        server.stop()
