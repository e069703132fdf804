"""Search by meaning (acceptance check 24), duplicates, the settings of auto-tagging, and jobs."""

import os
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.jobs import queue as job_queue
from tests.browser.acting import opened, search, start_at, tile, total, until, wait_until_at_rest
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served
from tests.integration.test_autotagging import Stub, running, status
from tests.integration.test_likeness import encoded, scene
from tests.integration.test_similarity import PROMPTS, write

MADE_S = 1_785_000_000
SCENES = 3
REASON = "The worker ended while it read this file."


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Six prompts, the android's the oldest; of three scenes two files each; one job that is set aside."""
    home = tmp_path_factory.mktemp("meaning")
    pictures = home / "pictures"
    write(pictures, PROMPTS)
    for seed in range(SCENES):
        (pictures / f"scene-{seed}.png").write_bytes(encoded(scene(seed)))
        (pictures / f"scene-{seed}-small.jpg").write_bytes(encoded(scene(seed).resize((120, 120)), "JPEG", quality=60))
    for number, path in enumerate(sorted(pictures.iterdir())):
        os.utime(path, (MADE_S + number * 100_000,) * 2)
    (home / "library").mkdir()
    with Database.open(home / "library") as database:
        database.write(_park_a_job)
    server = Served(home / "library", [pictures]).wait_until_up()
    server.wait_until_idle(len(PROMPTS) + 2 * SCENES)
    yield server
    server.stop()


def _park_a_job(tx: WriteTx) -> None:
    """As a file does that crashes the worker twice."""
    job_queue.enqueue(tx, job_queue.NewJob("thumb", {"generation": 1}, "gone"), now_ms=0)
    for days in range(job_queue.MAX_CRASHES):
        [claimed] = job_queue.claim(tx, owner_id="earlier", limit=1, now_ms=days * 86_400_000)
        job_queue.fail(tx, claimed, error=f"{REASON}\nsignal 11", crashed=True, now_ms=0, most_attempts=4)


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    # An endpoint that does not answer is an error of the console, too.
    refused = r"50[0-9]|40[0-9]|422"
    script = AXE.read_text("utf-8")
    with opened(browser, served, scripts=(script,), allowed=refused) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


