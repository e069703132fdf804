"""Responses and their documentation.

Routes return bytes that msgspec encoded, because a Pydantic model for each row would be slow. `returns` documents them:

    @router.get("/tags", operation_id="tags.list", responses=returns(TagPage, EXAMPLE))
    def list_tags(...) -> Response:
        return reply(TagPage(...))

A response model is a frozen dataclass. Its example is a value of the model, so the type checker checks it, too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Request, Response

T = TypeVar("T")
K = TypeVar("K")

# The prefix of all routes. Within a version, changes are compatible.
API = "/api/v1"
# One JSON object per line, for large documents.
JSON_LINES = "application/jsonl"
Responses = dict[int | str, dict[str, Any]]


def returns(model: Any, example: Any, *, status: int = 200, description: str = "") -> Responses:
    """Documents a JSON response. `example` is a value of `model` or the JSON of one. Join several statuses with |."""
    # As text, because FastAPI would drop what is null in it. `openapi.describe` decodes it.
    content = {"application/json": {"example": msgspec.json.encode(example).decode()}}
    return {status: {"model": model, "description": description or _describe(status), "content": content}}


def returns_nothing(description: str = "Done.") -> Responses:
    """Documents a response with status 204, which has no body."""
    return {204: {"description": description}}


def returns_file(
    media_types: str | Sequence[str], description: str, *, status: int = 200, example: str | None = None
) -> Responses:
    """Documents a response that is not JSON, of one or several media types. `example` is for text."""
    given = [media_types] if isinstance(media_types, str) else media_types
    return {status: {"description": description, "content": {one: _describe_file(one, example) for one in given}}}


def _describe_file(media_type: str, example: str | None) -> dict[str, Any]:
    is_text = media_type.startswith("text/") or media_type == JSON_LINES
    content: dict[str, Any] = {"schema": {"type": "string"} if is_text else {"type": "string", "format": "binary"}}
    return content if example is None else content | {"example": example}


_DESCRIPTIONS = {
    200: "Done.",
    201: "Created. The Location header has the path.",
    202: "Started. The Location header has the path of the progress.",
}


def _describe(status: int) -> str:
    return _DESCRIPTIONS.get(status, "Done.")


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Returns a JSON response encoded with msgspec."""
    return Response(msgspec.json.encode(value), status, None if headers is None else dict(headers), "application/json")


def split_page(found: list[T], limit: int, get_key: Callable[[T], K]) -> tuple[list[T], K | None]:
    """Returns the page, and the key of its last item if another page follows. `found` are `limit` + 1 items if there
    are that many."""
    page = found[:limit]
    return page, get_key(page[-1]) if page and len(found) > limit else None


def link_location(path: str) -> dict[str, str]:
    """Returns the Location header for a path of the API without its prefix, such as "/imports/{id}"."""
    return {"location": f"{API}{path}"}


def link_next(request: Request, **cursor: Any) -> dict[str, str]:
    """Returns the Link header for the next page of a list: the address of this page with other values of the
    parameters in `cursor`. A value that is None means that this page is the last, and there is no header."""
    if None in cursor.values():
        return {}
    parameters = [(name, value) for name, value in request.query_params.multi_items() if name not in cursor]
    parameters += [(name, str(value)) for name, value in cursor.items()]
    return {"link": f'<{request.url.path}?{urlencode(parameters)}>; rel="next"'}
