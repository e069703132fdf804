"""Sidecars for other programs: asked for, whole, never in place of another program's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.integration.test_sync import take_in
from tests.pictures import write_pictures

from mysticanvas.cli.client import Client, connect
from mysticanvas.settings import Settings

NAMES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.1)) as connected:
        yield connected


def write(client: Client, how: str) -> dict[str, Any]:
    view = client.post("/api/v1/snapshots", {"q": ""})
    asked = {"snapshot": view["snapshot"], "ranges": [[0, view["total"]]], "format": how}
    return dict(client.post("/api/v1/sidecars", asked))


def words(tree: ET.Element, name: str) -> list[str | None]:
    return [item.text for item in tree.findall(f".//{name}//rdf:li", NAMES)]


def test_tags_and_ratings_are_written_as_digikam_and_lightroom_read_them(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    paths = write_pictures(folder, 3)
    take_in(client, folder)
    images = {path: path.read_bytes() for path in paths}
    assert write(client, "xmp") == {"written": 0, "unchanged": 0, "foreign": 0, "failed": 0, "nothing": 3}
    client.post("/api/v1/tags:bulk-edit", {"text": "tag fox : animal\ntag a & <b>"})
    client.post("/api/v1/edits", {"query": "", "set": {"tags": {"add": ["fox", "a & <b>"]}}})
    client.post("/api/v1/edits", {"query": "", "set": {"rating": 4}})
    foreign = paths[0].with_name(paths[0].name + ".xmp")
    foreign.write_text("<x:xmpmeta>theirs</x:xmpmeta>")
    linked = paths[1].with_name(paths[1].name + ".xmp")
    (tmp_path / "elsewhere").write_bytes(b"")
    linked.symlink_to(tmp_path / "elsewhere")

    done = write(client, "xmp")

    assert (done["written"], done["foreign"]) == (1, 2)
    assert foreign.read_text() == "<x:xmpmeta>theirs</x:xmpmeta>"
    assert (tmp_path / "elsewhere").read_bytes() == b""
    tree = ET.fromstring(paths[2].with_name(paths[2].name + ".xmp").read_text("utf-8"))
    assert words(tree, "dc:subject") == ["a & <b>", "fox"]
    assert words(tree, "lr:hierarchicalSubject") == ["a & <b>", "animal|fox"]
    assert tree.findtext(".//xmp:Rating", namespaces=NAMES) == "4"
    assert write(client, "xmp")["unchanged"] == 1
    client.post("/api/v1/edits", {"query": "", "set": {"rating": 2}})
    assert write(client, "xmp")["written"] == 1
    assert write(client, "json")["written"] == 3
    kept = json.loads(paths[0].with_name(paths[0].name + ".mysticanvas.json").read_text("utf-8"))
    assert (kept["rating"], kept["tags"][1]) == (2, {"name": "fox", "category": "animal"})
    assert {path: path.read_bytes() for path in paths} == images
    assert not list(folder.rglob("*.part"))
    assert take_in(client, folder)["unchanged"] == 3
