"""Import, search, Trash, backup, restore, upgrade and restart work where the system is not Linux.

Each system is imitated by what it refuses (`other_systems.py`), in the command and in its workers.
"""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.faults import other_systems
from tests.faults.other_systems import PLANTED, environment
from tests.faults.serving import Served
from tests.pictures import a1111_png, png

WINDOWS = (
    "opens_no_folders",
    "flushes_only_writable_handles",
    "has_no_pread",
    "has_no_resource_module",
    "prints_cp1252",
    "ignores_case",
    "keeps_open_files",
    "truncates_no_mapped_files",
    "recycles_only_text",
)
MACOS = ("limits_no_address_space", "ignores_case")
OLD_LIBRARY = Path(__file__).parents[1] / "integration" / "libraries" / "schema-1.db.gz"
PROMPT = "夜景, a café in Łódź"
FEW = 6
# Against hanging.
LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Machine:
    """A library and a folder of images on an imitated system."""

    home: Path
    env: dict[str, str]

    @property
    def library(self) -> Path:
        return self.home / "library"

    @property
    def pictures(self) -> Path:
        return self.home / "Pictures"

    def run(
        self, *words: str, library: Path | None = None, text: str | None = None, codes: tuple[int, ...] = (0,)
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end. Fails with what it printed unless it exits with one of `codes`."""
        done = subprocess.run(
            [sys.executable, "-m", "mysticanvas.app.cli", *words, "--library", str(library or self.library)],
            env=self.env,
            input=None if text is None else text.encode(),
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode in codes, (
            words,
            done.returncode,
            (done.stdout + done.stderr).decode("utf-8", "replace"),
        )
        return done

    def search(self, query: str = "") -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.run("search", query, "--json", codes=(0, 1)).stdout)["items"]
        return found


def write_images(folder: Path) -> None:
    (folder / "Night").mkdir(parents=True)
    for seed in range(FEW):
        (folder / f"{seed}.png").write_bytes(a1111_png(seed))
    text = f"{PROMPT}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 64x64"
    (folder / "Night" / "夜景.png").write_bytes(png(texts={"parameters": text}))


# -- what people do -------------------------------------------------------------------------------


def import_and_search(machine: Machine) -> None:
    machine.run("import", str(machine.pictures))
    assert len(machine.search()) == FEW + 1
    [found] = machine.search("夜景")
    assert (found["prompt"], Path(str(found["path"])).name) == (PROMPT, "夜景.png")


def rename_a_folder_in_case(machine: Machine) -> None:
    machine.run("image", "rate", "5", "夜景")
    os.rename(machine.pictures / "Night", machine.pictures / "night")
    machine.run("import", str(machine.pictures))
    [found] = machine.search("夜景 rating:5")
    assert Path(str(found["path"])).parent.name == "night"
    assert machine.run("doctor").returncode == 0
    detail = json.loads(machine.run("image", "show", str(found["uuid"]), "--json").stdout)
    assert len(detail["files"]) == 1, detail["files"]


def delete_two_images(machine: Machine) -> None:
    machine.run("image", "trash", "seed:1")
    machine.run("trash", "purge", "--all", "--yes", "--unlink")
    machine.run("image", "trash", "seed:2")
    done = json.loads(machine.run("trash", "purge", "--all", "--yes", "--json").stdout)
    assert done["kept"] == []
    assert sorted(path.name for path in machine.pictures.glob("*.png")) == ["0.png", "3.png", "4.png", "5.png"]
    assert len(machine.search()) == FEW - 1


def back_up_and_restore(machine: Machine) -> None:
    backup = json.loads(machine.run("backup", "create", "--json").stdout)
    machine.run("image", "note", "changed", "")
    machine.run("backup", "restore", backup["path"])
    assert machine.search("has:notes") == []


def upgrade_an_older_library(machine: Machine) -> None:
    old = machine.home / "old"
    old.mkdir()
    (old / "mysticanvas.db").write_bytes(gzip.decompress(OLD_LIBRARY.read_bytes()))
    assert machine.run("search", "--count", library=old).stdout.strip() != b"0"
    assert [path.name for path in (old / "backups").glob("*before-schema*.db")]


def serve_restore_and_serve_again(machine: Machine) -> None:
    backup = Path(json.loads(machine.run("backup", "create", "--json").stdout)["path"])
    images = len(machine.search())
    served = Served(machine.library, [machine.pictures], env=machine.env).wait_until_up()
    try:
        served.wait_until_idle(images)
        assert served.post("/api/v1/snapshots", {"q": '~"a fox"'})["total"] > 0
        # Without its list, the file of the vectors is begun again after the restore.
        for vectors in (machine.library / "vectors").glob("*.json"):
            vectors.unlink()
        served.post(f"/api/v1/backups/{backup.name}:restore", {})
        wait_until_restored(served)
        served.wait_until_idle(images)
        assert served.post("/api/v1/snapshots", {"q": '~"a fox"'})["total"] > 0
        assert served.get("/api/v1/events", level="error")["events"] == []
    finally:
        assert served.stop() == 0
    assert len(machine.search()) == images


def wait_until_restored(served: Served) -> None:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        # A restored gallery is a new launch, to which old keys mean nothing.
        with suppress(httpx.TransportError, httpx.HTTPStatusError):
            if served.wait_until_up().get("/api/v1/events", kind="restore")["events"]:
                return
        time.sleep(0.05)
    raise AssertionError("the backup was not restored")


def set_a_password_while_a_virus_scanner_reads(machine: Machine) -> None:
    """A program that has the file open for a moment delays the change, and does not prevent it."""
    machine.run("access", "password", text="first password\nfirst password\n")
    file = machine.library / "password"
    refused = Path(machine.env["MYSTICANVAS_REFUSED"])
    refused.unlink(missing_ok=True)
    before = file.read_bytes()
    with file.open("rb") as scanned:
        ended = threading.Event()

        def close_when_refused() -> None:
            while not refused.exists() and not ended.wait(0.01):
                pass
            if machine.env["MYSTICANVAS_PLANTED"] != "replace_at_once":
                scanned.close()

        watching = threading.Thread(target=close_when_refused)
        watching.start()
        try:
            machine.run("access", "password", text="second password\nsecond password\n")
        finally:
            ended.set()
            watching.join()
    assert file.read_bytes() != before
    assert refused.exists()


ON_WINDOWS: tuple[Callable[[Machine], None], ...] = (
    import_and_search,
    rename_a_folder_in_case,
    delete_two_images,
    back_up_and_restore,
    upgrade_an_older_library,
    serve_restore_and_serve_again,
    set_a_password_while_a_virus_scanner_reads,
)
ON_MACOS = ON_WINDOWS[:-1]

# In which step, and on which system, each planted bug must be seen.
SEEN_IN: dict[str, tuple[tuple[str, ...], Callable[[Machine], None]]] = {
    "flush_through_any_handle": (WINDOWS, back_up_and_restore),
    "flush_every_folder": (WINDOWS, back_up_and_restore),
    "open_by_folder_handle": (WINDOWS, import_and_search),
    "read_by_pread": (WINDOWS, import_and_search),
    "require_resource_module": (MACOS, import_and_search),
    "print_in_the_given_encoding": (WINDOWS, import_and_search),
    "replace_at_once": (WINDOWS, set_a_password_while_a_virus_scanner_reads),
    "keep_files_mapped": (WINDOWS, serve_restore_and_serve_again),
    "recycle_bytes": (WINDOWS, delete_two_images),
    "compare_the_last_name": (MACOS, rename_a_folder_in_case),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_images(tmp_path / "Pictures")
    return tmp_path


@pytest.mark.parametrize(("traits", "steps"), [(WINDOWS, ON_WINDOWS), (MACOS, ON_MACOS)], ids=["windows", "macos"])
def test_a_library_lives_on_another_system(
    home: Path, traits: tuple[str, ...], steps: tuple[Callable[[Machine], None], ...]
) -> None:
    machine = Machine(home, environment(home, traits))
    for step in steps:
        step(machine)
    assert machine.run("doctor", "--json").returncode == 0


@pytest.mark.parametrize("bug", PLANTED)
def test_the_imitation_reveals_what_works_only_on_linux(home: Path, bug: str) -> None:
    traits, seen_in = SEEN_IN[bug]
    machine = Machine(home, environment(home, traits, planted=bug))
    if seen_in is not import_and_search:
        Machine(home, environment(home, traits)).run("import", str(machine.pictures))
        machine = Machine(home, environment(home, traits, planted=bug))
    with pytest.raises((AssertionError, RuntimeError, ValueError, httpx.HTTPStatusError)):
        seen_in(machine)


def test_every_trait_is_imitated_somewhere() -> None:
    assert set(WINDOWS) | set(MACOS) == set(other_systems.TRAITS)
