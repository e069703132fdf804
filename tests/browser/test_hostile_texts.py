"""Texts that a person or a file can set, all of them markup that would run: it is shown as text (X2)."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route

from tests.browser.acting import (
    COUNT_WAITS,
    LIMIT_S,
    REPORT_VIOLATIONS,
    search_box,
    sign_in,
    start_at,
    until,
    wait_until_at_rest,
)
from tests.faults.serving import Served
from tests.model_files import LORA_SDXL, safetensors, write_model
from tests.pictures import png

IMAGES = 5
# Everything with a name of a rule of its own (no comma, no quote, no slash), and everything else.
NAME = "<img src=x onerror=alert(1)>{key}"
TEXT = "\"'><svg onload=alert(1)><script>alert(1)</script>${{alert(1)}}<a href=javascript:alert(1)>{key}</a>"

# What is looked for in the pages: key → whether it is a name. Each is a place that takes text.
PLACES = {
    "prompt": False, "negative": False, "note": False, "model": True, "lora": True, "sampler": True, "setting": False,
    "file": True, "folder": True, "badfile": True, "tag": True, "alias": True, "category": True,
    "collection": False, "about": False, "smart": False, "template": False, "content": True, "unlike": True,
    "kind": False, "wildcard": True, "modelfile": True, "modeltitle": False, "endpoint": True, "modelid": False,
    "query": True, "typed": True,
}  # fmt: skip


def hostile(key: str) -> str:
    return (NAME if PLACES[key] else TEXT).format(key=f"k{key}k")


PARAMETERS = """{prompt}, number {seed}
Negative prompt: {negative}
Steps: 20, Sampler: {sampler}, CFG scale: 7, Seed: {seed}, Size: 64x64, Model: {model}, Odd: {setting}, \
Version: v1.10.1"""


def comfyui_graph() -> dict[str, dict[str, Any]]:
    """A LoRA's name may hold here what it may not in a prompt."""
    lora = {"lora_name": hostile("lora"), "strength_model": 0.8, "model": ["1", 0], "clip": ["1", 1]}
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": hostile("model")}},
        "2": {"class_type": "LoraLoader", "inputs": lora},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": hostile("prompt"), "clip": ["2", 1]}},
        "4": {"class_type": "CLIPTextEncode", "inputs": {"text": hostile("negative"), "clip": ["2", 1]}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "6": {"class_type": "KSampler", "inputs": {
            "model": ["2", 0], "positive": ["3", 0], "negative": ["4", 0], "latent_image": ["5", 0], "seed": 77,
            "steps": 20, "cfg": 7, "sampler_name": "euler", "scheduler": "normal", "denoise": 1}},
        "7": {"class_type": "VAEDecode", "inputs": {"samples": ["6", 0], "vae": ["1", 2]}},
        "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "x"}},
    }  # fmt: skip


def write_files(home: Path) -> None:
    folder = home / "pictures" / hostile("folder")
    folder.mkdir(parents=True)
    for seed in range(IMAGES):
        said = {key: hostile(key) for key in ("prompt", "negative", "sampler", "model", "setting")}
        text = PARAMETERS.format(seed=seed, **said)
        name = f"{hostile('file')}{seed}.png"
        (folder / name).write_bytes(png(color=seed * 0x303030, texts={"parameters": text}))
    graph = png(color=0x808080, texts={"prompt": json.dumps(comfyui_graph())})
    (folder / "graph.png").write_bytes(graph)
    # The head of an image is there, its pixels are not: the worker's complaint names the file.
    broken = png(color=0x112233, width=200, height=200)
    (folder / f"{hostile('badfile')}.png").write_bytes(broken[:60] + bytes(40) + broken[100:])
    title = {"modelspec.title": hostile("modeltitle"), "modelspec.trigger_phrase": hostile("modeltitle")}
    name = f"{hostile('modelfile')}.safetensors"
    write_model(home / "models" / "loras" / name, safetensors(LORA_SDXL, title))


