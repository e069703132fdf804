"""The reference of the API as static pages: `/docs`, made from the OpenAPI document, and `/docs/errors`.

The pages have no scripts and load nothing from other servers. They contain nothing about the library, so they need no
sign-in.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse

from mysticanvas.http.problems import DOCS, KINDS

_CSS = Path(__file__).with_name("reference.css")
_METHODS = ("get", "post", "put", "patch", "delete")
_CODE = re.compile(r"`([^`]+)`")


def routes(describe: Callable[[], Mapping[str, Any]]) -> APIRouter:
    """`describe` returns the OpenAPI document."""
    router = APIRouter(include_in_schema=False)
    reference = cache(lambda: render_reference(describe()))

    @router.get("/docs")
    def show_reference() -> Response:
        return HTMLResponse(reference(), headers={"cache-control": "no-cache"})

    @router.get(DOCS)
    def show_errors() -> Response:
        return HTMLResponse(render_errors(), headers={"cache-control": "no-cache"})

    @router.get("/docs/reference.css")
    def show_style() -> Response:
        return FileResponse(_CSS, headers={"cache-control": "no-cache"})

    return router


def render_errors() -> str:
    """A page with a section for each kind of problem."""
    body = "<h1>Errors</h1><p>The API reports errors as <code>application/problem+json</code>, as in RFC 9457.</p>"
    links = []
    for status, kind in sorted(KINDS.items()):
        body += f'<h2 id="{kind.name}">{status}: {escape(kind.title)}</h2><p>{_format(kind.description)}</p>'
        links.append(f'<li><a href="#{kind.name}">{status} {escape(kind.title)}</a></li>')
    return _render_page("Errors", f'<p><a href="/docs">All operations</a></p><ul>{"".join(links)}</ul>', body)


def render_reference(document: Mapping[str, Any]) -> str:
    """A page with all operations by tag, and then all schemas."""
    tags: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    links: dict[str, list[str]] = {name: [] for name in tags}
    for path, method, operation in _operations(document):
        tag = operation["tags"][0]
        tags[tag].append(_render_operation(path, method, operation))
        name = escape(operation["operationId"])
        links[tag].append(f'<li><a href="#{name}">{name}</a></li>')
    schemas = document["components"]["schemas"]
    info = document["info"]
    body = f"<h1>{escape(info['title'])} API</h1>" + "".join(
        f"<p>{_format(part)}</p>" for part in info["description"].split("\n\n")
    )
    body += _render_security(document) + f'<p>See also <a href="{DOCS}">errors</a>.</p>'
    for tag in document["tags"]:
        name = tag["name"]
        body += f'<h2 id="tag-{escape(name)}">{escape(name)}</h2><p>{_format(tag["description"])}</p>'
        body += "".join(tags[name])
    body += '<h2 id="schemas">Schemas</h2>'
    body += "".join(_render_schema(name, schema) for name, schema in sorted(schemas.items()))
    return _render_page("API reference", _render_links(links, sorted(schemas)), body)


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _render_links(links: Mapping[str, list[str]], schemas: list[str]) -> str:
    named = [f'<li><a href="#{escape(name)}">{escape(name)}</a></li>' for name in schemas]
    parts = [*((f"tag-{name}", name, items) for name, items in links.items()), ("schemas", "Schemas", named)]
    return "".join(
        f'<details><summary><a href="#{escape(anchor)}">{escape(name)}</a></summary><ul>{"".join(items)}</ul></details>'
        for anchor, name, items in parts
    )


def _render_security(document: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{_format(one['description'])}</td></tr>"
        for name, one in document["components"]["securitySchemes"].items()
    )
    return f"<h4>Sign-in</h4><table>{rows}</table>"


def _render_operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    name = escape(operation["operationId"])
    text = f'<article id="{name}"><h3>{_format(operation["summary"])}</h3>'
    text += f'<p class="path"><span class="method">{method.upper()}</span>{escape(path)}</p>'
    if "description" in operation:
        text += f"<p>{_format(operation['description'])}</p>"
    if operation.get("parameters"):
        rows = "".join(map(_render_parameter, operation["parameters"]))
        text += f"<h4>Parameters</h4><table>{rows}</table>"
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        text += f"<h4>Request body</h4><p>{_render_type(content.get('schema', {}))} as {escape(media)}</p>"
    for status, response in sorted(operation["responses"].items()):
        text += _render_response(status, response)
    return text + "</article>"


def _render_parameter(parameter: Mapping[str, Any]) -> str:
    need = " (required)" if parameter.get("required") else ""
    description = _format(parameter.get("description", ""))
    return (
        f"<tr><th><code>{escape(parameter['name'])}</code> in {escape(parameter['in'])}{need}</th>"
        f"<td>{_render_type(parameter['schema'])} {description}</td></tr>"
    )


def _render_response(status: str, response: Mapping[str, Any]) -> str:
    text = f"<h4>Response {escape(status)}</h4><p>{_format(response['description'])}</p>"
    for media, content in response.get("content", {}).items():
        text += f"<p>{_render_type(content.get('schema', {}))} as {escape(media)}</p>"
        if "example" in content:
            example = content["example"]
            shown = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
            text += f"<details><summary>Example</summary><pre>{escape(shown)}</pre></details>"
    return text


def _render_schema(name: str, schema: Mapping[str, Any]) -> str:
    text = f'<article id="{escape(name)}"><h3>{escape(name)}</h3>'
    if "description" in schema:
        text += f"<p>{_format(schema['description'])}</p>"
    rows = "".join(
        f"<tr><th><code>{escape(field)}</code></th><td>{_render_type(one)}</td></tr>"
        for field, one in schema.get("properties", {}).items()
    )
    return text + (f"<table>{rows}</table>" if rows else f"<p>{_render_type(schema)}</p>") + "</article>"


def _render_type(schema: Mapping[str, Any]) -> str:
    """The type as text, with links to the schemas in it."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(map(_render_type, schema[several]))
    if schema.get("type") == "array":
        return f"array of {_render_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object with values of {_render_type(schema['additionalProperties'])}"
    return escape(str(schema.get("const", schema.get("type", "any"))))


def _format(text: str) -> str:
    """Escaped text, in which words between backticks are code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _render_page(title: str, links: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)} · MystiCanvas</title><link rel="stylesheet" href="/docs/reference.css"></head>'
        f'<body><a class="skip" href="#content">Skip to content</a><nav aria-label="Contents">{links}</nav>'
        f'<main id="content">{body}</main></body></html>'
    )