@pytest.fixture
def stub(served: Served) -> Iterator[Stub]:
    with running() as server:
        yield server
        served.post("/api/v1/autotag:disable", {})


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("button", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()


def query(page: Page) -> str:
    return parse_qs(urlparse(page.url).query).get("q", [""])[0]


def chip(page: Page) -> Locator:
    return page.locator(".chip.similar")


def prompt_of(page: Page, index: int) -> str:
    return str(tile(page, index).get_attribute("aria-label"))


def test_a_search_by_meaning_orders_has_a_chip_and_without_it_dates_order_again(page: Page) -> None:  # 24
    expect(page.get_by_role("combobox", name="Sort order")).to_have_value("newest")
    wait_until_at_rest(page)
    by_date = [prompt_of(page, index) for index in range(3)]
    search(page, '~"sad robot"')
    expect(chip(page)).to_have_text(re.compile(r"similar prompts:\s*sad robot"))
    expect(page.get_by_role("combobox", name="Sort order")).to_have_value("similarity")
    until(page, lambda: PROMPTS[0] in prompt_of(page, 0))
    assert faults(page) == []
    chip(page).get_by_role("button", name="Remove").click()
    expect(chip(page)).to_have_count(0)
    assert query(page) == ""
    expect(page.get_by_role("combobox", name="Sort order")).to_have_value("newest")
    until(page, lambda: [prompt_of(page, index) for index in range(3)] == by_date)


def test_what_is_typed_can_be_meant_and_another_order_keeps_the_meaning(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("sad robot")
    offers = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(offers).to_have_text([re.compile("Semantic search: “sad robot”")])
    page.keyboard.press("ArrowDown")
    expect(offers).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(chip(page)).to_contain_text("sad robot")
    assert query(page) == '~"sad robot"'
    page.get_by_role("combobox", name="Sort order").select_option("oldest")
    until(page, lambda: query(page) == '~"sad robot" sort:oldest')
    page.get_by_role("combobox", name="Sort order").select_option("newest")
    until(page, lambda: query(page) == '~"sad robot" sort:newest')
    page.get_by_role("combobox", name="Sort order").select_option("similarity")
    until(page, lambda: query(page) == '~"sad robot"')
    # With a filter beside it, and meant anew.
    search(page, "berries OR strawberries")
    expect(total(page)).to_have_text("2")
    search(page, '~"aircraft"')
    expect(chip(page)).to_contain_text("aircraft")
    assert query(page) == '~"aircraft" (berries OR strawberries)'
    expect(total(page)).to_have_text("2")


def test_similar_prompts_of_an_image_are_a_key_away(page: Page) -> None:
    search(page, "strawberries")
    expect(total(page)).to_have_text("2")
    start_at(page, 0)
    page.keyboard.press("s")
    expect(chip(page)).to_contain_text(PROMPTS[1])
    assert query(page).startswith("like:")
    until(page, lambda: PROMPTS[1] in prompt_of(page, 0))
    page.go_back()
    expect(total(page)).to_have_text("2")
    start_at(page, 1)
    page.get_by_role("button", name="Similar prompts").click()
    expect(chip(page)).to_contain_text(PROMPTS[1])


def test_one_of_a_group_is_kept_by_the_keyboard_alone_and_undo_brings_all_back(page: Page, served: Served) -> None:
    go(page, "Duplicates")
    group = page.get_by_test_id("group")
    expect(group).to_have_text(f"1 of {SCENES}")
    radios = page.get_by_role("radio")
    expect(radios).to_have_count(2)
    # The larger one is proposed.
    names = page.locator("figure.kept .name")
    expect(names).to_contain_text(".png")
    expect(page.get_by_role("row", name="Size")).to_contain_text("256 × 256")
    expect(page.get_by_role("row", name="File")).to_contain_text("JPEG")
    assert faults(page) == []
    page.keyboard.press("]")
    expect(group).to_have_text(f"2 of {SCENES}")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("[")
    expect(group).to_have_text(f"1 of {SCENES}")
    first = names.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Duplicates merged; 1 image moved to Trash")).to_be_visible()
    expect(group).to_have_text(f"1 of {SCENES - 1}")
    assert served.post("/api/v1/snapshots", {"q": "is:duplicate"})["total"] == 2 * (SCENES - 1)
    expect(names).not_to_have_text(first)
    page.keyboard.press("Control+z")
    expect(group).to_have_text(f"1 of {SCENES}")
    assert served.post("/api/v1/snapshots", {"q": "is:duplicate"})["total"] == 2 * SCENES


def test_where_nothing_is_alike_the_page_says_what_it_looks_for(page: Page) -> None:
    go(page, "Duplicates")
    page.get_by_role("button", name="Same settings and seed").click()
    expect(page.get_by_text("the same prompt, seed, model and settings")).to_be_visible()
    assert parse_qs(urlparse(page.url).query)["by"] == ["recipe"]
    assert faults(page) == []
    page.get_by_role("button", name="Similar").click()
    page.locator("figure").first.wait_for()


def test_a_model_is_tried_before_it_is_kept(page: Page, stub: Stub) -> None:
    go(page, "Settings")
    expect(page.get_by_role("button", name="Test")).to_be_disabled()
    page.get_by_label("Server URL").fill(stub.url)
    page.get_by_label("Model", exact=True).fill("tiny")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("old fisherman", exact=True)).to_be_visible()
    assert faults(page) == []
    stub.reply = status(403)
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("The model server rejected the request (HTTP status 403).")).to_be_visible()
    page.get_by_label("Server URL").fill("http://192.168.1.77:8080")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is another machine")).to_be_visible()
    page.get_by_label("Server URL").fill(stub.url)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Auto-tagging on")).to_be_visible()
    page.get_by_role("textbox", name="Search for the images to tag").fill("strawberries")
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("2 images in 1 request")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="Turn off").click()
    expect(page.get_by_role("heading", name="Auto-tagging off")).to_be_visible()


