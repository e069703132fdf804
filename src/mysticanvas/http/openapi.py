"""What the OpenAPI document says besides the routes: how a request is refused."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_REFUSED = "Refused; `error` is a sentence for the person."
_SHAPE = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string"},
        "position": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 2_000}, {"type": "null"}]},
        "suggestion": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made once. Each refusal has one shape, whatever its status."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Refusal"] = _SHAPE
        # FastAPI's own shape of a refusal, which the application never sends.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        refusal = {"schema": {"$ref": "#/components/schemas/Refusal"}}
        for methods in document["paths"].values():
            for operation in methods.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = {
                    "description": _REFUSED,
                    "content": {"application/json": refusal},
                }
        app.openapi_schema = document
    return app.openapi_schema
