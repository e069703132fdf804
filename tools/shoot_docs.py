"""Takes the screenshots in docs/images of a demo library: `.venv/bin/python -m tools.shoot_docs [NAME …]`.

Build the gallery first (`build_web.py`). Look at each picture before you commit it. The library is made anew in a
temporary folder; `--keep FOLDER` uses a folder that stays, so that a second run does not paint the demo again.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyvips
from playwright.sync_api import Browser, Page, Route, sync_playwright
from tests.browser.acting import opened, search, shown, start_at, tile, total, until, wait_until_at_rest
from tests.browser.conftest import chromium
from tests.faults.serving import Served

from mysticanvas.demo.make import make_demo

IMAGES_FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
COUNT = 240
GENERATORS = ("ComfyUI/output", "forge", "invokeai", "mysticanvas", "stable-diffusion-webui")
LOADED = "() => [...document.images].every((one) => one.complete && one.naturalWidth > 0)"
TAGS = """tag sea : scenery
tag landscape : scenery
tag lighthouse : subject
tag space : place
tag storm : weather
tag weather : weather
tag soft light : look
tag muted tones : look
tag film grain : look
tag masterpiece : quality
tag best quality : quality
alias ocean -> sea
alias seascape -> sea
alias seaside -> sea
alias tempest -> storm
imply sea -> landscape
imply lighthouse -> sea
imply storm -> weather"""
STYLES = 'name,prompt,negative_prompt\r\nInk,"ink drawing of {prompt}",photo\r\nPaper cut,"{prompt}, paper cut",\r\n'
TEMPLATES = (
    ("Isometric room", "places", "isometric {room}, __light__", "city"),
    ("Night market", "places", "a night market in {city}, {rain|fog|clear sky}, __light__", "synthwave"),
    ("Portrait, window light", "portraits", "portrait of {person} by a window, __light__", "petals"),
    ("Quiet coast", "landscapes", "{subject} on a quiet coast, __light__, {film grain|watercolor|ink wash}", "sea"),
)

Shot = Callable[[Page], None]


def seed(served: Served) -> None:
    """What somebody has done with the library after a few weeks."""
    served.patch("/api/v1/vision", {"is_on": True})
    served.put("/api/v1/tags/prompt-tags", {"on": True})
    served.post("/api/v1/tags:bulk-edit", {"text": TAGS})
    served.wait_until_idle(COUNT)
    for query, name in (
        ("sea", "sea"),
        ("storm", "storm"),
        ("lighthouse", "lighthouse"),
        ("nebula OR galaxy", "space"),
    ):
        bulk(served, query, tags={"add": [name]})
    for query, stars in (("moon", 4), ("lotus OR mandala", 4), ("lighthouse", 5), ("city", 3), ("bokeh", 2)):
        bulk(served, query, rating=stars)
    bulk(served, "galaxy", favorite=True)
    bulk(served, "moon size:portrait", notes="Print in 60 × 90 cm.")
    best = collect(served, "Best of 2026", "date:2026 lighthouse OR galaxy")
    wall = collect(served, "For the wall", "moon OR aurora", parent=best, notes="60 × 90 cm, matt paper")
    collect(served, "Postcards", "petals OR city", parent=best)
    collect(served, "To try again", "dunes OR mountain")
    for name, query in (("Space", "tag:space"), ("Landscapes", "tag:landscape")):
        served.post("/api/v1/collections", {"name": name, "query": query})
    bulk(served, "geometric", collect=wall)
    served.put("/api/v1/wildcards", {"name": "light", "content": "blue hour\ngolden hour\nsoft morning light"})
    served.post("/api/v1/templates/styles", {"text": STYLES})
    for name, category, content, preview in TEMPLATES:
        params = {"steps": 28, "sampler": "DPM++ 2M", "cfg_scale": 5.5, "width": 832, "height": 1216}
        picture = images(served, preview)[0]
        asked = {"name": name, "category": category, "content": content, "negative": "lowres, text", "params": params}
        served.post("/api/v1/templates", asked | {"preview": picture})
    served.wait_until_idle(COUNT)


def bulk(served: Served, query: str, **change: Any) -> None:
    served.post("/api/v1/edits", {"query": query, "set": change})


def collect(served: Served, name: str, query: str, **more: str) -> str:
    uuid = str(served.post("/api/v1/collections", {"name": name, **more})["uuid"])
    bulk(served, query, collect=uuid)
    return uuid


def images(served: Served, query: str) -> list[str]:
    return [str(one["uuid"]) for one in served.get("/api/v1/images", q=query, limit=20)["items"]]


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("button", name=name, exact=True).click()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def at(index: int, *keys: str) -> Shot:
    """Focuses an image and presses keys."""

    def shot(page: Page) -> None:
        start_at(page, index)
        press(page, *keys)

    return shot


def show(name: str) -> Shot:
    return lambda page: go(page, name)


def find(query: str, *, then: Shot | None = None) -> Shot:
    def shot(page: Page) -> None:
        before = total(page).inner_text()
        search(page, query)
        until(page, lambda: total(page).inner_text() != before)
        wait_until_at_rest(page)
        start_at(page, 0)
        if then:
            then(page)

    return shot


def complete_model(page: Page) -> None:
    press(page, "/")
    page.keyboard.type("model:")
    page.get_by_role("listbox").get_by_role("option").first.wait_for()


def tag_three(page: Page) -> None:
    press(page, "x", "ArrowRight", "x", "ArrowRight", "x", "t")
    page.get_by_role("combobox", name="Add tag").wait_for()
    page.keyboard.type("temp")
    page.get_by_role("dialog").get_by_role("option").first.wait_for()


def open_tag(page: Page) -> None:
    go(page, "Tags")
    page.get_by_text("sea", exact=True).first.click()


def open_collection(page: Page) -> None:
    go(page, "Collections")
    page.get_by_role("treeitem", name="For the wall").click()
    wait_until_at_rest(page)
    start_at(page, 5)


def open_lineage(page: Page) -> None:
    find("has:parent", then=at(1, "l"))(page)
    page.get_by_role("complementary", name="Selected image").wait_for()


def open_template(page: Page) -> None:
    go(page, "Templates")
    page.get_by_role("navigation", name="Templates").get_by_role("button", name="Quiet coast").click()
    page.get_by_label("subject", exact=True).fill("a lighthouse keeper")


def cull(page: Page) -> None:
    at(0, "C")(page)
    page.get_by_role("button", name="Finish").wait_for()
    press(page, "ArrowRight", "k", "x", "k", "ArrowRight")


def select_three(page: Page) -> None:
    go(page, "Trash")
    tile(page, 2).wait_for()
    start_at(page, 2)
    press(page, "x", "ArrowRight", "x", "ArrowRight", "x")


def open_below_folders(name: str) -> Shot:
    def shot(page: Page) -> None:
        go(page, "Folders")
        page.get_by_text(name, exact=True).first.click()
        page.get_by_role("heading", name=name, exact=True).wait_for()

    return shot


def working(page: Page) -> None:
    go(page, "Jobs")
    page.get_by_role("heading", name="Jobs", exact=True).wait_for()
    page.get_by_role("button", name="Retry").first.wait_for()


# In this order: the library changes between the groups.
AS_IT_IS: dict[str, tuple[int, int, Shot]] = {
    "gallery": (1440, 900, at(0)),
    "viewer": (1400, 900, at(4, "Enter")),
    "inspector": (1400, 900, at(4)),
    "search": (1280, 800, find("sea OR forest rating:0", then=complete_model)),
    "facets": (1280, 800, find("light sort:size", then=lambda page: press(page, "\\"))),
    "meaning": (1280, 800, find('~"a storm at sea in the evening"')),
    "looks": (1440, 900, at(0, "S", "i")),
    "stats": (1440, 900, show("Statistics")),
    "tagging": (1440, 900, find("tag:sea", then=tag_three)),
    "tags": (1440, 900, open_tag),
    "collections": (1440, 900, open_collection),
    "models": (1280, 760, show("Models")),
    "lineage": (1280, 760, open_lineage),
    "settings": (1440, 900, show("Settings")),
    "templates": (1400, 900, open_template),
    "cull": (1400, 900, cull),
    "compare": (1400, 900, find("lotus OR mandala", then=at(0, "c"))),
}
AFTER_CHANGES: dict[str, tuple[int, int, Shot]] = {
    "trash": (1400, 900, select_three),
    "history": (1400, 900, show("History")),
    "duplicates": (1280, 800, show("Duplicates")),
    "folders": (1400, 900, show("Folders")),
    "events": (1400, 900, open_below_folders("Events")),
    "backups": (1400, 900, open_below_folders("Backups")),
}
AT_WORK: dict[str, tuple[int, int, Shot]] = {"jobs": (1280, 800, working)}


def change(served: Served, home: Path) -> None:
    """Images in the Trash, copies of an image, missing files and a backup."""
    bulk(served, "bokeh OR dunes OR facets", trash=True)
    folder = home / GENERATORS[0]
    files = sorted(path for path in folder.iterdir() if path.suffix == ".png")
    picture = pyvips.Image.new_from_file(str(files[-2]))
    picture.write_to_file(str(folder / "copy.webp"))
    picture.resize(0.7).write_to_file(str(folder / "small.jpg"))
    served.post("/api/v1/backups", {})
    served.post("/api/v1/backups:drill", {})
    for path in files[:4]:
        path.unlink()
    for one in served.get("/api/v1/folders")["folders"]:
        served.post(f"/api/v1/folders/{one['id']}:scan", {})
        served.wait_until_idle(0)


def give_work(served: Served, home: Path) -> None:
    """Images to import, three of them damaged, and a paused queue."""
    folder = home / "more"
    for number in range(3):
        folder.mkdir(exist_ok=True)
        (folder / f"damaged{number}.png").write_bytes(next(home.rglob("*.png")).read_bytes()[: 3_000 + number])
    for path in list(home.rglob("*.png")):
        if path.parent != folder:
            (folder / f"{path.stem}.png").write_bytes(path.read_bytes() + b"another")
    served.post("/api/v1/jobs:pause", {"kind": "autotag"})
    served.put("/api/v1/autotag/settings", {"base_url": "http://127.0.0.1:8080", "model": "qwen2.5-7b-instruct"})
    served.post("/api/v1/autotag/runs", {"query": ""})
    served.post("/api/v1/imports", {"paths": [str(folder)]})


def hide_paths(page: Page, home: Path) -> None:
    """A reader sees /home/you, not the folder of this run."""

    def answer(route: Route) -> None:
        reply = route.fetch()
        route.fulfill(response=reply, body=reply.body().replace(str(home).encode(), b"/home/you"))

    for api in ("roots*", "log*", "log/**", "backups*", "duplicates*"):
        page.route(f"**/api/{api}", answer)


GROUPS: tuple[tuple[Callable[[Served, Path], None] | None, dict[str, tuple[int, int, Shot]]], ...] = (
    (None, AS_IT_IS),
    (change, AFTER_CHANGES),
    (give_work, AT_WORK),
)


def shoot(browser: Browser, served: Served, home: Path, name: str, width: int, height: int, act: Shot) -> None:
    with opened(browser, served, width=width, height=height, allowed="status of 4") as page:
        hide_paths(page, home)
        page.wait_for_selector("[role=gridcell]")
        act(page)
        page.mouse.move(0, 0)
        if name != "jobs":
            wait_until_at_rest(page)
            has_tiles = page.locator("#grid").is_visible()
            until(page, lambda: page.evaluate(LOADED) and (not has_tiles or shown(page)))
            wait_until_at_rest(page)
        part = page.get_by_role("complementary", name="Inspector") if name == "inspector" else page
        picture = pyvips.Image.new_from_buffer(part.screenshot(), "")
        picture.pngsave(str(IMAGES_FOLDER / f"{name}.png"), palette=True, compression=9, effort=10, keep="none")
        print(name, picture.width, picture.height, flush=True)


def run(folder: Path, names: list[str]) -> None:
    home = folder / "home" / "you"
    is_new = not (home / "library").exists()
    make_demo(home, COUNT)
    (library := home / "library").mkdir(exist_ok=True)
    served = Served(library, [home / one for one in GENERATORS]).wait_until_up()
    try:
        served.wait_until_idle(COUNT if is_new else 0)
        if is_new:
            seed(served)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            for prepare, shots in GROUPS:
                wanted = [name for name in shots if not names or name in names]
                if wanted and prepare:
                    prepare(served, home)
                for name in wanted:
                    shoot(browser, served, home, name, *shots[name])
            browser.close()
    finally:
        served.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    if asked.keep:
        run(asked.keep, asked.names)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(Path(folder), asked.names)


if __name__ == "__main__":
    main()
