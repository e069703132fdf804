"""The registry of models: real files in real folders, real worker processes, and what images say of them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults.serving import Served
from tests.model_files import (
    CHECKPOINT_SD1,
    EMBEDDING_SDXL,
    LORA_SD1,
    LORA_SDXL,
    VAE,
    hashes_the_long_way,
    safetensors,
    write_model,
)
from tests.pictures import png

from mysticanvas.cli.client import Client, connect, wait_for_jobs
from mysticanvas.db.database import Database, ReadTx, WriteTx
from mysticanvas.db.images import generations, word_index
from mysticanvas.db.images.generations import NewGeneration
from mysticanvas.domain.errors import ConflictError, InvalidInputError
from mysticanvas.domain.generation import GenerationId, Recipe, TimestampSource
from mysticanvas.domain.model import ModelKind, ModelUse
from mysticanvas.features.importing.commands import import_and_follow
from mysticanvas.features.models import list_queries
from mysticanvas.features.models import queries as model_queries
from mysticanvas.settings import Settings


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with connect(Settings(library=tmp_path / "library", workers=1, settle_s=0.3)) as connected:
        yield connected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


def scan(client: Client, *paths: Path, wait: bool = False, anew: bool = False) -> dict[str, Any]:
    report: dict[str, Any] = client.post(
        "/api/v1/models:scan", {"paths": [str(path) for path in paths], "reread": anew}
    )
    if wait:
        wait_for_jobs(client)
    return report


def listed(client: Client, kind: str | None = None) -> dict[str, dict[str, Any]]:
    return {model["name"]: model for model in client.get("/api/v1/models", kind=kind)["models"]}


def show(client: Client, name: str) -> dict[str, Any]:
    detail: dict[str, Any] = client.get(f"/api/v1/models/{listed(client)[name]['id']}")
    return detail


def picture_with_lora(path: Path, lora: str, *, weight: float = 0.8, hash_of_lora: str | None = None) -> None:
    """An image as A1111 writes it, made with one LoRA."""
    hashes = f', Lora hashes: "{lora}: {hash_of_lora}"' if hash_of_lora else ""
    text = f"a fox {path.name} <lora:{lora}:{weight}>\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1{hashes}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(texts={"parameters": text}))


def take_in(client: Client, pictures: Path) -> None:
    import_and_follow(client, [pictures], dry_run=False, wait=False)


def is_sound(client: Client) -> bool:
    return [check for check in client.get("/api/v1/doctor")["checks"] if not check["ok"]] == []


def test_a_scan_tells_kinds_and_families_in_every_layout(client: Client, folder: Path) -> None:
    write_model(folder / "Stable-diffusion" / "dream.safetensors", safetensors(CHECKPOINT_SD1))
    write_model(folder / "loras" / "film_grain.safetensors", safetensors(LORA_SDXL))
    write_model(folder / "vae" / "clear.safetensors", safetensors(VAE))
    write_model(folder / "embeddings" / "bad_hands.safetensors", safetensors(EMBEDDING_SDXL))
    write_model(folder / "ESRGAN" / "4x_sharp.pth", b"not looked into")
    write_model(folder / "sdxl" / "lora" / "old.ckpt", b"not looked into either")
    write_model(folder / "bundle" / "unet" / "diffusion_pytorch_model.safetensors", safetensors(CHECKPOINT_SD1))
    report = scan(client, folder)
    assert (report["found"], report["added"], report["failed"]) == (6, 6, 0)
    assert {name: (m["kind"], m["family"]) for name, m in listed(client).items()} == {
        "dream": ("checkpoint", "SD1"),
        "film_grain": ("lora", "SDXL"),
        "clear": ("vae", None),
        "bad_hands": ("embedding", "SDXL"),
        "4x_sharp": ("upscaler", None),
        "old": ("lora", "SDXL"),
    }


def test_a_second_scan_reads_nothing_and_a_moved_file_stays_the_same_model(client: Client, folder: Path) -> None:
    file = write_model(folder / "loras" / "film_grain.safetensors", safetensors(LORA_SDXL))
    scan(client, folder, wait=True)
    before = listed(client)["film_grain"]
    assert scan(client, folder)["unchanged"] == 1
    (folder / "loras" / "style").mkdir()
    file.rename(folder / "loras" / "style" / "film_grain.safetensors")
    assert scan(client)["moved"] == 1
    after = listed(client)["film_grain"]
    assert (after["id"], after["hashed"]) == (before["id"], True)
    assert after["path"].endswith("style/film_grain.safetensors")
    assert is_sound(client)


def test_a_missing_file_is_marked_and_an_absent_folder_marks_nothing(client: Client, folder: Path) -> None:
    file = write_model(folder / "loras" / "film_grain.safetensors", safetensors(LORA_SDXL))
    write_model(folder / "loras" / "other.safetensors", safetensors(LORA_SDXL, seed=2))
    scan(client, folder)
    file.unlink()
    assert scan(client)["missing"] == 1
    assert [m["missing"] for m in listed(client).values()] == [True, False]
    folder.rename(folder.with_name("unplugged"))
    assert scan(client)["failures"][0]["reason"].startswith("The folder is not available")
    assert [m["missing"] for m in listed(client).values()] == [True, False]


def test_the_hashes_equal_those_computed_the_long_way(client: Client, folder: Path) -> None:
    small = write_model(folder / "lora" / "small.safetensors", safetensors(LORA_SDXL))
    # Larger than 1 MB, so that AutoV1 has something to look at; the last block is no whole one.
    large = write_model(folder / "lora" / "large.safetensors", safetensors(LORA_SDXL, padding=2_345_678))
    short = write_model(folder / "lora" / "short.safetensors", safetensors(LORA_SDXL, padding=0x100000 + 0x8000))
    scan(client, folder, wait=True)
    for path in (small, large, short):
        found = {one["kind"]: one["value"] for one in show(client, path.stem)["hashes"] if one["source"] == "file"}
        expected = hashes_the_long_way(path)
        assert {kind: found.get(kind) for kind in expected} == expected
        assert ("autov1" in found) == (path != small)
    assert is_sound(client)


def test_a_pickled_file_is_hashed_and_never_unpickled(client: Client, folder: Path) -> None:
    harmful = b"cos\nsystem\n(S'touch " + str(folder / "harm").encode() + b"'\ntR."
    file = write_model(folder / "loras" / "old.pt", harmful)
    scan(client, folder, wait=True)
    kinds = {one["kind"] for one in show(client, "old")["hashes"]}
    assert kinds == {"sha256", "autov2", "blake3"}
    assert hashes_the_long_way(file)["sha256"] in {one["value"] for one in show(client, "old")["hashes"]}
    assert not (folder / "harm").exists()


def test_a_damaged_header_is_told_and_the_model_is_listed_all_the_same(client: Client, folder: Path) -> None:
    write_model(folder / "loras" / "cut.safetensors", safetensors(LORA_SDXL)[:40])
    report = scan(client, folder, wait=True)
    assert (report["added"], report["failed"]) == (1, 0)
    assert "its header is incomplete" in listed(client)["cut"]["problem"]
    assert listed(client)["cut"]["kind"] == "lora"


def test_an_image_finds_its_model_by_hash_whichever_comes_first(client: Client, folder: Path, tmp_path: Path) -> None:
    first = write_model(folder / "loras" / "renamed_since.safetensors", safetensors(LORA_SDXL, seed=1))
    second = write_model(folder / "loras" / "also_renamed.safetensors", safetensors(LORA_SDXL, seed=2))
    picture_with_lora(tmp_path / "a" / "early.png", "film_grain", hash_of_lora=hashes_the_long_way(first)["autov3"])
    take_in(client, tmp_path / "a")
    scan(client, folder, wait=True)
    # Forge writes the beginning of sha256 over the file in the same place.
    picture_with_lora(tmp_path / "b" / "late.png", "noise", hash_of_lora=hashes_the_long_way(second)["sha256"][:12])
    take_in(client, tmp_path / "b")
    assert {n: (m["images"], m["doubtful"]) for n, m in listed(client, "lora").items()} == {
        "renamed_since": (1, 0),
        "also_renamed": (1, 0),
    }
    assert is_sound(client)


def test_a_name_alone_leaves_a_doubt(client: Client, folder: Path, tmp_path: Path) -> None:
    write_model(folder / "loras" / "film_grain.safetensors", safetensors(LORA_SDXL))
    picture_with_lora(tmp_path / "a" / "one.png", "film_grain")
    take_in(client, tmp_path / "a")
    scan(client, folder, wait=True)
    picture_with_lora(tmp_path / "b" / "two.png", "film_grain")
    take_in(client, tmp_path / "b")
    model = listed(client, "lora")["film_grain"]
    assert (model["images"], model["doubtful"]) == (2, 2)


def test_a_hash_that_comes_later_parts_namesakes(client: Client, folder: Path, tmp_path: Path) -> None:
    picture_with_lora(tmp_path / "a" / "one.png", "film_grain", hash_of_lora="0123456789ab")
    take_in(client, tmp_path / "a")
    client.post("/api/v1/jobs:pause", {"kind": "models"})
    write_model(folder / "loras" / "film_grain.safetensors", safetensors(LORA_SDXL))
    scan(client, folder)
    [together] = client.get("/api/v1/models", kind="lora")["models"]
    assert (together["images"], together["doubtful"]) == (1, 1)

    client.post("/api/v1/jobs:resume", {"kind": "models"})
    wait_for_jobs(client)
    apart = client.get("/api/v1/models", kind="lora")["models"]
    assert sorted((m["path"] is not None, m["images"], m["doubtful"]) for m in apart) == [(False, 1, 0), (True, 0, 0)]
    assert is_sound(client)


def test_the_same_bytes_at_two_paths_are_one_model(client: Client, folder: Path) -> None:
    for name in ("one", "two"):
        write_model(folder / "loras" / f"{name}.safetensors", safetensors(LORA_SDXL))
    scan(client, folder, wait=True)
    [model] = client.get("/api/v1/models")["models"]
    assert len(client.get(f"/api/v1/models/{model['id']}")["files"]) == 2


def test_other_content_at_a_path_is_another_model_and_the_images_stay_with_theirs(
    client: Client, folder: Path, tmp_path: Path
) -> None:
    file = write_model(folder / "loras" / "film_grain.safetensors", safetensors(LORA_SDXL, seed=1))
    old = hashes_the_long_way(file)
    scan(client, folder, wait=True)
    picture_with_lora(tmp_path / "a" / "one.png", "film_grain", hash_of_lora=old["autov3"])
    take_in(client, tmp_path / "a")
    write_model(file, safetensors(LORA_SD1, seed=2, padding=5))
    assert scan(client, folder, wait=True)["changed"] == 1
    by_file = {m["path"] is not None: m for m in client.get("/api/v1/models")["models"]}
    assert (by_file[False]["images"], by_file[False]["doubtful"]) == (1, 0)
    assert (by_file[True]["images"], by_file[True]["family"]) == (0, "SD1")
    assert is_sound(client)


def test_a_merge_is_one_model_and_undoing_it_is_exact(client: Client, folder: Path, tmp_path: Path) -> None:
    write_model(folder / "loras" / "film_grain_v2.safetensors", safetensors(LORA_SDXL))
    scan(client, folder, wait=True)
    picture_with_lora(tmp_path / "a" / "one.png", "film-grain", weight=0.9)
    take_in(client, tmp_path / "a")
    before = client.get("/api/v1/models")["models"]
    keep, other = listed(client)["film_grain_v2"]["id"], listed(client)["film-grain"]["id"]

    done = client.post("/api/v1/models:merge", {"keep": keep, "other": other})
    merged = listed(client, "lora")
    assert list(merged) == ["film_grain_v2"]
    assert merged["film_grain_v2"]["images"] == 1
    assert client.get(f"/api/v1/models/{keep}/images", min_weight=0.5)["total"] == 1
    with pytest.raises(InvalidInputError):
        client.post("/api/v1/models:merge", {"keep": keep, "other": other})

    # What was made meanwhile under the other name is parted again too.
    picture_with_lora(tmp_path / "b" / "two.png", "film-grain")
    take_in(client, tmp_path / "b")
    assert listed(client)["film_grain_v2"]["images"] == 2
    client.post(f"/api/v1/edits/{done['operation']}/undo")
    after = listed(client)
    assert {m["name"]: m["images"] for m in before} == {"film_grain_v2": 0, "film-grain": 1}
    assert {name: m["images"] for name, m in after.items()} == {"film_grain_v2": 0, "film-grain": 2}
    with pytest.raises(ConflictError):
        client.post(f"/api/v1/edits/{done['operation']}/undo")
    assert is_sound(client)


def test_five_hundred_loras_are_listed_at_once(client: Client, folder: Path) -> None:
    for number in range(500):
        texts = {"ss_tag_frequency": json.dumps({"set": {f"word {number}": 3}}), "modelspec.title": f"LoRA {number}"}
        write_model(folder / "loras" / f"lora_{number:03}.safetensors", safetensors(LORA_SDXL, texts, seed=number))
    assert scan(client, folder)["added"] == 500
    found = client.get("/api/v1/models", kind="lora")["models"]
    assert len(found) == 500
    assert found[7]["trigger_words"] == ["word 7"]
    assert found[7]["title"] == "LoRA 7"


def test_what_lies_beside_a_model_belongs_to_it(client: Client, folder: Path) -> None:
    write_model(folder / "loras" / "film_grain.safetensors", safetensors(LORA_SDXL))
    write_model(folder / "loras" / "film_grain.preview.png", png())
    write_model(folder / "loras" / "film_grain.civitai.info", json.dumps({"trainedWords": ["grainy"]}).encode())
    scan(client, folder)
    model = listed(client)["film_grain"]
    assert (model["preview"], model["trigger_words"]) == (True, ["grainy"])


def test_a_preview_is_served_only_if_it_is_a_picture(tmp_path: Path, folder: Path) -> None:
    write_model(folder / "loras" / "good.safetensors", safetensors(LORA_SDXL))
    write_model(folder / "loras" / "good.preview.png", png())
    write_model(folder / "loras" / "page.safetensors", safetensors(LORA_SDXL, seed=2))
    write_model(folder / "loras" / "page.preview.png", b"<!doctype html><script>alert(1)</script>")
    library = tmp_path / "library"
    library.mkdir()
    server = Served(library, []).wait_until_up()
    try:
        server.post("/api/v1/models:scan", {"paths": [str(folder)]})
        ids = {model["name"]: model["id"] for model in server.get("/api/v1/models")["models"]}
        good = server.http.get(f"/api/v1/models/{ids['good']}/preview")
        assert (good.status_code, good.headers["content-type"], good.content) == (200, "image/png", png())
        assert server.http.get(f"/api/v1/models/{ids['page']}/preview").status_code == 404
    finally:
        server.stop()


def made_with(tx: WriteTx, lora: str, weight: float, moment: int) -> GenerationId:
    new = NewGeneration(Recipe(), "{}", moment, TimestampSource.MTIME, model_id=None, problems=[])
    [(image, _)] = generations.add_all(tx, [new], parser_version=1, app_version="test", now_ms=0)
    word_index.index_images(tx, [image])
    use = ModelUse(ModelKind.LORA, lora, None, weight)
    model_id = model_queries.find_or_add(tx, use, now_ms=0)
    assert model_id is not None
    model_queries.link(tx, image, [(model_id, use)])
    return image


def test_made_with_a_lora_of_some_weight_is_one_query_on_an_index(database: Database) -> None:
    for number in range(200):
        database.write_bulk(made_with, f"lora {number % 20}", number / 200, 1_700_000_000_000 + number * 1_000)
    model_id = database.read(lambda tx: tx.value("SELECT id FROM models WHERE name = 'lora 7'"))
    found = database.read(model_queries.list_made_with, model_id, role=ModelKind.LORA, min_weight=0.5)
    assert len(found) == 5
    assert found == sorted(found, reverse=True)

    def plan(tx: ReadTx) -> list[str]:
        rows = tx.all(
            """
            EXPLAIN QUERY PLAN
            SELECT u.generation_id
              FROM generation_models AS u
             WHERE u.model_id IN (SELECT :model UNION ALL SELECT id FROM models WHERE merged_into = :model)
               AND u.role = 'lora' AND u.weight >= 0.5
            """,
            model=model_id,
        )
        return [row["detail"] for row in rows]

    for statistics in (False, True):
        if statistics:
            database.write(lambda tx: tx.run("ANALYZE"))
        steps = database.read(plan)
        assert any(
            "COVERING INDEX generation_models_by_weight (model_id=? AND role=? AND weight>?)" in s for s in steps
        )
        assert not any(step.startswith("SCAN u") or ("models" in step and step.startswith("SCAN")) for step in steps)


def test_what_lies_in_the_trash_is_not_counted(database: Database) -> None:
    images = [database.write_bulk(made_with, "grain", 0.5, 1_700_000_000_000 + n * 1_000) for n in range(3)]
    database.write(
        lambda tx: tx.run("UPDATE generations SET deleted_at = 1, purge_after = 2 WHERE id = :id", id=images[1])
    )
    [model] = database.read(list_queries.list_models, kind="lora")
    assert (model.images, model.doubtful) == (2, 2)


def run(library: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mysticanvas.app.cli", *args, "--library", str(library)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_line_scans_lists_shows_and_merges(tmp_path: Path, folder: Path) -> None:
    library = tmp_path / "library"
    write_model(folder / "loras" / "film_grain.safetensors", safetensors(LORA_SDXL))
    write_model(folder / "loras" / "noise.safetensors", safetensors(LORA_SDXL, seed=3))
    assert json.loads(run(library, "model", "scan", str(folder), "--wait", "--json").stdout)["added"] == 2
    found = json.loads(run(library, "model", "list", "--kind", "lora", "--json").stdout)["models"]
    assert [model["name"] for model in found] == ["film_grain", "noise"]
    shown = json.loads(run(library, "model", "show", "film_grain", "--json").stdout)
    assert {one["kind"] for one in shown["hashes"]} >= {"sha256", "autov2", "autov3"}
    merged = json.loads(run(library, "model", "merge", "film_grain", "noise", "--json").stdout)
    assert len(json.loads(run(library, "model", "list", "--json").stdout)["models"]) == 1
    assert json.loads(run(library, "undo", str(merged["operation"]), "--json").stdout)["state"] == "undone"
    assert len(json.loads(run(library, "model", "list", "--json").stdout)["models"]) == 2
    assert "film_grain" in run(library, "model", "list").stdout
    nothing = run(library, "model", "show", "nothing")
    assert (nothing.returncode, "Traceback" in nothing.stderr) == (3, False)
    assert run(library, "model", "scan", str(folder / "nowhere")).returncode == 2
