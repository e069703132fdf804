"""The scripts of docs/scripts with a real gallery: those in Python, for the shell and for HTTP give the same result."""

import csv
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.faults.serving import Served
from tests.pictures import png
from tests.synthetic import fill

from mysticanvas import Library
from mysticanvas.cli.client import Client
from mysticanvas.db.database import Database

SCRIPTS = Path(__file__).parents[2] / "docs" / "scripts"
IMAGES = 300
LORA = "film_grain"
ROWS = 10_000
# Without a POSIX shell, as on Windows, its scripts are of no use.
WAYS = ("python", "http", *(["cli"] if shutil.which("sh") else []))
COLUMNS = ("uuid", "path", "rating", "prompt", "negative_prompt", "model", "loras", "sampler", "seed", "steps",
           "cfg_scale", "tags")  # fmt: skip
# Against hanging.
LIMIT_S = 300.0


def write_image(folder: Path, number: int) -> Path:
    lora = f" <lora:{LORA}:0.{number % 7 + 1}>" if number % 3 == 0 else ""
    text = (
        f'a fox, "number" {number}; 夜景{lora}\nNegative prompt: blur, {number}\nSteps: {20 + number % 5}, '
        f"Sampler: Euler a, CFG scale: 7.5, Seed: {number}, Size: 64x64, Model: dream_{number % 2}, Version: v1.10.1"
    )
    path = folder / f"day {number % 4}" / f"{number:05}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(color=number * 2654435761 & 0xFFFFFF, texts={"parameters": text}))
    return path


@dataclass(frozen=True)
class Scripts:
    """A gallery, and the environment in which scripts find it."""

    served: Served
    pictures: Path
    environment: dict[str, str]

    def command(self, way: str, name: str, *arguments: object) -> list[str]:
        start = (
            ["sh", str(SCRIPTS / way / f"{name}.sh")]
            if way == "cli"
            else [sys.executable, str(SCRIPTS / way / f"{name}.py")]
        )
        return [*start, *map(str, arguments)]

    def run(self, way: str, name: str, *arguments: object) -> None:
        done = subprocess.run(
            self.command(way, name, *arguments), env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def images(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.served.get("/api/v1/images/details", limit=1_000)["items"]
        return found


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripts]:
    home = tmp_path_factory.mktemp("scripts")
    (home / "library").mkdir()
    for number in range(IMAGES):
        write_image(home / "pictures", number)
    # The commands are those of this environment, also for a hook.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"MYSTICANVAS_LIBRARY": str(home / "library"), "PATH": path, "PYTHONUTF8": "1"}
    served = Served(home / "library", [home / "pictures"], env=environment).wait_until_up()
    served.wait_until_idle(IMAGES)
    scripts = Scripts(served, home / "pictures", environment)
    low = [image["uuid"] for image in scripts.images() if int(image["seed"]) < 10]
    served.post("/api/v1/edits", {"uuids": low, "set": {"tags": {"add": ["keeper", "low number"]}}})
    served.post("/api/v1/edits", {"uuids": low, "set": {"rating": 4}})
    yield scripts
    served.stop()


@contextmanager
def undone(scripts: Scripts) -> Iterator[None]:
    """Undoes the edits that are made meanwhile."""
    before = {one["operation"] for one in scripts.served.get("/api/v1/edits")["operations"]}
    yield
    for one in scripts.served.get("/api/v1/edits")["operations"]:
        if one["operation"] not in before:
            scripts.served.post(f"/api/v1/edits/{one['operation']}/undo", {})


def expected_row(image: dict[str, Any]) -> dict[str, str]:
    loras = [one["name"] if one["weight"] is None else f"{one['name']}:{one['weight']:g}" for one in image["loras"]]
    row = image | {"loras": "; ".join(loras), "tags": "; ".join(image["tags"])}
    return {name: str(row[name]) for name in COLUMNS}


@pytest.mark.parametrize("way", WAYS)
def test_an_export_has_every_image_with_its_parameters_and_tags(scripts: Scripts, way: str, tmp_path: Path) -> None:
    scripts.run(way, "export_csv", tmp_path / "all.csv")
    scripts.run(way, "export_csv", tmp_path / "some.csv", "lora:film_grain", "tag:keeper")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["uuid"]: {name: row[name] for name in COLUMNS} for row in csv.DictReader(file)}
    expected = {image["uuid"]: expected_row(image) for image in scripts.images()}
    assert len(expected) >= IMAGES
    assert rows == expected
    keepers = [row for row in rows.values() if "keeper" in row["tags"].split("; ")]
    assert {(row["seed"], row["rating"]) for row in keepers} == {(str(seed), "4") for seed in range(10)}
    with (tmp_path / "some.csv").open(encoding="utf-8", newline="") as file:
        assert {row["seed"] for row in csv.DictReader(file)} == {"0", "3", "6", "9"}


