"""The OpenAPI document: the routes, and one schema for all error responses."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_REFUSED = "The request failed. `error` is a message for the user."
_SHAPE = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string"},
        "position": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 2_000}, {"type": "null"}]},
        "suggestion": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        # The field that must be true in the next request, if the user has to confirm it.
        "confirm": {"type": "string"},
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Returns the OpenAPI document, which is built once. All error responses have the same schema, regardless of their
    status."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Refusal"] = _SHAPE
        # FastAPI's own error schema, which the application never sends.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        refusal = {"schema": {"$ref": "#/components/schemas/Refusal"}}
        for methods in document["paths"].values():
            for operation in methods.values():
                _describe_stream(operation["responses"].get("200", {}))
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = {
                    "description": _REFUSED,
                    "content": {"application/json": refusal},
                }
        app.openapi_schema = document
    return app.openapi_schema


def _describe_stream(response: dict[str, Any]) -> None:
    """The body of an event stream is a text. `x-event-schema` is the schema of the data of one event: OpenAPI 3.1 has
    no keyword for it."""
    content = response.get("content", {}).get("text/event-stream")
    if content is not None and "$ref" in content["schema"]:
        content["x-event-schema"] = {"$ref": content["schema"].pop("$ref")}
