"""The gallery in the machine's own Chromium, on a real Orchestrator with some hundred images."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.acting import LIMIT_S, opened
from tests.faults.serving import Served
from tests.pictures import a1111_png

IMAGES = 600
MODELS = ("dreamer_v1", "night_xl")
STATIC = Path(__file__).parents[2] / "src" / "mysticanvas" / "http" / "static" / "index.html"


def chromium() -> str | None:
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None or not STATIC.exists():
        if os.environ.get("CI"):
            pytest.fail("CI needs Chromium and the built gallery")
        pytest.skip("no Chromium on this machine, or the gallery is not built")
    expect.set_options(timeout=LIMIT_S * 1000)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        launched = playwright.chromium.launch(executable_path=path, args=arguments)
        yield launched
        launched.close()


def write_images(folder: Path, count: int, *, first: int = 0) -> None:
    """Ten images a day, every tenth day back from July 2026."""
    folder.mkdir(exist_ok=True)
    for seed in range(first, first + count):
        width, height = ((64, 96), (96, 64), (64, 64))[seed % 3]
        path = folder / f"{seed:05}.png"
        path.write_bytes(a1111_png(seed, width=width, height=height, model=MODELS[seed % 2]))
        moment_s = 1_785_000_000 - seed // 10 * 10 * 86_400 - seed % 10 * 60
        os.utime(path, (moment_s, moment_s))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A library of `IMAGES` images over twenty months; its thumbnails are made."""
    home = tmp_path_factory.mktemp("browser")
    write_images(home / "pictures", IMAGES)
    (home / "library").mkdir()
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """The gallery, signed in and loaded; no error may reach its console."""
    with opened(browser, served) as page:
        page.wait_for_selector("[role=gridcell]")
        yield page
