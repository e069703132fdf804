"""What the server says to the gallery, as examples that both sides are held to.

Each example is a reply of a real Orchestrator in `tests/wire/NAME.json`. Here its shape is compared
with what the server says now; `web/src/api/wire.test.ts` holds the gallery's types to the same files.

After a change that is meant, write the examples anew, look at the difference, and commit it:

    MYSTICANVAS_WIRE=rewrite python3 dev.py test tests/wire
"""

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mysticanvas.db.database import Database, WriteTx
from mysticanvas.domain.event import EventKind
from mysticanvas.features.event_hooks.hook_file import write_hooks
from mysticanvas.features.event_hooks.types import Hook
from mysticanvas.jobs import queue as job_queue
from tests.faults.serving import Served
from tests.model_files import LORA_SD1, safetensors, write_model
from tests.pictures import png

HERE = Path(__file__).parent
REWRITING = os.environ.get("MYSTICANVAS_WIRE") == "rewrite"
MADE_S = 1_787_400_000
PARAMETERS = """a lighthouse in a violet storm, <lora:film_grain:0.6>
Negative prompt: lowres, blurry
Steps: 31, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 4.5, Seed: 3428989595, Size: 832x1216, \
Model hash: 0123456789, Model: dreamer_v1, VAE: soft.safetensors, Denoising strength: 0.4, Clip skip: 2, \
Lora hashes: "film_grain: abcdef012345", Hires upscale: 2, Version: v1.10.1"""
# Enlarged from an image that is not there.
UPSCALED = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "gone.png"}},
    "2": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "4x.pth"}},
    "3": {"class_type": "ImageUpscaleWithModel", "inputs": {"upscale_model": ["2", 0], "image": ["1", 0]}},
    "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
}
LORA_TEXTS = {
    "modelspec.title": "Film grain",
    "modelspec.trigger_phrase": "analog film",
    "modelspec.author": "you",
}
# Names whose values are others each time, and what stands for them in the examples.
VOLATILE = frozenset(
    {
        "snapshot",
        "token",
        "id",
        "operation",
        "at",
        "imported_at",
        "last_scan_at",
        "created_at",
        "app_version",
        "rate_per_s",
        "seconds",
        "updated_at",
        "started_at",
        "resumed_at",
        "finished_at",
        "found_at",
        "day_from",
        "made_at",
        "missing_at",
    }
)
# Names whose values are null or not, by chance.
SOMETIMES = frozenset({"eta_s", "rate_bytes_per_s"})
STAND_INS = {str: "any", int: 1, float: 1.5}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Three images: one that says everything, one that says nothing, one that cannot be shown."""
    home = tmp_path_factory.mktemp("wire")
    (home / "ComfyUI" / "output").mkdir(parents=True)
    (home / "library").mkdir()
    with Database.open(home / "library") as database:
        database.write(_park_a_job)
    pictures = home / "pictures"
    pictures.mkdir()
    whole = png(832, 1216, texts={"parameters": PARAMETERS})
    for number, (name, content) in enumerate({"whole": whole, "bare": png(color=0x112233), "cut": _cut_off()}.items()):
        path = pictures / f"{name}.png"
        path.write_bytes(content)
        os.utime(path, (MADE_S - number * 86_400, MADE_S - number * 86_400))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("USERPROFILE", str(home))
        patch.setenv("TZ", "UTC")
        server = Served(home / "library", [pictures]).wait_until_up()
    server.wait_until_idle(3)
    yield server
    server.stop()


def _cut_off() -> bytes:
    """A PNG that ends before its last chunk."""
    return png(60, 40)[:-12]


def _park_a_job(tx: WriteTx) -> None:
    """As a file does that crashes the worker twice."""
    job_queue.enqueue(tx, job_queue.NewJob("thumb", {"generation": 1}, "gone"), now_ms=0)
    for days in range(job_queue.MAX_CRASHES):
        # A day later, so that the wait between two tries is over.
        [claimed] = job_queue.claim(tx, owner_id="earlier", limit=1, now_ms=days * 86_400_000)
        job_queue.fail(
            tx, claimed, error="The worker ended while it read this file.", crashed=True, now_ms=0, most_attempts=4
        )


@pytest.fixture(scope="module")
def replies(served: Served) -> dict[str, Any]:
    """Name of the example to what the server says now."""
    view = served.post("/api/v1/snapshots", {"q": 'lighthouse -"red fox" model:dreamer_v1 -rating:5 -lora:film_gran'})
    everything = served.post("/api/v1/snapshots", {"q": ""})["snapshot"]
    items = served.get(f"/api/v1/snapshots/{everything}/items", start=0, count=3)
    whole, bare, _ = items["uuid"]
    status = served.get("/api/v1/status")
    marked = {"snapshot": everything, "ranges": [[0, 1]], "except": [], "set": {"rating": 4}}
    with served.http.stream("GET", "/api/v1/events/stream") as stream:
        bulk = served.post("/api/v1/edits", marked)
        _write_later(Path(status["folders"][0]["path"]))
        events = _events(stream.iter_lines())
    undo = served.post(f"/api/v1/edits/{bulk['operation']}/undo", {})
    served.wait_until_idle(4)
    return {
        "query": view,
        "items": items,
        "position": served.get(f"/api/v1/snapshots/{everything}/position", uuid=whole),
        "newer": served.get(f"/api/v1/snapshots/{everything}/newer"),
        "facets": served.get(f"/api/v1/snapshots/{everything}/facets/model"),
        "facets_all": served.get(f"/api/v1/snapshots/{everything}/facets"),
        "complete": served.get("/api/v1/completions", q="model:"),
        "highlights": served.get(f"/api/v1/snapshots/{view['snapshot']}/highlights", uuid=whole),
        "stats": served.get("/api/v1/stats"),
        "detail": served.get(f"/api/v1/images/{whole}"),
        "detail_bare": served.get(f"/api/v1/images/{bare}"),
        "raw": served.get(f"/api/v1/images/{whole}/raw"),
        "status": status,
        "jobs": served.get("/api/v1/jobs/summary"),
        "jobs_list": served.get("/api/v1/jobs", status="error", limit=1),
        "job": served.get("/api/v1/jobs/1"),
        "suggestions": served.get("/api/v1/folders/suggestions"),
        "bulk": bulk,
        "undo": undo,
        "error": served.http.post("/api/v1/snapshots", json={"q": "modle:x"}).json(),
        "events": events,
        "lineage": _lineage(served, child=bare),
        "duplicates": served.get("/api/v1/duplicates", by="bytes"),
        "autotag": served.put("/api/v1/autotag/settings", {"base_url": "http://127.0.0.1:8080", "model": "tiny"}),
        "autotag_run": served.post("/api/v1/autotag/runs", {"query": "", "dry_run": True}),
        **_models(served),
        **_organised(served, whole),
        **_verify(served),
        **_kept(served, whole),
        **_looked_after(served),
        "hooks": _hooks(served),
    }


def _hooks(served: Served) -> Any:
    """Both are off, so that no event calls them."""
    url = Hook("5e6f7a8b", EventKind.IMPORT_DONE, 0, url="http://127.0.0.1:1/")
    write_hooks(served.library, [replace(url, id="0a1b2c3d", url=None, command=["/bin/true"], folder="/"), url])
    for hook in (url.id, "0a1b2c3d"):
        served.http.patch(f"/api/v1/hooks/{hook}", json={"enabled": False}).raise_for_status()
    return served.get("/api/v1/hooks")


def _write_later(folder: Path) -> None:
    """Whole and as old as it says from its first moment in the folder."""
    content = png(color=0x778899, texts={"prompt": json.dumps(UPSCALED)})
    written = folder.parent / "later.png"
    written.write_bytes(content)
    os.utime(written, (MADE_S + 60, MADE_S + 60))
    written.replace(folder / "later.png")


def _lineage(served: Served, *, child: str) -> Any:
    """Of an image whose source is unknown and which the person says another came from."""
    later = served.get("/api/v1/images", q="")["items"][0]["uuid"]
    served.put(f"/api/v1/images/{child}/parent", {"parent": later, "relation": "variation"})
    return served.get(f"/api/v1/images/{later}/lineage")


def _verify(served: Served) -> dict[str, Any]:
    """After a check: the file that is cut off is undecodable."""
    served.post("/api/v1/verify:start", {"bytes_per_day": 1 << 30})
    while served.get("/api/v1/verify")["state"]["on"]:
        time.sleep(0.05)
    return {"verify": served.get("/api/v1/verify"), "verify_findings": served.get("/api/v1/verify/findings", limit=1)}


def _models(served: Served) -> dict[str, Any]:
    """The registry after a scan; the image's LoRA and the one of the folder are said to be one."""
    folder = served.library.parent / "ComfyUI" / "models"
    write_model(folder / "loras" / "grain_v2.safetensors", safetensors(LORA_SD1, LORA_TEXTS))
    scan = served.post("/api/v1/models:scan", {"paths": [str(folder)]})
    served.wait_until_idle(4)
    [of_image] = served.get("/api/v1/models", name="film_grain")["models"]
    [of_file] = served.get("/api/v1/models", name="grain_v2")["models"]
    served.post("/api/v1/models:merge", {"keep": of_file["id"], "other": of_image["id"]})
    return {
        "model_scan": scan,
        "models": served.get("/api/v1/models"),
        "model": served.get(f"/api/v1/models/{of_file['id']}"),
        "made_with": served.get(f"/api/v1/models/{of_file['id']}/images", min_weight=0.5),
    }


