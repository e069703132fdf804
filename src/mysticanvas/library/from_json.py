"""Builds the objects of `records.py` from the JSON of the API."""

from pathlib import Path
from typing import Any

from mysticanvas.library.records import (
    Collection,
    Edit,
    HistoryEntry,
    Image,
    ImportProgress,
    ImportReport,
    Lora,
    Tag,
    parse_time,
)

_SAME = (
    "uuid",
    "rating",
    "prompt",
    "negative_prompt",
    "model",
    "model_hash",
    "vae",
    "steps",
    "cfg_scale",
    "guidance",
    "sampler",
    "scheduler",
    "denoise",
    "clip_skip",
    "width",
    "height",
    "missing",
    "params",
)


def read_image(item: dict[str, Any]) -> Image:
    return Image(
        **{name: item[name] for name in _SAME},
        path=None if item["path"] is None else Path(item["path"]),
        taken=parse_time(item["timestamp"]),
        added=parse_time(item["imported_at"]),
        favorite=item["is_favorite"],
        notes=item["notes"] or "",
        tags=tuple(item["tags"]),
        loras=tuple(Lora(one["name"], one["weight"], one["hash"]) for one in item["loras"]),
        seed=None if item["seed"] is None else int(item["seed"]),
        generator=item["tool"],
        generator_version=item["tool_version"],
        nsfw_score=item["explicit"],
        in_trash=item["deleted"],
    )


def read_edit(item: dict[str, Any]) -> Edit:
    return Edit(item["operation"], item["changed"], item["total"], item["state"])


def read_history_entry(item: dict[str, Any]) -> HistoryEntry:
    return HistoryEntry(item["operation"], parse_time(item["at"]), item["kind"], item["changed"], item["state"])


def read_tag(item: dict[str, Any]) -> Tag:
    return Tag(item["name"], item["category"], item["images"], item["alias_of"])


def read_collection(item: dict[str, Any]) -> Collection:
    return Collection(item["uuid"], item["name"], item["query"], item["images"])


def read_progress(item: dict[str, Any]) -> ImportProgress:
    return ImportProgress(item["state"], item["seen"], item["todo"], item["imported"], item["failed"])


def read_report(item: dict[str, Any]) -> ImportReport:
    names = ("imported", "unchanged", "moved", "copies", "missing", "failed", "seconds")
    failures = tuple((one["path"], one["reason"]) for one in item["failures"])
    return ImportReport(**{name: item[name] for name in names}, failures=failures)