def say_everything(server: Served, home: Path) -> None:
    uuid = server.get("/api/v1/images", q="", limit=1)["items"][0]["uuid"]
    everything = {"query": ""}
    tag, alias = hostile("tag"), hostile("alias")
    server.post("/api/v1/tags:create", {"name": tag, "category": hostile("category")})
    server.post("/api/v1/tags:alias", {"tag": tag, "of": alias, "across": True})
    server.post("/api/v1/edits", everything | {"set": {"tags": {"add": [tag]}}})
    server.post("/api/v1/edits", everything | {"set": {"notes": hostile("note")}})
    made = server.post("/api/v1/collections", {"name": hostile("collection"), "notes": hostile("about")})["uuid"]
    server.post("/api/v1/collections", {"name": hostile("smart"), "query": f'"{hostile("query")}"'})
    server.post("/api/v1/edits", everything | {"set": {"collect": made}})
    template = {"name": hostile("template"), "content": hostile("content"), "negative": hostile("unlike")}
    server.post("/api/v1/templates", template | {"category": hostile("kind"), "params": {"sampler": hostile("kind")}})
    server.put("/api/v1/wildcards", {"name": "choices", "content": hostile("wildcard")})
    server.post("/api/v1/models:scan", {"paths": [str(home / "models")]})
    endpoint = {"base_url": f"http://127.0.0.1:9/{hostile('endpoint')}", "model": hostile("modelid")}
    server.put("/api/v1/autotag/settings", endpoint)
    # Nobody answers there: the failure is a job's error.
    server.post("/api/v1/autotag/runs", {"uuids": [uuid]})
    trashed = server.get("/api/v1/images", q="", limit=9)["items"][-1]["uuid"]
    server.post("/api/v1/edits", {"uuids": [trashed], "set": {"trash": True}})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("hostile")
    write_files(home)
    (home / "library").mkdir()
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES + 1)
    say_everything(server, home)
    yield server
    server.stop()


@dataclass(slots=True)
class Watched:
    """A page, what it was caught at, and every text that it has shown."""

    page: Page
    dialogs: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    elements: int = 0
    texts: str = ""
    views: int = 0

    def look(self) -> None:
        """Takes down what there is to see, and whether any of it became an element."""
        wait_until_at_rest(self.page)
        self.texts += "\n" + str(self.page.evaluate(SHOWN))
        self.elements += int(self.page.evaluate(PLANTED))
        self.views += 1

    def missing(self) -> list[str]:
        """Places whose text was never seen as it is."""
        flat = " ".join(self.texts.split())
        return [key for key in PLACES if hostile(key) not in flat]


SHOWN = """() => [document.body.innerText, document.title,
    ...[...document.querySelectorAll('input, textarea, select')].map((control) => control.value),
    ...[...document.querySelectorAll('[title], [aria-label], [alt], [placeholder]')].flatMap((element) =>
        ['title', 'aria-label', 'alt', 'placeholder'].map((name) => element.getAttribute(name) ?? '')),
    ...[...document.querySelectorAll('body *')].filter((element) => element.childElementCount === 0)
        .map((element) => element.textContent),
].join('\\n')"""
PLANTED = """() => document.querySelectorAll(
    'img[src="x"], svg[onload], a[href^="javascript:"], body script:not([src]), [onerror]').length"""


@pytest.fixture
def watched(browser: Browser, served: Served) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1500, "height": 1000})
    context.set_default_timeout(LIMIT_S * 1000)
    context.add_init_script(REPORT_VIOLATIONS)
    context.add_init_script(COUNT_WAITS)
    page = context.new_page()
    seen = Watched(page)

    def dismiss(dialog: Dialog) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("console", lambda said: seen.violations.append(said.text) if said.text.startswith("CSP: ") else None)
    page.goto(sign_in(served))
    page.wait_for_selector("[role=gridcell]")
    yield seen
    context.close()


def over_the_images(seen: Watched) -> None:
    """What lies over the grid or beside it, by its keys."""
    page = seen.page
    start_at(page, 1)
    page.locator("#inspector").get_by_text("kpromptk").first.wait_for()
    page.evaluate("() => document.querySelectorAll('#inspector details').forEach((one) => (one.open = true))")
    seen.look()
    page.keyboard.press("\\")
    seen.look()
    start_at(page, 1)
    for key in ("t", "b", "n", "g", "?", "Shift+Delete"):
        page.keyboard.press(key)
        page.get_by_role("dialog").or_(page.get_by_role("alertdialog")).first.wait_for()
        seen.look()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").first.wait_for(state="hidden")
    for key, leave in (("Enter", "Escape"), ("l", "Escape"), ("c", "Escape"), ("Shift+C", "Escape")):
        start_at(page, 1)
        page.keyboard.press(key)
        seen.look()
        page.keyboard.press(leave)
        page.wait_for_selector("[role=gridcell]")


