"""The page of models: five hundred of them, what each made, scanning, merging."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.acting import opened, until, wait_until_at_rest
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served
from tests.model_files import CHECKPOINT_SD1, LORA_SDXL, VAE, safetensors, write_model
from tests.pictures import png

IMAGES = 6
LORAS = 500
MADE_S = 1_785_000_000
LORA_TEXTS = {"modelspec.title": "The very grain", "modelspec.trigger_phrase": "analog film"}
PARAMETERS = """a lighthouse, number {seed}, <lora:film_grain:{weight}>
Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: {seed}, Size: 64x64, Model: dreamer v1, Version: v1.10.1"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Six images of one checkpoint and one LoRA, at weights of 0.2 to 0.7; their files are not known yet."""
    home = tmp_path_factory.mktemp("models")
    (home / "pictures").mkdir()
    (home / "library").mkdir()
    for seed in range(IMAGES):
        path = home / "pictures" / f"{seed}.png"
        text = PARAMETERS.format(seed=seed, weight=round(0.2 + seed / 10, 1))
        path.write_bytes(png(color=seed * 0x202020, texts={"parameters": text}))
        os.utime(path, (MADE_S + seed, MADE_S + seed))
    write_models(home / "models")
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    server.post("/api/v1/models:scan", {"paths": [str(home / "models")]})
    server.wait_until_idle(IMAGES)
    (home / "models" / "vae" / "gone.safetensors").unlink()
    server.post("/api/v1/models:scan", {"paths": []})
    yield server
    server.stop()


def write_models(folder: Path) -> None:
    write_model(folder / "checkpoints" / "dreamer v1.safetensors", safetensors(CHECKPOINT_SD1))
    write_model(folder / "vae" / "gone.safetensors", safetensors(VAE))
    grain = write_model(folder / "loras" / "film_grain.safetensors", safetensors(LORA_SDXL, LORA_TEXTS))
    grain.with_suffix(".preview.png").write_bytes(png(color=0x805020))
    for number in range(1, LORAS):
        write_model(folder / "loras" / f"style {number}.safetensors", safetensors({"lora_unet.alpha": (number,)}))


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    script = AXE.read_text("utf-8")
    with opened(browser, served, scripts=(script,)) as page:
        page.wait_for_selector("[role=gridcell]")
        page.get_by_role("navigation").get_by_role("button", name="Models").click()
        row(page, "dreamer v1").wait_for()
        yield page


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("list").get_by_role("button", name=name)