def _organised(served: Served, image: str) -> dict[str, Any]:
    """Tags of every kind, and collections by hand and by search."""
    script = "tag storm : weather\nalias tempest -> storm\nimply storm -> sky\nthreshold vision 0.4 : storm\n"
    trial = served.post("/api/v1/tags:bulk-edit", {"text": script + "imply sky -> storm", "dry_run": True})
    served.post("/api/v1/tags:bulk-edit", {"text": script})
    served.post("/api/v1/edits", {"uuids": [image], "set": {"tags": {"add": ["tempest"], "reject": ["boat"]}}})
    by_hand = served.post("/api/v1/collections", {"name": "Best", "notes": "for the wall"})
    served.post("/api/v1/edits", {"uuids": [image], "set": {"collect": by_hand["uuid"]}})
    served.post("/api/v1/collections", {"name": "Stormy", "query": "tag:storm", "parent": by_hand["uuid"]})
    view = served.post("/api/v1/snapshots", {"q": "tag:storm"})["snapshot"]
    return {
        "collection_made": by_hand,
        "collections": served.get("/api/v1/collections"),
        "tags": served.get("/api/v1/tags/completions", q="tem"),
        "tag": served.get("/api/v1/tags/by-name", name="storm"),
        "tags_part": served.get("/api/v1/tags/slice", q="s", category="weather"),
        "tags_of": served.post("/api/v1/tags:count", {"snapshot": view, "ranges": [[0, 1]]}),
        "tag_categories": served.get("/api/v1/tag-categories"),
        "tag_trial": trial,
        "image_tags": served.get(f"/api/v1/images/{image}/tags"),
    }


