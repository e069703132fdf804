"""What pixels hide is found when they are decoded for the thumbnail, and by `inspect`."""

from pathlib import Path

import pytest
from tests.unit.pixels.hiding import hidden

from mysticanvas.cli.client import connect
from mysticanvas.cli.imports import import_and_follow
from mysticanvas.features.importing.inspect import inspect
from mysticanvas.settings import Settings

TEXT = (
    "a violet lighthouse, <lora:film:0.5>\nSteps: 20, Seed: 5, Model: m, Model hash: 6ce0161689, Version: f2.0.1v1.10.1"
)


@pytest.mark.parametrize("kind", ["alpha gzip", "rgb"])
def test_an_import_finds_it_and_the_words_can_be_searched(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    hidden(kind, TEXT.encode(), width=96, height=96).write_to_file(str(folder / "a.png"))
    assert inspect(folder / "a.png")["seed"] == 5
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.3)) as client:
        import_and_follow(client, [folder], dry_run=False, wait=True)
        [found] = client.get("/api/v1/images", q="lighthouse")["items"]
        made = client.get(f"/api/v1/images/{found['uuid']}")
        assert client.get("/api/v1/doctor")["ok"]
    assert (made["prompt"], made["seed"], made["tool"]) == ("a violet lighthouse, <lora:film:0.5>", "5", "Forge")
    assert [lora["name"] for lora in made["loras"]] == ["film"]
    assert made["thumb"] is not None
