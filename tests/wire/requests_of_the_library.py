"""Requests about the library: folders, imports, models, image analysis, checks, backups, events, sign-in."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from mysticanvas.domain.event import EventKind
from mysticanvas.features.archive import service as archive_service
from mysticanvas.features.event_hooks import hook_file
from mysticanvas.features.event_hooks.types import Hook
from tests.integration.test_autotagging import running
from tests.model_files import LORA_SD1, safetensors, write_model
from tests.onnx_model import write_tagger
from tests.pictures import png, write_pictures
from tests.wire.world import Requests, World

# Against hanging.
LIMIT_S = 120.0
HOOK = Hook("3f9a1c20", EventKind.EDIT_DONE, created_at=1, url="http://127.0.0.1:9/hook")
JOURNAL_OF_ANOTHER = "11111111-2222-4333-8444-555555555555-000001.jsonl"


def home(world: World) -> Path:
    """The folder of the library and the pictures."""
    return world.served.library.parent


def list_hooks(world: World) -> httpx.Response:
    hook_file.write_hooks(world.served.library, [HOOK])
    return world.get("/hooks")


def wait_for_import(world: World, started: str) -> httpx.Response:
    while (reply := world.get(f"/imports/{started}", wait=20)).json()["report"] is None:
        pass
    return reply


def wait_for(world: World, path: str) -> httpx.Response:
    while (reply := world.get(path, wait=20)).json()["report"] is None:
        pass
    return reply


def add_folder(world: World) -> httpx.Response:
    """An unwatched folder, so that nothing but a scan sees what happens in it."""
    write_pictures(home(world) / "more", 3, first_seed=100)
    reply = world.post("/folders", {"path": str(home(world) / "more"), "watch": False})
    world.kept["folder"] = reply.json()["folder"]["id"]
    wait_for_import(world, reply.json()["scan"])
    return reply


def list_missing(world: World) -> httpx.Response:
    first, second, _ = sorted((home(world) / "more").rglob("*.png"))
    world.kept["content"] = first.read_bytes()
    first.unlink()
    second.unlink()
    started = world.post(f"/folders/{world.kept['folder']}:scan", {"accept": True}).json()["id"]
    wait_for_import(world, started)
    reply = world.get(f"/folders/{world.kept['folder']}/missing", limit=1)
    # In the order of their IDs, which is not that of their names.
    everything = world.get(f"/folders/{world.kept['folder']}/missing").json()["files"]
    [world.kept["missing"]] = [one["id"] for one in everything if one["path"].endswith(first.name)]
    return reply


def locate(world: World) -> httpx.Response:
    place = home(world) / "more" / "found.png"
    place.write_bytes(world.kept["content"])
    return world.post(f"/missing-files/{world.kept['missing']}:locate", {"path": str(place)})


def set_excludes(world: World) -> httpx.Response:
    reply = world.ask("PUT", f"/folders/{world.kept['folder']}/excludes", {"patterns": ["day-*/"]})
    wait_for_import(world, reply.json()["scan"])
    return reply


def scan_models(world: World) -> httpx.Response:
    folder = home(world) / "models"
    for name in ("grain", "dust"):
        write_model(folder / "loras" / f"{name}.safetensors", safetensors(LORA_SD1, {"modelspec.title": name}))
        write_model(folder / "loras" / f"{name}.png", png())
    return world.post("/models:scan", {"paths": [str(folder)]})


def list_models(world: World) -> httpx.Response:
    reply = world.get("/models", kind="lora")
    world.kept["models"] = [one["id"] for one in reply.json()["models"]]
    return reply


def merge_models(world: World) -> httpx.Response:
    first, second = world.kept["models"]
    return world.post("/models:merge", {"keep": first, "other": second})


def select_tagger(world: World) -> httpx.Response:
    folder = write_tagger(home(world) / "tagger")
    return world.ask("PUT", "/tagger", {"folder": str(folder), "after_import": False})


def try_autotag(world: World) -> httpx.Response:
    with running() as stub:
        return world.post("/autotag:try", {"base_url": stub.url, "model": "tiny"})


def start_run(world: World) -> httpx.Response:
    # The jobs wait, because nothing answers them.
    world.post("/jobs:pause", {"kind": "autotag"})
    return world.keep("run", "run", world.post("/autotag/runs", {"uuids": world.images[:1], "again": True}))


def list_findings(world: World) -> httpx.Response:
    """After a verification that found a changed file."""
    first, *_ = sorted((home(world) / "pictures").rglob("*.png"))
    first.write_bytes(first.read_bytes()[:-1] + b"\0")
    world.post("/verify:start", {})
    deadline = time.monotonic() + LIMIT_S
    while world.get("/verify").json()["state"]["on"] and time.monotonic() < deadline:
        time.sleep(0.05)
    return world.get("/verify/findings", limit=1)


def write_sidecars(world: World) -> httpx.Response:
    snapshot = world.post("/snapshots", {"q": ""}).json()["snapshot"]
    return world.post("/sidecars", {"snapshot": snapshot, "ranges": [[0, 1]], "format": "xmp"})


def start_migration(world: World) -> httpx.Response:
    archive = home(world) / "library.zip"
    archive_service.write_archive(archive, world.get("/library/archive").content)
    return world.keep("migration", "id", world.post("/migrations", {"path": str(archive), "dry_run": True}))


def start_rebuild(world: World) -> httpx.Response:
    (world.served.library / "journal").mkdir(exist_ok=True)
    (world.served.library / "journal" / JOURNAL_OF_ANOTHER).write_bytes(b"")
    return world.post("/library/rebuild")


def read_stream(world: World) -> httpx.Response:
    """The reply with the first message; the stream itself does not end."""
    with world.served.http.stream("GET", "/api/v1/events/stream") as stream:
        first = next(stream.iter_lines())
        return httpx.Response(stream.status_code, headers=stream.headers, text=first, request=stream.request)


def restore(world: World) -> httpx.Response:
    """After it, the server starts anew."""
    reply = world.post(f"/backups/{world.kept['backup']}:restore")
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError, httpx.HTTPStatusError):
            if world.served.wait_until_up().get("/api/v1/events", kind="restore")["events"]:
                break
        time.sleep(0.05)
    return reply


def sign_in(world: World) -> httpx.Response:
    return world.post("/session", {"code": world.kept["link"].rpartition("#t=")[2]})


ENDPOINT: dict[str, Any] = {"base_url": "http://127.0.0.1:9/v1", "model": "tiny"}

REQUESTS: Requests = {
    "library.getStatus": lambda world: world.get("/status"),
    "folders.list": lambda world: world.get("/folders"),
    "folders.listSuggestions": lambda world: world.get("/folders/suggestions"),
    "folders.add": add_folder,
    "folders.get": lambda world: world.get(f"/folders/{world.kept['folder']}"),
    "folders.scan": lambda world: world.keep("import", "id", world.post(f"/folders/{world.kept['folder']}:scan")),
    "imports.get": lambda world: wait_for_import(world, world.kept["import"]),
    "imports.cancel": lambda world: world.post(f"/imports/{world.kept['import']}:cancel"),
    "imports.start": lambda world: world.post("/imports", {"paths": [str(home(world) / "pictures")], "dry_run": True}),
    "images.reparse": lambda world: world.post("/images:reparse", {"all": True}),
    "folders.listUntracked": lambda world: world.get(f"/folders/{world.kept['folder']}/untracked"),
    "folders.listMissing": list_missing,
    "missingFiles.locate": locate,
    "missingFiles.forget": lambda world: world.post("/missing-files:forget", {"folder": world.kept["folder"]}),
    "folders.previewExcludes": lambda world: world.post(
        f"/folders/{world.kept['folder']}/excludes:preview", {"patterns": ["day-*/"]}
    ),
    "folders.setExcludes": set_excludes,
    "models.scan": scan_models,
    "models.list": list_models,
    "models.getPreview": lambda world: world.get(f"/models/{world.kept['models'][0]}/preview"),
    "models.merge": merge_models,
    "models.get": lambda world: world.get(f"/models/{world.kept['models'][0]}"),
    "models.listImages": lambda world: world.get(f"/models/{world.kept['models'][0]}/images"),
    "vision.get": lambda world: world.get("/vision"),
    "vision.update": lambda world: world.ask("PATCH", "/vision", {"least_explicit": 0.8}),
    "vision.listScores": lambda world: world.post("/vision/scores", {"thumbs": ["9f" * 32]}),
    "tagger.set": select_tagger,
    "tagger.get": lambda world: world.get("/tagger"),
    "tagger.run": lambda world: world.post("/tagger:run", {"q": "seed:1"}),
    "autotag.setSettings": lambda world: world.ask("PUT", "/autotag/settings", ENDPOINT),
    "autotag.getSettings": lambda world: world.get("/autotag/settings"),
    "autotag.try": try_autotag,
    "autotag.startRun": start_run,
    "autotag.forgetRun": lambda world: world.post("/autotag/runs:forget", {"run": world.kept["run"]}),
    "autotag.disable": lambda world: world.post("/autotag:disable"),
    "verify.listFindings": list_findings,
    "verify.acceptFindings": lambda world: world.post("/verify/findings:accept", {"finding": "missing"}),
    "verify.dismissFindings": lambda world: world.post("/verify/findings:dismiss"),
    "verify.get": lambda world: world.get("/verify"),
    "verify.start": lambda world: world.post("/verify:start", {"bytes_per_day": 1 << 30}),
    "verify.stop": lambda world: world.post("/verify:stop"),
    "sidecars.write": write_sidecars,
    "library.export": lambda world: world.get("/library/export"),
    "library.exportArchive": lambda world: world.get("/library/archive"),
    "migrations.start": start_migration,
    "migrations.get": lambda world: wait_for(world, f"/migrations/{world.kept['migration']}"),
    "folders.remove": lambda world: world.ask("DELETE", f"/folders/{world.kept['folder']}"),
    "library.startRebuild": start_rebuild,
    "library.getRebuild": lambda world: wait_for(world, "/library/rebuild"),
    "doctor.check": lambda world: world.get("/doctor"),
    "doctor.getSupportBundle": lambda world: world.get("/doctor/bundle"),
    "doctor.listRepairs": lambda world: world.get("/doctor/repairs"),
    "doctor.repair": lambda world: world.post("/doctor/repairs"),
    "backups.create": lambda world: world.keep("backup", "name", world.post("/backups")),
    "backups.get": lambda world: world.get(f"/backups/{world.kept['backup']}"),
    "backups.drill": lambda world: world.post(f"/backups/{world.kept['backup']}:drill"),
    "backups.list": lambda world: world.get("/backups"),
    "events.list": lambda world: world.get("/events", limit=2),
    "events.listKinds": lambda world: world.get("/events/kinds"),
    "events.export": lambda world: world.get("/events/export", kind="backup"),
    "events.stream": read_stream,
    "hooks.list": list_hooks,
    "hooks.update": lambda world: world.ask("PATCH", f"/hooks/{HOOK.id}", {"enabled": False}),
    "session.getProof": lambda world: world.get("/session/proof", nonce="ab" * 32),
    "session.createLinks": lambda world: world.keep("link", "url", world.post("/session/links")),
    "session.signIn": sign_in,
    "backups.restore": restore,
    # Last, because the token is another one afterwards.
    "session.rotateToken": lambda world: world.post("/session/token", {"confirm": True}),
}
