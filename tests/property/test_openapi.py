"""Whatever the OpenAPI document allows, and some that it does not: never a failure of the server (X4, G6).

A few examples of each operation that are always the same, a thousand of each with --long.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from tests.faults.serving import Served
from tests.pictures import write_pictures
from tests.wire.documented import schemas_of_requests

LONG = "--long" in sys.argv
IMAGES = 8
# Of each operation and each way: as documented, and against it.
MANY = 500 if LONG else 4
examples = settings(
    max_examples=MANY,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
# It never ends; who may open it is in the test of the gate.
STREAMS = "/api/v1/events/stream"
# After it, this test would be signed out; `test_token.py` asks it.
SIGNS_OUT = "/api/v1/session/token"
# The model server that was asked does not answer: that is its failure, and said so.
ELSEWHERE = {502}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("openapi")
    (home / "library").mkdir()
    write_pictures(home / "pictures", IMAGES)
    server = Served(home / "library", [home / "pictures"]).wait_until_up()
    server.wait_until_idle(IMAGES)
    yield server
    server.stop()


def fenced(value: Any, home: Path) -> Any:
    """The same body, but no path in it leads out of `home`: what is imported could be purged."""
    if isinstance(value, dict):
        return {name: _inside(one, home) if name in ("path", "paths", "folder") else one for name, one in value.items()}
    return value


def _inside(value: Any, home: Path) -> Any:
    if isinstance(value, list):
        return [_inside(one, home) for one in value]
    return f"{home / 'nowhere'}/{value.replace('..', '')}" if isinstance(value, str) else value


def test_every_text_of_a_body_has_a_limit(served: Served) -> None:
    schemas = schemas_of_requests(served.get("/api/v1/openapi.json"))
    assert len(schemas) > 40
    assert [one for name, schema in schemas.items() for one in _unlimited(schema, name)] == []


def _unlimited(schema: Any, place: str) -> Iterator[str]:
    """Texts, and names of what has any name, of any length: these may hold lone surrogates, too."""
    if isinstance(schema, list):
        for one in schema:
            yield from _unlimited(one, place)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "string" and not {"maxLength", "enum", "const"} & set(schema):
        yield place
    if schema.get("type") == "object" and schema.get("additionalProperties") and "propertyNames" not in schema:
        yield f"{place}, its names"
    for name, one in schema.items():
        yield from _unlimited(one, f"{place}.{name}")


# What no schema tells of: each was a failure of some server of this kind.
LONG_PATH = b'"/' + b"a" * 300 + b'"'
PARAMS = b'{"name":"a","content":"b","params":{%b}}'
BODIES = {
    "/api/v1/snapshots": (b"[" * 100_000, b'{"q":%b}' % (b"9" * 5_000), b'{"q":NaN}', b'{"q":"\\ud800"}', b"\xff", b""),
    "/api/v1/imports": (b'{"paths":["/a\\u0000b"]}', b'{"paths":["\\ud800"]}', b'{"paths":[%b]}' % LONG_PATH,
                     b'{"paths":["~nobody-here/x"]}'),
    "/api/v1/models:scan": (b'{"paths":["/a\\u0000b"]}', b'{"paths":["\\udfff"]}'),
    "/api/v1/migrations": (b'{"path":"/a\\u0000b"}', b'{"path":%b}' % LONG_PATH),
    "/api/v1/tagger": (b'{"folder":"/a\\u0000b"}',),
    "/api/v1/templates/styles": (b'{"text":"a\\rb"}', b'{"text":"name,prompt\\r\\u0000"}'),
    "/api/v1/templates": (PARAMS % b'"a":NaN', PARAMS % b'"\\ud800":1', PARAMS % (b'"a":1' + b"0" * 400)),
    "/api/v1/edits": (b'{"query":"","set":{"notes":"\\ud800"}}', b'{"query":"","set":{"rating":1e400}}'),
    "/api/v1/tags:create": (b'{"name":"a\\u0000b"}', b'{"name":"\\ud800"}'),
}  # fmt: skip


# Of these there is one, which is set.
SET = ("/api/v1/tagger",)


@pytest.mark.parametrize("path", BODIES)
def test_what_no_schema_tells_of_is_refused_with_a_sentence(served: Served, path: str) -> None:
    for body in BODIES[path]:
        method = "PUT" if path in SET else "POST"
        reply = served.http.request(method, path, content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code in (400, 422), (body[:80], reply.text[:200])
        assert reply.json()["detail"]


def test_no_request_that_the_document_knows_breaks_the_server(served: Served) -> None:
    schema = schemathesis.openapi.from_dict(served.get("/api/v1/openapi.json"))
    # The session has the token; a random one instead would be refused before it comes to the route.
    schema.config.generation.with_security_parameters = False
    base = str(served.http.base_url).rstrip("/")
    session = requests.Session()
    session.headers["Authorization"] = served.http.headers["Authorization"]
    statuses: Counter[int] = Counter()
    slowest: Counter[str] = Counter()
    wrong: list[str] = []

    def ask(case: schemathesis.Case) -> None:
        case.body = fenced(case.body, served.library.parent)
        reply = case.call(base_url=base, session=session)
        statuses[reply.status_code] += 1
        if reply.status_code not in ELSEWHERE:
            case.validate_response(reply, checks=CHECKS)

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for found in schema.get_all_operations():
            operation = found.ok()
            # What takes nothing cannot be asked wrongly.
            takes_something = len(list(operation.body)) + len(list(operation.query)) > 0
            if operation.path in (STREAMS, SIGNS_OUT) or (mode is GenerationMode.NEGATIVE and not takes_something):
                continue
            began_s = time.monotonic()
            try:
                examples(given(case=operation.as_strategy(generation_mode=mode))(ask))()
            except (Exception, BaseExceptionGroup) as error:
                wrong.append(f"{operation.method.upper()} {operation.path}: {type(error).__name__}: {error}"[:4_000])
            slowest[f"{operation.method} {operation.path}"] += round((time.monotonic() - began_s) * 1000)
    print(f"{statuses.total()} requests: {dict(sorted(statuses.items()))}; slowest {slowest.most_common(3)}")
    assert wrong == [], "\n\n".join(wrong)
    assert statuses[200] > statuses.total() / 20
    assert served.get("/api/v1/doctor")["ok"]
