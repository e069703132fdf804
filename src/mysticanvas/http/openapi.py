"""The OpenAPI document: the routes, how to sign in, and one schema for all error responses."""

import json
import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mysticanvas.http import problems
from mysticanvas.http.gate import OPEN

_ABOUT = """\
The HTTP API of a MystiCanvas library. It has everything that the gallery and the commands use.

Times are milliseconds since 1970 in UTC unless a description says otherwise. Within version 1, changes are compatible:
new operations, and new fields in responses. Ignore the fields that you do not know.
"""
TAGS = {
    "images": "Images: search, details, files, ratings, notes.",
    "search": "Search results as snapshots, facets, autocomplete and statistics.",
    "edits": "Changes to many images at once, undo, redo and the history.",
    "tags": "Tags, their relations, and suggested tags.",
    "collections": "Collections: manual ones, and smart ones that are a search.",
    "trash": "Images in the Trash.",
    "duplicates": "Groups of duplicates.",
    "lineage": "Which image was made from which.",
    "templates": "Prompt templates, wildcards and exports.",
    "models": "Checkpoints, LoRAs and other model files.",
    "auto-tagging": "Tags that a language model suggests.",
    "jobs": "Background jobs.",
    "library": "Folders, imports, backups, checks and the event log.",
    "events": "The stream of events.",
    "hooks": "Commands and local URLs that are called on events.",
    "session": "Sign-in, the token, and access from other machines.",
}
_SENTENCE_END = re.compile(r"\.(?: |$)")
_ANY_JSON: dict[str, Any] = {"schema": {}}
_SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The text in the file `token` in the folder of the library. For scripts.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "mysticanvas",
        "description": "The cookie that `POST /api/v1/session` sets. For browsers. Its name ends with an "
        "underscore and an ID of the library.",
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Returns the OpenAPI document, which is built once. All error responses have the same schema, regardless of their
    status."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        # FastAPI's own error schema, which the application never sends.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = _build_problem_schema()
        components["securitySchemes"] = _SECURITY
        document["security"] = [{name: []} for name in _SECURITY]
        document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
        for path, method, operation in _operations(document):
            _describe_stream(operation["responses"].get("200", {}))
            _complete(operation, is_open=(method.upper(), path) in OPEN)
        _require_all_fields(document)
        app.openapi_schema = document
    return app.openapi_schema


def _describe_stream(response: dict[str, Any]) -> None:
    """The body of an event stream is a text. `x-event-schema` is the schema of the data of one event: OpenAPI 3.1 has
    no keyword for it."""
    content = response.get("content", {}).get("text/event-stream")
    if content is not None and "$ref" in content["schema"]:
        content["x-event-schema"] = {"$ref": content["schema"].pop("$ref")}


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _build_problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "title": "Problem",
        "description": "Problem details (RFC 9457). `type` is the URL path of a description, and `detail` is a message "
        "for the user. `position` and `suggestion` are null except for a search that is not valid. `confirm` is the "
        "field of the request that the user can set to true to go on, or null.",
        "required": ["type", "title", "status", "detail", "position", "suggestion", "confirm"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": text,
            "position": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 2_000}, {"type": "null"}]},
            "suggestion": {"anyOf": [text, {"type": "null"}]},
            "confirm": {"anyOf": [text, {"type": "null"}]},
        },
    }


def _complete(operation: dict[str, Any], *, is_open: bool) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    # The response that FastAPI adds to each route, if the route documents another one.
    if len([status for status in responses if status.startswith("2")]) > 1 and _is_untyped(responses.get("200")):
        del responses["200"]
    for response in responses.values():
        _complete_content(response.get("content", {}))
    responses["default"] = {
        "description": "The request failed. `detail` is a message for the user.",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    operation["summary"] = _summarize(operation)
    if is_open:
        operation["security"] = []


def _require_all_fields(document: dict[str, Any]) -> None:
    """Marks the fields of all responses as required, because msgspec writes fields with default values, too."""
    schemas = document["components"]["schemas"]
    names = {name for _, _, operation in _operations(document) for name in _find_references(operation["responses"])}
    done: set[str] = set()
    while names:
        name = names.pop()
        done.add(name)
        if "properties" in schemas[name]:
            schemas[name]["required"] = list(schemas[name]["properties"])
        names |= set(_find_references(schemas[name])) - done


def _find_references(value: Any) -> Iterator[str]:
    """Yields the names of the schemas to which a part of the document refers."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for one in value.values():
            yield from _find_references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _find_references(one)


def _complete_content(content: dict[str, Any]) -> None:
    if len(content) > 1 and content.get("application/json") == _ANY_JSON:
        del content["application/json"]
    if isinstance(content.get("application/json", {}).get("example"), str):
        content["application/json"]["example"] = json.loads(content["application/json"]["example"])


def _is_untyped(response: dict[str, Any] | None) -> bool:
    return response is not None and response.get("content") == {"application/json": _ANY_JSON}


def _summarize(operation: dict[str, Any]) -> str:
    """Returns the first sentence of the description, or else the words of the operation ID: "tags.listSlice" becomes
    "List slice"."""
    sentence = _SENTENCE_END.split(" ".join(operation.get("description", "").split()), maxsplit=1)[0]
    if sentence and len(sentence) <= 100:
        return sentence
    name = operation["operationId"].rpartition(".")[2]
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words[:1].upper() + words[1:]