def kind(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Model types").get_by_role("button", name=name)


def detail(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Selected model")


def query(page: Page) -> str:
    return parse_qs(urlparse(page.url).query).get("q", [""])[0]


def test_kinds_are_counted_and_a_row_says_what_is_known(page: Page) -> None:
    expect(kind(page, "Checkpoints")).to_have_text("Checkpoints 1")
    expect(kind(page, "LoRAs")).to_have_text(f"LoRAs {LORAS}")
    expect(row(page, "dreamer v1")).to_contain_text(f"{IMAGES} images")
    expect(row(page, "dreamer v1")).to_contain_text(f"{IMAGES} by name")
    kind(page, "VAEs").click()
    expect(row(page, "gone")).to_contain_text("file missing")
    expect(detail(page)).to_contain_text("File missing")
    kind(page, "LoRAs").click()
    grain = row(page, "The very grain")
    expect(grain).to_contain_text("SDXL")
    until(page, lambda: grain.locator("img").evaluate("(picture) => picture.naturalWidth") > 1)


def listed(page: Page, name: str, count: int) -> dict[str, int]:
    """What it takes the page to list models of a kind: layouts, and requests."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")

    def layouts() -> int:
        found = devtools.send("Performance.getMetrics")["metrics"]
        return int(next(one["value"] for one in found if one["name"] == "LayoutCount"))

    before = layouts()
    kind(page, name).click()
    expect(page.locator("[data-model]")).to_have_count(count)
    wait_until_at_rest(page)
    return {"layouts": layouts() - before, "requests": len(asked)}


def test_five_hundred_loras_take_no_more_layouts_and_requests_than_one_vae(page: Page) -> None:
    wait_until_at_rest(page)
    one = listed(page, "VAEs", 1)
    many = listed(page, "LoRAs", LORAS)
    print(f"to list 1: {one}; {LORAS}: {many}")
    # The pictures of rows are asked for as they come into view.
    assert many["requests"] <= one["requests"] + 20
    assert many["layouts"] <= one["layouts"] + 20


def test_searching_and_sorting_are_of_the_kind_and_stay_in_the_address(page: Page) -> None:
    kind(page, "LoRAs").click()
    names = page.locator("[data-model] b")
    expect(names.first).to_have_text("The very grain")
    page.get_by_label("Sort").select_option("Name")
    expect(names.nth(1)).to_have_text("style 1")
    expect(names.nth(2)).to_have_text("style 2")
    page.get_by_label("Search models").fill("analog")
    expect(page.locator("[data-model]")).to_have_count(1)
    page.reload()
    expect(page.locator("[data-model]")).to_have_count(1)
    expect(names.first).to_have_text("The very grain")
    page.get_by_label("Search models").fill("zeppelin")
    expect(page.locator("[data-model]")).to_have_count(0)
    assert faults(page) == []
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("[data-model]")).to_have_count(LORAS)


def test_hashes_words_and_paths_are_copied(page: Page, served: Served) -> None:
    kind(page, "LoRAs").click()
    [model] = served.get("/api/v1/models", name="film_grain", kind="lora")["models"]
    known = served.get(f"/api/v1/models/{model['id']}")
    sha256 = next(one["value"] for one in known["hashes"] if one["kind"] == "sha256")
    copies = {
        "Copy sha256": sha256,
        "Copy trigger word analog film": "analog film",
        "Copy File path": known["files"][0]["path"],
    }
    for name, text in copies.items():
        detail(page).get_by_role("button", name=name).click()
        until(page, lambda text=text: page.evaluate("navigator.clipboard.readText()") == text)


def test_everything_made_with_a_checkpoint_is_the_library_with_its_query(page: Page) -> None:
    detail(page).get_by_role("button", name="Show all images").click()
    expect(page.get_by_test_id("total")).to_have_text(str(IMAGES))
    assert query(page) == 'model:"dreamer v1"'
    page.go_back()
    expect(page.get_by_role("heading", name="Models")).to_be_visible()


def test_a_lora_is_asked_for_by_weight(page: Page) -> None:
    kind(page, "LoRAs").click()
    expect(detail(page).get_by_test_id("made")).to_have_text("6 images")
    detail(page).get_by_label("Minimum weight").fill("0.5")
    expect(detail(page).get_by_test_id("made")).to_have_text("3 images")
    expect(detail(page).get_by_role("button", name="Open image")).to_have_count(3)
    detail(page).get_by_role("button", name="Show all images").click()
    until(page, lambda: query(page) == 'lora:"film_grain">=0.5')
    expect(page.get_by_test_id("total")).to_have_text("3")


def test_an_image_opens_and_escape_leads_back(page: Page) -> None:
    detail(page).get_by_role("button", name="Open image").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(f"1 / {IMAGES}")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Models")).to_be_visible()


def test_two_are_merged_and_parted_by_the_keyboard_alone(page: Page, served: Served) -> None:
    def loras() -> int:
        return len(served.get("/api/v1/models", kind="lora")["models"])

    kind(page, "LoRAs").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.dataset.model === undefined"):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[data-model][aria-pressed=true]")
    expect(chosen).to_be_focused()
    expect(chosen).to_contain_text("style 1")
    detail(page).get_by_role("button", name="Merge with another model").press("Enter")
    expect(page.get_by_label("Find a model to merge with")).to_be_focused()
    page.keyboard.type("style 2")
    assert faults(page) == []
    page.get_by_role("dialog").get_by_role("button", name="style 2 0 images").press("Enter")
    assert faults(page) == []
    page.get_by_role("radio", name="style 1 ").check()
    page.get_by_role("dialog").get_by_role("button", name="Merge").press("Enter")
    until(page, lambda: loras() == LORAS - 1)
    expect(detail(page)).to_contain_text("style 2 (merged by you)")
    expect(kind(page, "LoRAs")).to_have_text(f"LoRAs {LORAS - 1}")
    page.keyboard.press("Control+z")
    until(page, lambda: loras() == LORAS)
    expect(kind(page, "LoRAs")).to_have_text(f"LoRAs {LORAS}")


def test_the_page_has_no_serious_fault(page: Page) -> None:
    assert faults(page) == []
    kind(page, "LoRAs").click()
    detail(page).get_by_text("analog film").wait_for()
    assert faults(page) == []
    page.get_by_role("button", name="Add model folder").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Scan .* again$")).wait_for()
    assert faults(page) == []


def test_an_empty_registry_says_what_to_do_and_takes_a_folder(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    write_model(tmp_path / "models" / "loras" / "first.safetensors", safetensors(LORA_SDXL))
    server = Served(tmp_path / "library", []).wait_until_up()
    try:
        script = AXE.read_text("utf-8")
        with opened(browser, server, scripts=(script,), allowed="status of 422") as page:
            page.get_by_text("Add a folder of images").wait_for()
            page.get_by_role("navigation").get_by_role("button", name="Models").click()
            page.get_by_role("heading", name="No models yet").wait_for()
            assert faults(page) == []
            page.get_by_label("Model folder").fill(str(tmp_path / "nowhere"))
            page.get_by_role("button", name="Add folder").click()
            expect(page.get_by_role("alert")).to_contain_text("does not exist")
            page.get_by_label("Model folder").fill(str(tmp_path / "models"))
            page.keyboard.press("Enter")
            expect(row(page, "first")).to_contain_text("0 images")
            expect(page.locator(".toast")).to_contain_text("1 model found, 1 new.")
    finally:
        server.stop()