def test_work_is_paused_cancelled_and_looked_into(page: Page, served: Served, stub: Stub) -> None:
    served.post("/api/v1/jobs:pause", {"kind": "autotag"})
    served.put("/api/v1/autotag/settings", {"base_url": stub.url, "model": "tiny"})
    served.post("/api/v1/autotag/runs", {"query": "has:prompt", "again": True})
    go(page, "Jobs")
    kind = page.get_by_role("region", name="Auto-tagging")
    expect(kind).to_contain_text("of 5")
    expect(kind).to_contain_text("paused")
    assert faults(page) == []
    kind.get_by_role("button", name="Cancel").click()
    expect(kind.get_by_role("button", name="Cancel")).to_have_count(0)
    kind.get_by_role("button", name="Resume").click()
    expect(kind.get_by_role("button", name="Resume")).to_have_count(0)
    assert not stub.asked

    expect(page.get_by_role("heading", name="Failed jobs")).to_be_visible()
    page.get_by_text(REASON).first.click()
    page.get_by_role("button", name="Copy log").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert REASON in copied
    assert "signal 11" in copied
    assert faults(page) == []


def test_a_model_looks_what_looks_alike_is_a_key_away_and_the_safe_view_blurs(page: Page, served: Served) -> None:
    pytest.importorskip("onnxruntime", reason="the extra is not installed: pip install mysticanvas[vision]")
    go(page, "Settings")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Image analysis on")).to_be_visible()
    served.wait_until_idle(len(PROMPTS) + 2 * SCENES)
    expect(page.get_by_text(re.compile(r"EfficientNet: [1-9]\d* analyzed"))).to_be_visible()
    assert faults(page) == []

    page.get_by_role("navigation", name="Pages").get_by_role("button", name="Library").click()
    [scene_0] = [one for one in served.get("/api/v1/images", q="")["items"] if one["path"].endswith("scene-0.png")]
    search(page, f"id:{scene_0['uuid']}")
    expect(total(page)).to_have_text("1")
    start_at(page, 0)
    page.keyboard.press("Shift+S")
    expect(chip(page)).to_contain_text("visually similar:")
    assert query(page).startswith("looks:")
    # Its smaller copy, without a prompt.
    until(page, lambda: "120 by 120" in prompt_of(page, 0))
    expect(page.get_by_role("combobox", name="Sort order")).to_have_value("similarity")
    assert faults(page) == []
    page.get_by_role("button", name="Similar prompts").wait_for(state="detached")
    expect(page.locator("#inspector").get_by_text("NSFW score", exact=True)).to_be_visible()

    served.patch("/api/v1/vision", {"least_explicit": 0})
    pictures = page.locator("[role=gridcell] img")
    before = pictures.count()
    page.keyboard.press("v")
    expect(page.get_by_text("Blur NSFW is on.")).to_be_visible()
    expect(page.locator("[role=gridcell] img.blurred")).to_have_count(before)
    start_at(page, 0)
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_text("NSFW image blurred. Press v to show it.")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("v")
    expect(viewer.get_by_text("NSFW image blurred. Press v to show it.")).to_have_count(0)
    viewer.get_by_role("button", name="Find visually similar images").click()
    until(page, lambda: query(page).startswith("looks:"))
    served.patch("/api/v1/vision", {"least_explicit": 1})
    page.keyboard.press("v")
    expect(page.locator("[role=gridcell] img.blurred")).to_have_count(0)
    # Nothing is ever hidden.
    assert served.post("/api/v1/snapshots", {"q": ""})["total"] == len(PROMPTS) + 2 * SCENES