def _kept(served: Served, image: str) -> dict[str, Any]:
    """Templates, the Trash and the history, which has a deed of an image in the Trash."""
    draft = {"content": "a {red|blue} {subject}, __light__", "params": {"steps": 20}}
    served.put("/api/v1/wildcards", {"name": "light", "content": "dawn"})
    made = served.post("/api/v1/templates", draft | {"name": "Foxes", "category": "animals", "preview": image})
    expand = f"/api/v1/templates/{made['uuid']}:expand"
    served.post("/api/v1/edits", {"uuids": [image], "set": {"trash": True}})
    return {
        "templates": served.get("/api/v1/templates"),
        "tried": served.post("/api/v1/templates:try", draft | {"seed": 1, "form": "prompt"}),
        "expanded": served.post(expand, {"seed": 1, "form": "json"}),
        "trash": served.get("/api/v1/trash") | {"items": []},
        "purge": served.post("/api/v1/trash:purge", {"which": "all", "dry_run": True}),
        "operations": served.get("/api/v1/edits", limit=2),
    }


def _looked_after(served: Served) -> dict[str, Any]:
    """A folder with a file that is gone and one that cannot be read, a backup that was tried out, events."""
    [root] = served.get("/api/v1/folders")["folders"]
    folder = Path(root["path"])
    (folder / "later.png").unlink()
    (folder / "broken.png").write_bytes(bytes(range(9)) * 9)
    scan = f"/api/v1/folders/{root['id']}:scan"
    dry = served.post(scan, {"dry_run": True})["id"]
    dry_run = served.get(f"/api/v1/imports/{dry}", wait=20)
    done = served.post(scan, {})["id"]
    served.get(f"/api/v1/imports/{done}", wait=20)
    made = served.post("/api/v1/backups", {})
    served.post(f"/api/v1/backups/{made['name']}:drill", {})
    kinds = served.get("/api/v1/events/kinds")["kinds"]
    return {
        "folders": served.get("/api/v1/folders"),
        "missing": served.get(f"/api/v1/folders/{root['id']}/missing"),
        "untracked": served.get(f"/api/v1/folders/{root['id']}/untracked"),
        "import": dry_run,
        "backups": served.get("/api/v1/backups"),
        "log": served.get("/api/v1/events", kind="backup", limit=1),
        "log_kinds": {"kinds": {kind: kinds[kind] for kind in ("backup", "import")}},
    }


