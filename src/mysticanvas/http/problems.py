"""Error responses: problem details as specified by RFC 9457, with a link to their description in `/docs/errors`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import Response

MEDIA_TYPE = "application/problem+json"
DOCS = "/docs/errors"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """What a status means. `name` is the anchor of its description."""

    name: str
    title: str
    description: str


KINDS: Mapping[int, ProblemKind] = {
    400: ProblemKind(
        "invalid-request",
        "The request cannot be read",
        "The body is not valid JSON, or the search is not valid. `position` is the index of the first wrong character "
        "of a search, and `suggestion` is the term that was probably meant.",
    ),
    401: ProblemKind(
        "not-signed-in",
        "Sign-in required",
        "Send the token in the Authorization header, or sign in and send the cookie.",
    ),
    403: ProblemKind(
        "forbidden",
        "Not allowed",
        "A page of another site sent the request, or the Origin header is missing. Scripts send the token instead.",
    ),
    404: ProblemKind("not-found", "Not found", "There is no such image, job, folder or route."),
    405: ProblemKind("method-not-allowed", "Method not allowed", "The path exists, but not with this method."),
    409: ProblemKind(
        "conflict",
        "Conflict",
        "The request does not fit the present state, such as a name that is already used. `detail` says what to do.",
    ),
    410: ProblemKind(
        "gone",
        "Expired",
        "The search results have expired because newer ones replaced them. Open a new snapshot.",
    ),
    412: ProblemKind(
        "changed",
        "Changed in the meantime",
        "The If-Match header does not contain the present ETag: something else changed the resource. Load it again.",
    ),
    413: ProblemKind("too-large", "Too much data", "The request body is too large. Send less data per request."),
    415: ProblemKind(
        "unsupported-body",
        "Unsupported request body",
        "The request body must be JSON without compression, with the header Content-Type: application/json.",
    ),
    421: ProblemKind(
        "unknown-host",
        "Unknown host name",
        "The Host header is not an address of this gallery. Add host names with --host-name.",
    ),
    422: ProblemKind(
        "invalid-value",
        "Invalid value",
        "The request was read, but a value in it is not possible. `detail` names the value and what is accepted.",
    ),
    429: ProblemKind(
        "too-many-requests",
        "Too many requests",
        "Wait for the number of seconds in the Retry-After header before you try again.",
    ),
    431: ProblemKind("headers-too-large", "Headers too large", "Send fewer or shorter request headers."),
    500: ProblemKind("internal-error", "Internal error", "A bug in MystiCanvas. Its log has the details."),
    502: ProblemKind(
        "task-failed",
        "Another program failed",
        "A worker process or a model server did not return a usable result. `detail` says why.",
    ),
    503: ProblemKind(
        "unavailable",
        "Not available now",
        "The library cannot be used, such as when the disk is full, or reading took too long. `detail` says why.",
    ),
}
_OTHER = ProblemKind("other", "The request failed", "`detail` says why.")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error. `type` is the URL path of its description, and `detail` is a message for the user. `position` and
    `suggestion` are null except for a search that is not valid. `confirm` is the field of the request that the user can
    set to true to go on; null if there is none."""

    type: str
    title: str
    status: int
    detail: str
    position: int | None
    suggestion: str | None
    confirm: str | None


def encode_problem(
    status: int, detail: str, *, position: int | None = None, suggestion: str | None = None, confirm: str | None = None
) -> bytes:
    kind = KINDS.get(status, _OTHER)
    problem = Problem(f"{DOCS}#{kind.name}", kind.title, status, detail, position, suggestion, confirm)
    return msgspec.json.encode(problem)


def respond(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **where: Any) -> Response:
    """Returns an error response. `where` may contain `position`, `suggestion` and `confirm`."""
    return Response(
        encode_problem(status, detail, **where),
        status,
        media_type=MEDIA_TYPE,
        headers=None if headers is None else dict(headers),
    )
