"""Lineage: acceptance check 38, by the keyboard alone; and the person's word about it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.acting import opened, until, wait_for_focus
from tests.browser.test_access import AXE, faults
from tests.faults.serving import Served
from tests.pictures import png

MADE_S = 1_785_000_000
# Name to (what it was made from, how); another is of no kin.
FAMILY = {
    "source": (None, None),
    "sister": ("source", "img2img"),
    "big": ("source", "upscale"),
    "grandchild": ("big", "img2img"),
    "stranger": (None, None),
}


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def graph(seed: int, source: str | None, how: str | None) -> dict[str, Any]:
    """As ComfyUI writes it."""
    loaded = node("LoadImage", image=f"{source}.png")
    if how == "upscale":
        return {
            "1": loaded,
            "2": node("UpscaleModelLoader", model_name="4x.pth"),
            "3": node("ImageUpscaleWithModel", upscale_model=["2", 0], image=["1", 0]),
            "4": node("SaveImage", images=["3", 0]),
        }
    sampler = {"seed": seed, "steps": 20, "cfg": 7, "sampler_name": "euler", "scheduler": "normal", "denoise": 0.5}
    wires = {"model": ["4", 0], "positive": ["6", 0], "negative": ["6", 0], "latent_image": ["5", 0]}
    whole = {
        "3": node("KSampler", **sampler, **wires),
        "4": node("CheckpointLoaderSimple", ckpt_name="dreamer.safetensors"),
        "5": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "6": node("CLIPTextEncode", text=f"a lighthouse, number {seed}", clip=["4", 1]),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", images=["8", 0]),
    }
    if source is not None:
        whole |= {"5": node("VAEEncode", pixels=["11", 0], vae=["4", 2]), "11": loaded}
    return whole


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("lineage")
    (home / "pictures").mkdir()
    (home / "library").mkdir()
    for number, (name, (source, how)) in enumerate(FAMILY.items()):
        path = home / "pictures" / f"{name}.png"
        texts = {"prompt": json.dumps(graph(number, source, how))}
        path.write_bytes(png(color=0x304050 + number * 0x202020, texts=texts))
        os.utime(path, (MADE_S + number * 60, MADE_S + number * 60))
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(len(FAMILY))
    yield server
    server.stop()


@pytest.fixture
def images(served: Served) -> dict[str, str]:
    """Name to uuid."""
    return {Path(hit["path"]).stem: hit["uuid"] for hit in served.get("/api/v1/images", q="")["items"]}


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),)) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page


def go_to(page: Page, served: Served, uuid: str) -> None:
    page.goto(f"{str(served.http.base_url).rstrip('/')}/lineage?of={uuid}")
    wait_for(page, uuid)


def wait_for(page: Page, uuid: str) -> None:
    """The keyboard is on this image."""
    expect(page.locator(f"[data-uuid='{uuid}']:focus")).to_have_count(1)


def edges(served: Served, uuid: str) -> set[tuple[str, str, str, bool]]:
    found = served.get(f"/api/v1/images/{uuid}/lineage")["edges"]
    return {(edge["parent"], edge["child"], edge["relation"], edge["sure"]) for edge in found}


def test_an_upscale_shows_its_source_and_siblings_and_keys_walk(page: Page, images: dict[str, str]) -> None:  # 38
    # The newest is the stranger, then the grandchild, then the upscale.
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    wait_for_focus(page, 2)
    page.keyboard.press("l")
    wait_for(page, images["big"])
    drawn = page.locator("[data-uuid]").evaluate_all("(all) => all.map((one) => one.dataset.uuid)")
    assert set(drawn) == {images[name] for name in ("source", "sister", "big", "grandchild")}
    left = {
        name: (page.locator(f"[data-uuid='{images[name]}']").bounding_box() or {})["x"]
        for name in FAMILY
        if images[name] in drawn
    }
    assert left["source"] < left["sister"] == left["big"] < left["grandchild"]
    expect(page.locator(f"[data-uuid='{images['big']}']")).to_contain_text("upscale")

    page.keyboard.press("ArrowLeft")
    wait_for(page, images["source"])
    page.keyboard.press("ArrowRight")
    go_up_or_down = {images["sister"]: images["big"], images["big"]: images["sister"]}
    until(page, lambda: page.evaluate("document.activeElement.dataset.uuid") in go_up_or_down)
    before = page.evaluate("document.activeElement.dataset.uuid")
    upper = page.evaluate("document.activeElement.offsetTop") < page.evaluate(
        "(uuid) => document.querySelector(`[data-uuid='${uuid}']`).offsetTop", go_up_or_down[before]
    )
    page.keyboard.press("ArrowDown" if upper else "ArrowUp")
    wait_for(page, go_up_or_down[before])

    page.locator(f"[data-uuid='{images['big']}']").focus()
    page.keyboard.press("ArrowRight")
    wait_for(page, images["grandchild"])
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"2 / {len(FAMILY)}")
    expect(dialog.get_by_role("img", name="number 3")).to_be_visible()
    page.keyboard.press("Escape")
    wait_for(page, images["big"])
    page.keyboard.press("Escape")
    wait_for_focus(page, 2)


def test_the_viewer_leads_there_and_back(page: Page, images: dict[str, str]) -> None:
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(f"2 / {len(FAMILY)}")
    page.keyboard.press("l")
    wait_for(page, images["grandchild"])
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_contain_text(f"2 / {len(FAMILY)}")


def test_the_panel_shows_what_came_before_and_after(page: Page, images: dict[str, str]) -> None:
    page.locator("[role=gridcell][data-index='2']").click()
    strip = page.locator("#inspector").get_by_role("region", name="Lineage")
    expect(strip.get_by_role("button", name="Source, upscale, matched by name only")).to_have_count(1)
    expect(strip.get_by_role("button", name="Derived, img2img, matched by name only")).to_have_count(1)
    page.locator("[role=gridcell][data-index='0']").click()
    expect(page.get_by_test_id("prompt")).to_contain_text("number 4")
    expect(strip).to_have_count(0)
    page.locator("[role=gridcell][data-index='2']").click()
    strip.get_by_role("button", name="Source,").click()
    wait_for(page, images["source"])


def test_the_person_separates_joins_and_takes_it_back(page: Page, served: Served, images: dict[str, str]) -> None:
    source, big, stranger = images["source"], images["big"], images["stranger"]
    by_name = (source, big, "upscale", False)
    go_to(page, served, big)
    panel = page.get_by_role("complementary", name="Selected image")
    panel.get_by_role("button", name="Remove source").click()
    until(page, lambda: by_name not in edges(served, big))
    expect(page.locator(f"[data-uuid='{source}']")).to_have_count(0)
    page.keyboard.press("Control+z")
    until(page, lambda: by_name in edges(served, big))
    expect(page.locator(f"[data-uuid='{source}']")).to_have_count(1)

    panel.get_by_label("Relation").select_option("variation")
    until(page, lambda: (source, big, "variation", True) in edges(served, big))
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    until(page, lambda: by_name in edges(served, big))

    panel.get_by_role("button", name="Change source").click()
    expect(page.get_by_label("Search for the source image")).to_be_focused()
    page.keyboard.type("4")
    offered = page.get_by_role("dialog").get_by_role("button", name="number 4")
    expect(offered).to_have_count(1)
    assert faults(page) == []
    offered.press("Enter")
    until(page, lambda: (stranger, big, "upscale", True) in edges(served, big))
    expect(page.locator(f"[data-uuid='{stranger}']")).to_have_count(1)
    page.keyboard.press("Control+z")
    until(page, lambda: by_name in edges(served, big))


def test_the_page_has_no_serious_fault(page: Page, served: Served, images: dict[str, str]) -> None:
    for name in ("big", "stranger"):
        go_to(page, served, images[name])
        assert (name, faults(page)) == (name, [])
    assert page.locator("[data-uuid][tabindex='0']").count() == 1
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_without_an_image_it_says_how_to_get_there(browser: Browser, served: Served) -> None:
    with opened(browser, served, scripts=(AXE.read_text("utf-8"),)) as page:
        page.wait_for_selector("[role=gridcell]")
        page.goto(f"{str(served.http.base_url).rstrip('/')}/lineage")
        page.get_by_role("heading", name="No image selected").wait_for()
        assert faults(page) == []


def test_the_key_is_in_the_table(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").locator("dt", has_text=re.compile("^l$")).locator("+ dd")).to_contain_text(
        "Lineage"
    )