def _events(lines: Iterator[str]) -> dict[str, Any]:
    """The last message of each kind, until there is one of each."""
    found: dict[str, Any] = {}
    kind = ""
    for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: ") and kind in EVENTS:
            found[kind] = json.loads(line.removeprefix("data: "))
        if set(found) >= EVENTS:
            break
    return dict(sorted(found.items()))


EVENTS = {"image.added", "image.changed", "edit.done", "job.done", "import.done", "jobs", "import"}
NAMES = (
    "query", "items", "position", "newer", "facets", "facets_all", "complete", "highlights", "stats", "detail",
    "detail_bare", "raw", "status", "jobs", "jobs_list", "job", "suggestions", "bulk", "undo", "error", "events",
    "collection_made", "collections", "tags", "tag", "tags_part", "tags_of", "tag_categories", "tag_trial",
    "image_tags",
    "lineage", "model_scan", "models", "model", "made_with",
    "verify", "verify_findings",
    "duplicates", "autotag", "autotag_run",
    "folders", "missing", "untracked", "import", "backups", "log", "log_kinds",
    "templates", "tried", "expanded", "trash", "purge", "operations", "hooks",
)  # fmt: skip


def shape(value: Any) -> Any:
    """Names and types, without values; a list has the shapes of its members, each once."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(item), sort_keys=True) for item in value})
    if value is None:
        return "null"
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "string"


def stable(value: Any, key: str = "") -> Any:
    """The same on every machine and at every time, and still an example."""
    if isinstance(value, dict):
        return {name: stable(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [stable(item, key) for item in value]
    if key in SOMETIMES:
        return 1.5
    if key in VOLATILE and type(value) in STAND_INS:
        return STAND_INS[type(value)]
    if isinstance(value, str):
        value = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "11111111-2222-4333-8444-555555555555", value)
        return re.sub(r"(/|[A-Z]:\\)\S*?(?=pictures|ComfyUI|library)", "/home/you/", value)
    return value


@pytest.mark.parametrize("name", NAMES)
def test_the_server_says_what_its_example_says(replies: dict[str, Any], name: str) -> None:
    path = HERE / f"{name}.json"
    said = stable(replies[name])
    if REWRITING:
        path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", "utf-8")
    committed = json.loads(path.read_text("utf-8"))
    assert shape(said) == shape(committed), f"{path.name}: if this is meant, see the top of {Path(__file__).name}"


def test_every_example_is_of_a_reply(replies: dict[str, Any]) -> None:
    assert set(replies) == set(NAMES) == {path.stem for path in HERE.glob("*.json")} - {"openapi"}
