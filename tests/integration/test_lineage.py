"""What came from what: whatever the order of arrival, one result; and the person has the last word."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.pictures import png

from mysticanvas.cli.client import Client, connect, wait_for_jobs
from mysticanvas.db.database import Database, WriteTx
from mysticanvas.db.images import file_rows, files, folders, generations
from mysticanvas.db.images import missing as image_missing
from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.domain.file import FileStat, ImageFormat
from mysticanvas.domain.generation import InputImage, InputRole, ParentRelation, Recipe
from mysticanvas.features.importing import record as import_record
from mysticanvas.features.importing.commands import import_and_follow
from mysticanvas.features.importing.messages import ImageRead
from mysticanvas.features.importing.record import Found
from mysticanvas.features.lineage import queries as lineage_queries
from mysticanvas.features.lineage import service as lineage_service
from mysticanvas.features.lineage import view as lineage_view
from mysticanvas.settings import Settings

PARENT, CHILD = "Fox.png", "child.png"
Way = tuple[str, str, str, bool, bool]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.3)) as connected:
        yield connected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


def comfy_png(seed: int, *, source: str | None = None) -> bytes:
    """An image as ComfyUI writes it; with a source, an img2img of that picture."""
    latent = ["8", 0] if source else ["5", 0]
    graph: dict[str, Any] = {
        "3": {
            "class_type": "KSampler",
            "inputs": {"seed": seed, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal",
                       "denoise": 0.5, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0],
                       "latent_image": latent},
        },
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": f"a fox {seed}", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["10", 0], "filename_prefix": "x"}},
        "10": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    }  # fmt: skip
    if source:
        graph["8"] = {"class_type": "VAEEncode", "inputs": {"pixels": ["11", 0], "vae": ["4", 2]}}
        graph["11"] = {"class_type": "LoadImage", "inputs": {"image": source}}
    return png(color=(seed * 2654435761) & 0xFFFFFF, texts={"prompt": json.dumps(graph)})


def take_in(client: Client, folder: Path) -> None:
    import_and_follow(client, [folder], dry_run=False, wait=False)


def by_path(client: Client) -> dict[str, str]:
    return {Path(item["path"]).name: item["uuid"] for item in client.get("/api/v1/images", q="", limit=100)["items"]}


def ways(client: Client, of: str) -> list[Way]:
    """(parent, child, relation, sure, parent missing) by what the images show, not by where they are."""
    found = client.get(f"/api/v1/images/{of}/lineage")
    prompts = {n["uuid"]: client.get(f"/api/v1/images/{n['uuid']}")["prompt"] for n in found["nodes"]}
    missing = {n["uuid"]: n["missing"] for n in found["nodes"]}
    return [
        (prompts[e["parent"]], prompts[e["child"]], e["relation"], e["sure"], missing[e["parent"]])
        for e in found["edges"]
    ]


ONE_RESULT: list[Way] = [("a fox 1", "a fox 2", "img2img", False, False)]


def test_the_parent_comes_first(client: Client, folder: Path) -> None:
    (folder / PARENT).write_bytes(comfy_png(1))
    take_in(client, folder)
    (folder / CHILD).write_bytes(comfy_png(2, source="fox.png [input]"))
    take_in(client, folder)
    assert ways(client, by_path(client)[CHILD]) == ONE_RESULT


def test_the_child_comes_first(client: Client, folder: Path) -> None:
    (folder / CHILD).write_bytes(comfy_png(2, source="fox.png [input]"))
    take_in(client, folder)
    waiting = client.get(f"/api/v1/images/{by_path(client)[CHILD]}/lineage")
    assert [(one["role"], one["name"]) for one in waiting["unknown"]] == [("source", "fox.png [input]")]
    (folder / PARENT).write_bytes(comfy_png(1))
    take_in(client, folder)
    assert ways(client, by_path(client)[CHILD]) == ONE_RESULT


def test_the_parent_is_renamed(client: Client, folder: Path) -> None:
    (folder / PARENT).write_bytes(comfy_png(1))
    take_in(client, folder)
    wait_for_jobs(client)
    (folder / PARENT).rename(folder / "quite another name.png")
    take_in(client, folder)
    (folder / CHILD).write_bytes(comfy_png(2, source="fox.png [input]"))
    take_in(client, folder)
    assert ways(client, by_path(client)[CHILD]) == ONE_RESULT


def test_the_parent_is_missing(client: Client, folder: Path) -> None:
    (folder / PARENT).write_bytes(comfy_png(1))
    take_in(client, folder)
    parent = by_path(client)[PARENT]
    (folder / PARENT).unlink()
    (folder / CHILD).write_bytes(comfy_png(2, source="fox.png [input]"))
    take_in(client, folder)
    child = by_path(client)[CHILD]
    assert [way[:4] for way in ways(client, child)] == [way[:4] for way in ONE_RESULT]
    assert ways(client, parent) == ways(client, child)


def test_a_renamed_parent_keeps_its_child(client: Client, folder: Path) -> None:
    (folder / PARENT).write_bytes(comfy_png(1))
    (folder / CHILD).write_bytes(comfy_png(2, source="fox.png"))
    take_in(client, folder)
    wait_for_jobs(client)
    (folder / PARENT).rename(folder / "renamed.png")
    take_in(client, folder)
    assert ways(client, by_path(client)[CHILD]) == ONE_RESULT


def test_several_of_a_name_are_a_doubt_and_no_guess(client: Client, folder: Path) -> None:
    (folder / CHILD).write_bytes(comfy_png(2, source="day/fox.png"))
    for number, sub in enumerate(("a", "b")):
        (folder / sub).mkdir()
        (folder / sub / "fox.png").write_bytes(comfy_png(10 + number))
    take_in(client, folder)
    child = by_path(client)[CHILD]
    assert ways(client, child) == []
    # A folder that agrees tells them apart.
    (folder / "day").mkdir()
    (folder / "day" / "fox.png").write_bytes(comfy_png(1))
    take_in(client, folder)
    assert ways(client, child) == ONE_RESULT


def test_the_person_has_the_last_word_and_can_take_it_back(client: Client, folder: Path) -> None:
    (folder / PARENT).write_bytes(comfy_png(1))
    (folder / CHILD).write_bytes(comfy_png(2, source="fox.png"))
    (folder / "other.png").write_bytes(comfy_png(3))
    take_in(client, folder)
    images = by_path(client)
    child = f"/api/v1/images/{images[CHILD]}/parent"
    linked = client.put(child, {"parent": images["other.png"], "relation": "variation"})
    corrected = [("a fox 3", "a fox 2", "variation", True, False)]
    assert ways(client, images[CHILD]) == corrected

    # Read again with another source, the file does not change that.
    (folder / CHILD).write_bytes(comfy_png(2, source="FOX.png"))
    take_in(client, folder)
    assert ways(client, images[CHILD]) == corrected

    unlinked = client.put(child, {"parent": None})
    assert ways(client, images[CHILD]) == []
    with pytest.raises(ConflictError):
        client.post(f"/api/v1/edits/{linked['operation']}/undo")
    client.post(f"/api/v1/edits/{unlinked['operation']}/undo")
    assert ways(client, images[CHILD]) == corrected
    client.post(f"/api/v1/edits/{linked['operation']}/undo")
    assert ways(client, images[CHILD]) == ONE_RESULT


def test_doing_a_correction_again_closes_no_circle(client: Client, folder: Path) -> None:
    (folder / PARENT).write_bytes(comfy_png(1))
    (folder / CHILD).write_bytes(comfy_png(2))
    take_in(client, folder)
    images = by_path(client)
    one = client.put(f"/api/v1/images/{images[PARENT]}/parent", {"parent": images[CHILD]})
    client.post(f"/api/v1/edits/{one['operation']}/undo")
    client.put(f"/api/v1/images/{images[CHILD]}/parent", {"parent": images[PARENT]})
    with pytest.raises(ConflictError, match="its own ancestor"):
        client.post(f"/api/v1/edits/{one['operation']}/redo")
    assert ways(client, images[PARENT]) == [("a fox 1", "a fox 2", "source", True, False)]


def test_what_was_made_from_a_purged_image_looks_for_another(client: Client, folder: Path) -> None:
    (folder / "day").mkdir()
    (folder / "day" / PARENT).write_bytes(comfy_png(3))
    (folder / PARENT).write_bytes(comfy_png(1))
    (folder / CHILD).write_bytes(comfy_png(2, source="fox.png"))
    take_in(client, folder)
    child = by_path(client)[CHILD]
    first, second = (
        item["uuid"] for item in client.get("/api/v1/images", q="", limit=9)["items"] if item["path"].endswith(PARENT)
    )
    for gone, left in ((first, 1), (second, 0)):
        client.post("/api/v1/edits", {"uuids": [gone], "set": {"trash": True}})
        assert client.post("/api/v1/trash:purge", {"uuids": [gone], "how": "unlink"})["images"] == 1
        assert len(ways(client, child)) == left


def test_an_image_cannot_come_from_itself(client: Client, folder: Path) -> None:
    (folder / PARENT).write_bytes(comfy_png(1, source="child.png"))
    (folder / CHILD).write_bytes(comfy_png(2, source="fox.png"))
    take_in(client, folder)
    images = by_path(client)
    assert len(ways(client, images[CHILD])) == 1
    for image in images.values():
        with pytest.raises(InvalidInputError):
            client.put(f"/api/v1/images/{image}/parent", {"parent": image})
    assert client.get("/api/v1/doctor")["ok"]


# -- by hash, and what no parser fills yet: through the transactions of the import ---------------


def found(root: folders.WatchedFolder, name: str, recipe: Recipe, *, second: int = 0) -> Found:
    read = ImageRead(
        stat=FileStat(name.encode(), 1, (1_700_000_000 + second) * 1_000_000_000),
        format=ImageFormat.PNG,
        width_px=8,
        height_px=8,
        frames=1,
        complete=True,
        fingerprint=hashlib.blake2s(name.encode()).digest(),
        recipe=recipe,
        params_json="{}",
        raw=b"",
        problems=[],
    )
    return Found(root, read)


def a_root(database: Database) -> folders.WatchedFolder:
    return database.write(folders.add, path="/pictures", watch=False, now_ms=0)


def uuid_at(database: Database, path: str) -> str:
    return str(
        database.read(
            lambda tx: tx.value(
                "SELECT uuid FROM generations WHERE id = (SELECT generation_id FROM generation_files WHERE path = :p)",
                p=path,
            )
        )
    )


SOURCE_HASH = hashlib.sha256(b"the parent").hexdigest()


def set_sha256(database: Database, path: str, digest: bytes) -> None:
    image = database.read(generations.get_id, uuid_at(database, path))
    final = database.read(files.find_final, image)
    assert final is not None
    database.write(files.set_sha256, file_id=final.id, sha256=digest)
    database.write(lineage_service.on_file_hashed, image, digest, now_ms=0)


@pytest.mark.parametrize("order", list(itertools.permutations(("parent", "child", "namesake", "hash"))))
def test_a_hash_decides_between_namesakes_in_any_order(database: Database, order: tuple[str, ...]) -> None:
    root = a_root(database)
    source = InputImage(InputRole.SOURCE, "fox.png", SOURCE_HASH, "file_sha256")
    images = {
        "parent": found(root, "moved/renamed.png", Recipe(prompt="parent")),
        "namesake": found(root, "a/fox.png", Recipe(prompt="namesake")),
        "child": found(root, "child.png", Recipe(prompt="child", inputs=(source,)), second=9),
    }
    late = []
    for step in order:
        if step in images:
            database.write(import_record.add_images, [images[step]], [], now_ms=0)
        if step == "hash" or (step == "parent" and "hash" in late):
            late.append("hash")
        if "hash" in late and uuid_at(database, "moved/renamed.png") != "None":
            set_sha256(database, "moved/renamed.png", bytes.fromhex(SOURCE_HASH))
    seen = database.read(lineage_view.load_lineage, uuid_at(database, "child.png"))
    edge = (uuid_at(database, "moved/renamed.png"), uuid_at(database, "child.png"), "source", True)
    assert [(e.parent, e.child, e.relation, e.sure) for e in seen.edges] == [edge]


def test_a_namesake_with_another_hash_is_not_the_parent(database: Database) -> None:
    root = a_root(database)
    source = InputImage(InputRole.SOURCE, "fox.png", SOURCE_HASH, "file_sha256")
    database.write(import_record.add_images, [found(root, "a/fox.png", Recipe())], [], now_ms=0)
    child = found(root, "child.png", Recipe(inputs=(source,)), second=9)
    database.write(import_record.add_images, [child], [], now_ms=0)
    doubtful = database.read(lineage_view.load_lineage, uuid_at(database, "child.png"))
    assert [edge.sure for edge in doubtful.edges] == [False]
    set_sha256(database, "a/fox.png", hashlib.sha256(b"another").digest())
    assert database.read(lineage_view.load_lineage, uuid_at(database, "child.png")).edges == []


def test_a1111_keeps_a_source_under_the_hash_that_it_writes(database: Database) -> None:
    root = a_root(database)
    recipe = Recipe(inputs=(InputImage(InputRole.SOURCE, None, "0A1B2C3D4E", "pixels_md5"),))
    database.write(import_record.add_images, [found(root, "child.png", recipe, second=9)], [], now_ms=0)
    database.write(import_record.add_images, [found(root, "init-images/0a1b2c3d4e.png", Recipe())], [], now_ms=0)
    seen = database.read(lineage_view.load_lineage, uuid_at(database, "child.png"))
    assert [(edge.sure, edge.relation) for edge in seen.edges] == [(True, "source")]


def test_masks_and_control_images_are_shown_as_files_of_the_image(database: Database) -> None:
    root = a_root(database)
    inputs = (InputImage(InputRole.SOURCE, "fox.png"), InputImage(InputRole.MASK, "mask.png"),
              InputImage(InputRole.CONTROL, "depth.png"), InputImage(InputRole.REFERENCE, "style.png"))  # fmt: skip
    tools = [found(root, f"in/{one.name}", Recipe()) for one in inputs]
    child = found(root, "child.png", Recipe(inputs=inputs), second=9)
    database.write(import_record.add_images, [child, *tools], [], now_ms=0)
    image = database.read(generations.get_id, uuid_at(database, "child.png"))
    shown = [(file.kind, file.path) for file in database.read(file_rows.list_input_files, [image])[image]]
    assert shown == [
        ("input", "in/fox.png"), ("mask", "in/mask.png"), ("control", "in/depth.png"), ("input", "in/style.png"),
    ]  # fmt: skip


def test_the_view_is_layered_and_bounded(database: Database) -> None:
    root = a_root(database)

    def child_of(name: str, *parents: str, second: int, relation: ParentRelation | None = None) -> Found:
        inputs = tuple(InputImage(InputRole.SOURCE if i == 0 else InputRole.CONTROL, p) for i, p in enumerate(parents))
        return found(root, name, Recipe(inputs=inputs, parent_relation=relation), second=second)

    family = [
        child_of("grand.png", second=0),
        child_of("parent.png", "grand.png", second=1),
        # The grandparent also went in directly: the longer way decides its layer.
        child_of("me.png", "parent.png", "grand.png", second=2, relation=ParentRelation.UPSCALE),
        child_of("sister.png", "parent.png", second=3),
        child_of("son.png", "me.png", second=4),
        child_of("grandson.png", "son.png", "me.png", second=5),
    ]
    crowd = [child_of(f"crowd-{n}.png", "grandson.png", second=10 + n) for n in range(400)]
    database.write(import_record.add_images, [*family, *crowd], [], now_ms=0)
    me = uuid_at(database, "me.png")
    seen = database.read(lineage_view.load_lineage, me)
    layers = {node.uuid: node.layer for node in seen.nodes}
    names = {name: uuid_at(database, name) for name in ("grand.png", "parent.png", "sister.png", "grandson.png")}
    assert [layers[names[n]] for n in names] == [-2, -1, 0, 2]
    assert all(layers[edge.parent] < layers[edge.child] for edge in seen.edges)
    assert ("upscale", True) in {(e.relation, e.child == me) for e in seen.edges}
    assert len(seen.nodes) <= 200
    assert seen.truncated


def test_the_searches_of_lineage_use_their_indexes(database: Database) -> None:
    plans = {
        "generation_files_by_name": """
            SELECT f.generation_id FROM generation_files AS f
             WHERE lower(replace(f.path, rtrim(f.path, replace(f.path, '/', '')), '')) = 'x'
               AND f.kind IN ('final', 'copy')""",
        "generation_inputs_found": "SELECT generation_id FROM generation_inputs WHERE found_id = 1",
        "generation_files_by_sha256": "SELECT generation_id FROM generation_files WHERE sha256 = x'00'",
    }
    for statistics in (False, True):
        if statistics:
            database.write(lambda tx: tx.run("ANALYZE"))
        for index, query in plans.items():
            steps = database.read(lambda tx, q=query: [r["detail"] for r in tx.all("EXPLAIN QUERY PLAN " + q)])  # type: ignore[misc]
            assert any(index in step for step in steps), (index, steps)
            assert not any(step.startswith(("SCAN f", "SCAN i", "SCAN g")) for step in steps), (index, steps)


@pytest.mark.parametrize("child_first", [False, True])
def test_a_copy_that_was_forgotten_leaves_its_name(database: Database, child_first: bool) -> None:
    root = a_root(database)
    child = found(root, "child.png", Recipe(inputs=(InputImage(InputRole.SOURCE, "copy.png"),)), second=9)
    database.write(import_record.add_images, [found(root, "fox.png", Recipe())], [], now_ms=0)
    if child_first:
        database.write(import_record.add_images, [child], [], now_ms=0)
    original = database.read(files.find_by_paths, root_id=root.id, paths=[b"fox.png"])[b"fox.png"]
    database.write(import_record.add_copy, original, found(root, "copy.png", Recipe(), second=1), None, now_ms=0)
    copy = database.read(files.find_by_paths, root_id=root.id, paths=[b"copy.png"])[b"copy.png"]
    database.write(files.mark_missing, [copy.id], now_ms=0)
    database.write(image_missing.forget_redundant, [copy.id])
    assert not database.read(files.find_by_paths, root_id=root.id, paths=[b"copy.png"])
    if not child_first:
        database.write(import_record.add_images, [child], [], now_ms=0)
    seen = database.read(lineage_view.load_lineage, uuid_at(database, "child.png"))
    assert [edge.parent for edge in seen.edges] == [uuid_at(database, "fox.png")]


class Explaining(WriteTx):
    """Runs as ever, and keeps the plan of each statement."""

    def __init__(self, connection: apsw.Connection) -> None:
        super().__init__(connection)
        self.steps: list[str] = []

    def all(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        self.steps += [row["detail"] for row in super().all("EXPLAIN QUERY PLAN " + sql, **params)]
        return super().all(sql, **params)

    def column(self, sql: str, **params: Any) -> list[Any]:
        self.steps += [row["detail"] for row in super().all("EXPLAIN QUERY PLAN " + sql, **params)]
        return super().column(sql, **params)


@pytest.mark.parametrize("statistics", [False, True])
def test_no_search_of_lineage_walks_a_whole_table(database: Database, statistics: bool) -> None:
    root = a_root(database)
    crowd = [
        found(root, f"{n}.png", Recipe(inputs=(InputImage(InputRole.SOURCE, f"{n - 1}.png"),)), second=n)
        for n in range(50)
    ]
    database.write(import_record.add_images, crowd, [], now_ms=0)
    if statistics:
        database.write(lambda tx: tx.run("ANALYZE"))

    def look(tx: WriteTx) -> list[str]:
        explaining = Explaining(tx.connection)
        image = generations.get_id(tx, uuid_at(database, "7.png"))
        below = lineage_queries.list_descendants(explaining, image)
        assert len(below) == 43
        lineage_queries.find_circle(explaining, image, below)
        lineage_queries.list_circle_closers(explaining, below)
        lineage_queries.list_waiting(explaining, [image])
        lineage_queries.find_by_name(explaining, "7.png")
        lineage_queries.load_ages(explaining, [image])
        return explaining.steps

    steps = database.write(look)
    tables = ("g", "f", "i", "n", "p", "s")
    assert [step for step in steps if step.startswith("SCAN") and step.split()[1] in tables] == []


def statements_of(database: Database, images: list[Found]) -> int:
    """How many it takes to import them."""

    def change(tx: WriteTx) -> int:
        ran = 0

        def count(*_: object) -> bool:
            nonlocal ran
            ran += 1
            return True

        tx.connection.exec_trace = count
        try:
            import_record.add_images(tx, images, [], now_ms=0)
        finally:
            tx.connection.exec_trace = None
        return ran

    return database.write(change)


def test_the_thousandth_that_names_a_popular_name_costs_what_the_first_did(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lineage_queries, "MAX_CANDIDATES", 20)
    root, source = a_root(database), InputImage(InputRole.SOURCE, "image.png")
    batches = [
        [found(root, f"{n}/image.png", Recipe(inputs=(source,)), second=n) for n in range(first, first + 50)]
        for first in range(0, 500, 50)
    ]
    counts = [statements_of(database, batch) for batch in batches]
    assert max(counts[2:]) <= counts[0]


def test_so_many_of_a_name_say_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage_queries, "MAX_CANDIDATES", 3)
    root, source = a_root(database), InputImage(InputRole.SOURCE, "a/image.png")
    database.write(
        import_record.add_images, [found(root, "child.png", Recipe(inputs=(source,)), second=9)], [], now_ms=0
    )
    seen = []
    for folder in "abcd":
        database.write(import_record.add_images, [found(root, f"{folder}/image.png", Recipe())], [], now_ms=0)
        seen.append(len(database.read(lineage_view.load_lineage, uuid_at(database, "child.png")).edges))
    assert seen == [1, 1, 1, 0]


def test_a_parent_that_moved_to_another_folder_is_told_from_its_namesakes(client: Client, folder: Path) -> None:
    for sub, seed in (("day", 1), ("a", 3)):
        (folder / sub).mkdir()
        (folder / sub / "fox.png").write_bytes(comfy_png(seed))
    take_in(client, folder)
    wait_for_jobs(client)
    (folder / "far").mkdir()
    (folder / "day" / "fox.png").rename(folder / "far" / "fox.png")
    take_in(client, folder)
    (folder / CHILD).write_bytes(comfy_png(2, source="day/fox.png"))
    take_in(client, folder)
    assert ways(client, by_path(client)[CHILD]) == ONE_RESULT


def test_where_the_person_says_otherwise_a_file_can_be_turned_round(client: Client, folder: Path) -> None:
    (folder / PARENT).write_bytes(comfy_png(1, source="child.png"))
    (folder / CHILD).write_bytes(comfy_png(2))
    take_in(client, folder)
    images = by_path(client)
    unlinked = client.put(f"/api/v1/images/{images[PARENT]}/parent", {"parent": None})
    client.put(f"/api/v1/images/{images[CHILD]}/parent", {"parent": images[PARENT]})
    assert ways(client, images[CHILD]) == [("a fox 1", "a fox 2", "source", True, False)]
    with pytest.raises(ConflictError):
        client.post(f"/api/v1/edits/{unlinked['operation']}/undo")


def test_the_command_line_shows_links_and_unlinks(tmp_path: Path, folder: Path) -> None:
    library = tmp_path / "library"

    def run(*args: str) -> Any:
        command = [sys.executable, "-m", "mysticanvas.app.cli", *args, "--library", str(library), "--json"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout)

    (folder / PARENT).write_bytes(comfy_png(1))
    (folder / CHILD).write_bytes(comfy_png(2, source="fox.png"))
    run("import", str(folder))
    images = {Path(item["path"]).name: item["uuid"] for item in run("search", "fox")["items"]}
    assert [edge["sure"] for edge in run("image", "lineage", images[CHILD])["edges"]] == [False]
    assert run("image", "unlink", images[CHILD])["changed"] == 1
    assert run("image", "lineage", images[CHILD])["edges"] == []
    run("image", "link", images[CHILD], images[PARENT], "--relation", "img2img")
    assert [edge["sure"] for edge in run("image", "lineage", images[CHILD])["edges"]] == [True]
