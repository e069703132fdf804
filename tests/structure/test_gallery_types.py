"""The gallery writes no type of the API by hand: they are generated from its document, and so is the client."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web" / "src"
CLIENT = "api/client.ts"

_NO_CODE = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*|<style>.*</style>", re.DOTALL)
# A type of fields has semicolons or line ends between them; a value has commas.
_FIELDS = re.compile(r"\{\s*(?:(?:readonly\s+)?\w+\??:\s[^{};,]*(?:;\s*|\n\s*|(?=\})))+\}")
_FIELD = re.compile(r"(?:[{;\n]\s*)(?:readonly\s+)?(\w+)\??:")
_REQUEST = re.compile(r"\bfetch\(\s*[`'\"/\w]|\bnew XMLHttpRequest\b|\bsendBeacon\(")
# Fewer fields are a coincidence, unless they are all that a schema has.
_MANY = 4


def read_sources() -> dict[str, str]:
    """Path to text, of what the gallery consists of, without its tests and benchmarks and what only they use."""
    kinds = (".ts", ".svelte")
    paths = [path for path in sorted(WEB.rglob("*")) if path.suffix in kinds and "generated" not in path.parts]
    found = {
        path.relative_to(WEB).as_posix(): path.read_text("utf-8")
        for path in paths
        if not path.stem.endswith((".test", ".bench"))
    }
    return {name: _NO_CODE.sub("", text) for name, text in found.items() if "For tests only" not in text}


def read_schemas() -> dict[str, frozenset[str]]:
    """Name of a schema to the names of its fields."""
    document = json.loads((ROOT / "web" / "openapi.json").read_text("utf-8"))
    schemas = document["components"]["schemas"].items()
    return {name: frozenset(schema["properties"]) for name, schema in schemas if schema.get("properties")}


def find_written_shapes(text: str) -> Iterator[frozenset[str]]:
    """The names of the fields of each object type in the text, the innermost first."""
    while found := _FIELDS.search(text):
        yield frozenset(_FIELD.findall(found[0]))
        text = text[: found.start()] + "object" + text[found.end() :]


def is_copy(fields: frozenset[str], schema: frozenset[str]) -> bool:
    return fields == schema or (len(fields) >= _MANY and fields < schema)


def test_no_type_repeats_a_schema_of_the_api() -> None:
    schemas = read_schemas()
    copies = {
        (path, name, tuple(sorted(fields)))
        for path, text in read_sources().items()
        for fields in find_written_shapes(text)
        if len(fields) > 1
        for name, schema in schemas.items()
        if is_copy(fields, schema)
    }
    assert copies == set(), "Use the type of the schema: Schemas['…'] of api/client.ts."


def test_only_the_client_sends_requests() -> None:
    sources = read_sources()
    assert len(sources) > 150
    assert [path for path, text in sources.items() if _REQUEST.search(text)] == [CLIENT]


def test_a_written_shape_is_found_wherever_it_is() -> None:
    tag = frozenset({"id", "name"})
    assert list(find_written_shapes("interface Tag {\n  id: number;\n  name: string | null;\n}")) == [tag]
    assert list(find_written_shapes("get<{ tags: { id: number; name: string }[] }>()")) == [tag, frozenset({"tags"})]
    assert list(find_written_shapes("post(path, { body: { id: 1, name } })")) == []