@pytest.mark.parametrize("way", WAYS)
def test_images_are_tagged_with_the_name_of_their_folder(scripts: Scripts, way: str) -> None:
    before = {image["uuid"]: set(image["tags"]) for image in scripts.images()}
    with undone(scripts):
        scripts.run(way, "tag_by_folder")
        for image in scripts.images():
            assert set(image["tags"]) == before[image["uuid"]] | {Path(image["path"]).parent.name}
    assert {image["uuid"]: set(image["tags"]) for image in scripts.images()} == before


@pytest.mark.parametrize("way", WAYS)
def test_all_images_made_with_a_lora_are_copied(scripts: Scripts, way: str, tmp_path: Path) -> None:
    scripts.run(way, "copy_lora", LORA, tmp_path / "copies")
    made = [Path(image["path"]) for image in scripts.images() if int(image["seed"]) % 3 == 0]
    assert len(made) >= IMAGES // 3
    assert contents(tmp_path / "copies") == {path.name: digest(path) for path in made}


@pytest.mark.parametrize("way", WAYS)
def test_a_backup_is_copied_and_the_newest_seven_are_kept(scripts: Scripts, way: str, tmp_path: Path) -> None:
    for number in range(9):
        old = tmp_path / f"old-{number}.db"
        old.write_bytes(b"")
        os.utime(old, (number, number))
    scripts.run(way, "nightly_backup", tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    [new] = names - {f"old-{number}.db" for number in range(9)}
    assert names == {new, *(f"old-{number}.db" for number in range(3, 9))}
    with closing(sqlite3.connect(f"{(tmp_path / new).as_uri()}?mode=ro", uri=True)) as opened:
        assert opened.execute("SELECT count(*) FROM generations").fetchone()[0] == len(scripts.images())


def test_each_new_image_reaches_the_hook_and_the_scripts_that_follow_the_stream(
    scripts: Scripts, tmp_path: Path
) -> None:
    folders = {way: tmp_path / way for way in WAYS}
    following = [
        subprocess.Popen(scripts.command(way, "react", folders[way]), env=scripts.environment)
        for way in WAYS
        if way != "cli"
    ]
    if "cli" in WAYS:
        added = ["mysticanvas", "hook", "add", "image.added", "--", *scripts.command("cli", "react", folders["cli"])]
        subprocess.run(added, env=scripts.environment, check=True)
    try:
        # Which of them is connected is seen when it has the first image.
        number = IMAGES
        deadline_s = time.monotonic() + LIMIT_S
        while any(not contents(folder) for folder in folders.values()):
            assert time.monotonic() < deadline_s, {way: len(contents(folder)) for way, folder in folders.items()}
            write_image(scripts.pictures, number)
            scripts.served.wait_until_idle(number + 1)
            number += 1
        new = [write_image(scripts.pictures, one) for one in range(number, number + 5)]
        expected = {path.name: digest(path) for path in new}
        while any(not expected.items() <= contents(folder).items() for folder in folders.values()):
            assert time.monotonic() < deadline_s, {way: sorted(contents(folder)) for way, folder in folders.items()}
            time.sleep(0.1)
    finally:
        for process in following:
            process.kill()
            process.wait()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(folder: Path) -> dict[str, str]:
    return {path.name: digest(path) for path in folder.iterdir()} if folder.exists() else {}


@pytest.mark.long
def test_an_export_of_ten_thousand_images_is_ten_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "library").mkdir()
    with Database.open(tmp_path / "library") as database:
        fill(database, ROWS)
    served = Served(tmp_path / "library", []).wait_until_up()
    asked = Counter[str]()
    try:
        server = psutil.Process(served.process.pid)
        with Library.open(tmp_path / "library") as library:
            library.tags.add("keeper", "")
            client = library._get_client()
            get = client.get

            def count(self: Client, path: str, **query: Any) -> Any:
                asked[path] += 1
                return get(path, **query)

            monkeypatch.setattr(type(client), "get", count)
            before_s = time.process_time() + sum(server.cpu_times()[:2])
            rows = [(image.uuid, image.prompt, image.model, image.tags, image.params) for image in library.search()]
            after_s = time.process_time() + sum(server.cpu_times()[:2])
    finally:
        served.stop()
    print(f"{ROWS:,} images in {asked.total()} requests: {after_s - before_s:.2f} CPU-s")
    assert len({row[0] for row in rows}) == ROWS
    assert {row[3] for row in rows} == {("keeper",)}
    assert asked.total() <= ROWS // 1_000
