"""The schema of the event stream: the data of each event, by the name of the event."""

from typing import Any

_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 1 << 40}
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_NULL: dict[str, Any] = {"type": "null"}


def build_stream_schema() -> dict[str, Any]:
    return _build_object(
        "The data of each event of the stream, by the name of the event.",
        images=_build_object("Images were added or removed.", added=_COUNT, removed=_COUNT, total=_COUNT),
        item=_build_object(
            "Images changed. `uuids` is null if there are too many to list.", uuids={"anyOf": [_TEXTS, _NULL]}
        ),
        **{"import": {"$ref": "#/components/schemas/ImportProgress"}},
        jobs=_build_object(
            "The background jobs changed.",
            kinds={"type": "array", "items": {"$ref": "#/components/schemas/KindProgress"}},
        ),
        stale=_build_object("The contents of these lists (tags, collections, …) changed.", lists=_TEXTS),
        trouble=_build_object(
            "Why the library or its journal cannot be written. Null: it can be written again.",
            sentence={"anyOf": [{"type": "string"}, _NULL]},
        ),
        gap=_build_object("Events were lost. Load what you show again."),
    )


def _build_object(description: str, **fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "description": description, "required": list(fields), "properties": fields}
