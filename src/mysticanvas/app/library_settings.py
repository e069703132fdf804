"""The settings that are stored in the library, and how they are read and changed over the API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mysticanvas.cli.client import Client, make_absolute
from mysticanvas.domain.errors import InvalidInputError

Fraction = Annotated[float, Meta(ge=0, le=1)]
_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}


@dataclass(frozen=True, slots=True)
class LibrarySetting:
    """`path` is the resource that contains the value, `read` takes it from the response, and `write` sends a new
    value."""

    name: str
    kind: Any
    description: str
    path: str
    read: Callable[[Any], Any]
    write: Callable[[Client, Any], object]

    def convert(self, text: str) -> Any:
        """The value that was entered. Raises `InvalidInputError`."""
        entered = _SWITCHES.get(text.strip().lower(), text) if self.kind is bool else text
        try:
            return msgspec.convert(entered, self.kind, strict=False)
        except msgspec.ValidationError as error:
            reason = f"{str(error)[:1].lower()}{str(error)[1:]}"
            raise InvalidInputError(f"{self.name} cannot be “{text}”: {reason}.") from error


def _analysis(name: str, kind: Any, field: str, read: Callable[[Any], Any], description: str) -> LibrarySetting:
    def write(client: Client, value: Any) -> None:
        client.patch("/api/v1/vision", {field: _read_folder(value) if field == "clip_folder" else value})

    return LibrarySetting(name, kind, description, "/api/v1/vision", lambda found: read(found["settings"]), write)


def _tagger(name: str, kind: Any, field: str, description: str) -> LibrarySetting:
    def write(client: Client, value: Any) -> None:
        current = client.get("/api/v1/tagger")["tagger"]
        if field == "folder":
            value = _read_folder(value) or None
        elif current is None:
            raise InvalidInputError("No tagger is selected. Select one first: mysticanvas tagger enable FOLDER")
        known = {one: current[one] for one in ("folder", "least_general", "least_character", "after_import")} \
            if current else {}  # fmt: skip
        client.put("/api/v1/tagger", known | {field: value})

    return LibrarySetting(name, kind, description, "/api/v1/tagger",
                          lambda found: found["tagger"] and found["tagger"][field], write)  # fmt: skip


def _autotag(name: str, kind: Any, field: str, description: str) -> LibrarySetting:
    def read(found: Any) -> Any:
        return found["settings"] and _flatten(found["settings"])[field]

    def write(client: Client, value: Any) -> None:
        current = client.get("/api/v1/autotag/settings")["settings"]
        if current is None:
            raise InvalidInputError(
                "Auto-tagging is off. Set a model server first: mysticanvas autotag settings --endpoint URL "
                "--model NAME"
            )
        client.put("/api/v1/autotag/settings", _flatten(current) | {field: value})

    return LibrarySetting(name, kind, description, "/api/v1/autotag/settings", read, write)


def _flatten(settings: dict[str, Any]) -> dict[str, Any]:
    return {**settings["endpoint"], "look_at": settings["look_at"], "after_import": settings["after_import"]}


def _read_folder(entered: str) -> str:
    return make_absolute(Path(entered)) if entered else ""


def _split(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


SETTINGS: Sequence[LibrarySetting] = (
    LibrarySetting(
        "trash.days", Annotated[int, Meta(ge=1, le=3_650)], "Days that images stay in the Trash.", "/api/v1/trash",
        lambda found: found["days"], lambda client, value: client.patch("/api/v1/trash/settings", {"days": value}),
    ),
    LibrarySetting(
        "trash.locked", str, "Images that cannot be deleted from the Trash: favorites, collected, or both separated by "
        "a comma.", "/api/v1/trash",
        lambda found: ",".join(found["locked"]),
        lambda client, value: client.patch("/api/v1/trash/settings", {"locked": _split(value)}),
    ),
    LibrarySetting(
        "tags.from_prompts", bool, "Add tags from prompts.", "/api/v1/tags/prompt-tags", lambda found: found["on"],
        lambda client, value: client.put("/api/v1/tags/prompt-tags", {"on": value}),
    ),
    LibrarySetting(
        "jobs.sha256", bool, "Compute the SHA-256 hash of every file.", "/api/v1/jobs/summary",
        lambda found: found["on_request"]["sha256"],
        lambda client, value: client.post(f"/api/v1/jobs:{'start' if value else 'stop'}", {"kind": "sha256"}),
    ),
    _analysis("vision.enabled", bool, "is_on", lambda found: found["is_on"],
              "Analyze images for visual search and NSFW scores."),
    _analysis("vision.clip_folder", str, "clip_folder", lambda found: (found["clip"] or {}).get("folder"),
              "Folder of a CLIP model, for visual search by words."),
    _analysis("vision.nsfw_threshold", Fraction, "least_explicit", lambda found: found["least_explicit"],
              "NSFW score from which images are blurred."),
    _tagger("tagger.folder", str, "folder", "Folder of the WD tagger. An empty text stops using it."),
    _tagger("tagger.general", Fraction, "least_general", "Minimum confidence for general tags."),
    _tagger("tagger.character", Fraction, "least_character", "Minimum confidence for character tags."),
    _tagger("tagger.after_import", bool, "after_import", "Tag new images after import."),
    _autotag("autotag.endpoint", str, "base_url", "URL of a server with an OpenAI-compatible API."),
    _autotag("autotag.model", str, "model", "Name of a model on the server."),
    _autotag("autotag.allow_remote", bool, "allow_remote", "Allow a server on another machine."),
    _autotag("autotag.look_at", str, "look_at", "What is sent to the model: prompt, image or both."),
    _autotag("autotag.after_import", bool, "after_import", "Tag new images after import."),
)  # fmt: skip
NAMES = {one.name: one for one in SETTINGS}


def read_values(client: Client, settings: Sequence[LibrarySetting] = SETTINGS) -> dict[str, Any]:
    """The values of these settings by name. One request for each resource."""
    found = {path: client.get(path) for path in dict.fromkeys(one.path for one in settings)}
    return {one.name: one.read(found[one.path]) for one in settings}