def while_searching(seen: Watched) -> None:
    page = seen.page
    for begun in ("tag:<img", "model:<img", "lora:<img", "path:<img", "collection:", hostile("typed")):
        search_box(page).fill(begun)
        seen.look()
    page.keyboard.press("Enter")
    seen.look()


def rail(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("button", name=name, exact=True).click()


def through_the_pages(seen: Watched) -> None:
    """Every page, then on each what opens from it."""
    page = seen.page
    entries = page.get_by_role("navigation", name="Pages").get_by_role("button").all()
    names = [name for entry in entries if (name := entry.get_attribute("aria-label"))]
    assert len(names) >= 13
    opened = {"Tags": "ktagk", "Templates": "ktemplatek", "Collections": "kcollectionk"}
    for name in names:
        rail(page, name)
        seen.look()
        if name in opened:
            page.get_by_text(opened[name]).first.click()
            seen.look()
        if name == "Templates":
            page.get_by_role("group", name="View").get_by_role("button", name="Wildcards").click()
            page.get_by_role("navigation", name="Wildcards").get_by_role("button", name="__choices__").click()
            seen.look()
        if name == "Tags":
            for opener in ("Bulk edit", "New tag"):
                page.get_by_role("button", name=opener).click()
                page.get_by_role("dialog").wait_for()
                seen.look()
                page.keyboard.press("Escape")
            page.get_by_role("button", name="Suggested tags").click()
            seen.look()
        if name == "Duplicates":
            for way in page.locator(".ways button").all():
                way.click()
                seen.look()
        if name == "Models":
            for kind in page.get_by_role("group", name="Model types").get_by_role("button").all():
                kind.click()
                seen.look()
        if name == "Collections":
            page.get_by_role("treeitem").first.focus()
            page.keyboard.press("F2")
            page.get_by_role("dialog").wait_for()
            seen.look()
            page.keyboard.press("Escape")


def by_address(seen: Watched, served: Served) -> None:
    """Addresses that somebody else wrote."""
    base = str(served.http.base_url).rstrip("/")
    for query in (hostile("query"), f"prompt:{hostile('query')}", f'"{hostile("query")}"', f"nothing:{TEXT}"):
        seen.page.goto(f"{base}/library?q={quote(query)}")
        seen.look()
    for path in (quote(hostile("query")), "lineage?of=" + quote(TEXT), "#t=" + quote(TEXT)):
        seen.page.goto(f"{base}/{path}")
        seen.look()


def test_every_text_is_shown_as_text_on_every_page(watched: Watched, served: Served) -> None:
    began = time.monotonic()
    over_the_images(watched)
    while_searching(watched)
    through_the_pages(watched)
    by_address(watched, served)
    print(
        f"{len(PLACES)} texts in {watched.views} views, {time.monotonic() - began:.0f} s: "
        f"{len(watched.dialogs)} dialogs, {len(watched.violations)} violations, {watched.elements} elements"
    )
    assert watched.dialogs == []
    assert watched.violations == []
    assert watched.elements == 0
    assert watched.missing() == []


def test_a_page_that_writes_markup_is_caught(watched: Watched, served: Served) -> None:
    """Three planted bugs: the rules stop two of them, and a page without rules shows what they are for."""
    page = watched.page
    assert page.evaluate("(markup) => { try { document.body.innerHTML = markup } catch { return 'stopped' } }", TEXT)
    watched.look()
    until(page, lambda: len(watched.violations) == 1)
    page.evaluate("""() => { const link = document.createElement('a');
        link.href = 'javascript:alert(1)'; document.body.append(link); link.click(); }""")
    watched.look()
    until(page, lambda: len(watched.violations) == 2)
    assert (watched.dialogs, watched.elements) == ([], 1)

    def unsafe(route: Route) -> None:
        route.fulfill(body=f"<!doctype html><body>{NAME.format(key='unsafe')}", content_type="text/html")

    page.route("**/unsafe", unsafe)
    page.goto(f"{str(served.http.base_url).rstrip('/')}/unsafe")
    until(page, lambda: watched.dialogs == ["1"])
