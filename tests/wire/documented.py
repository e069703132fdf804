"""Holds replies of a real server against the OpenAPI document: their status, type and body, without unknown fields."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs

# In `web/`, because the build of the gallery generates its types from it.
GOLDEN = Path(__file__).resolve().parents[2] / "web" / "openapi.json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    described: Mapping[str, Any]

    @property
    def answers(self) -> Mapping[str, Any]:
        """Status to description, of success."""
        return {status: one for status, one in self.described["responses"].items() if status.startswith("2")}

    @property
    def untyped(self) -> list[str]:
        """What is missing: every success has a schema and an example, or says that it has no body."""
        if not self.answers:
            return ["no success is described"]
        return [fault for status, one in self.answers.items() for fault in _find_missing(status, one)]


def _find_missing(status: str, described: Mapping[str, Any]) -> Iterator[str]:
    content = described.get("content", {})
    if status == "204":
        if content:
            yield "204 has no body"
        return
    if not content:
        yield f"{status} has no content"
    for media, one in content.items():
        if not one.get("schema"):
            yield f"{status} {media} has no schema"
        if "json" in media and "example" not in one:
            yield f"{status} {media} has no example"


class Document:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = _forbid_unknown_fields(document)
        self.operations = {
            described["operationId"]: Operation(described["operationId"], method.upper(), path, described)
            for path, methods in document["paths"].items()
            for method, described in methods.items()
        }

    @classmethod
    def read(cls) -> "Document":
        return cls(json.loads(GOLDEN.read_text("utf-8")))

    def check(self, name: str, reply: httpx.Response) -> list[str]:
        """What is wrong with the reply to this operation."""
        operation = self.operations[name]
        path = reply.request.url.path
        if reply.request.method != operation.method or not re.fullmatch(_as_pattern(operation.path), path):
            return [f"{reply.request.method} {path} is another operation"]
        described = operation.described["responses"].get(str(reply.status_code))
        if described is None:
            return [f"status {reply.status_code} is not described: {reply.text[:200]}"]
        if "content" not in described:
            return [] if not reply.content else ["a body that is not described"]
        media = reply.headers["content-type"].partition(";")[0]
        if media not in described["content"]:
            return [f"content of the type {media} is not described"]
        if "json" not in media or media == "application/jsonl":
            return []
        return self.validate(described["content"][media]["schema"], reply.json())

    def validate(self, schema: Mapping[str, Any], value: Any) -> list[str]:
        validator = jsonschema_rs.Draft202012Validator({**schema, "components": self._document["components"]})
        return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(value)]

    def list_wrong_examples(self) -> Iterator[str]:
        for operation in self.operations.values():
            for status, described in operation.answers.items():
                for content in described.get("content", {}).values():
                    if "example" in content:
                        for fault in self.validate(content["schema"], content["example"]):
                            yield f"{operation.name} {status}: {fault}"


def schemas_of_requests(document: Mapping[str, Any]) -> dict[str, Any]:
    """Name to schema, of the bodies of requests and what is in them."""
    schemas, found = document["components"]["schemas"], {}
    bodies = [one.get("requestBody", {}) for methods in document["paths"].values() for one in methods.values()]
    left = _names_in(bodies)
    while left:
        name = left.pop()
        found[name] = schemas[name]
        left |= _names_in(schemas[name]) - set(found)
    return found


def _names_in(value: Any) -> set[str]:
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(value)))


def _as_pattern(path: str) -> str:
    return "".join(".+?" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path))


def _forbid_unknown_fields(value: Any) -> Any:
    """The document, but a reply may have only the fields that it tells of."""
    if isinstance(value, list):
        return [_forbid_unknown_fields(one) for one in value]
    if not isinstance(value, dict):
        return value
    strict = {name: one if name == "example" else _forbid_unknown_fields(one) for name, one in value.items()}
    if isinstance(strict.get("properties"), dict) and strict.get("type") == "object":
        strict.setdefault("additionalProperties", False)
    return strict
