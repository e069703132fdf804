"""Responses of the API: their limits, and the errors that their statuses stand for."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mysticanvas.domain.errors import (
    DAMAGED,
    ConflictError,
    DamagedLibraryError,
    InvalidInputError,
    LibraryBusyError,
    LibraryError,
    MystiCanvasError,
    NotFoundError,
    QueryError,
)

# Long enough for a long poll of 25 s, short enough to notice a server that hangs.
REQUEST_LIMIT_S = 60.0
# For a complete response, such as an export. A response that arrives byte by byte would never time out otherwise.
REPLY_LIMIT_S = 900.0
# Checks and backups read the database as a whole, and respond when they are done.
SLOW_PATHS = ("/api/v1/doctor", "/api/v1/backups")
SLOW_LIMIT_S = 1_800.0
# More than the export of the largest library that we test.
MAX_REPLY_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete response."""

    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def drop_none(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


# The classes that decide the exit code. A response with any other status is a `LibraryError`: not possible now.
_ERRORS: dict[int, type[MystiCanvasError]] = {
    400: InvalidInputError,
    404: NotFoundError,
    409: ConflictError,
    410: ConflictError,
    412: ConflictError,
    413: InvalidInputError,
    422: InvalidInputError,
    429: LibraryBusyError,
}
# What to do, where the response does not say it.
_ADVICE = {
    410: "The search results have expired. Run the command again.",
    429: "Wait a moment, and then run the command again.",
}


def read_json(reply: Reply) -> Any:
    checked = check_reply(reply)
    try:
        return json.loads(checked.content) if checked.content else None
    except (ValueError, RecursionError) as error:
        raise LibraryError("The response from the gallery is not valid JSON. Restart MystiCanvas.") from error


def check_reply(reply: Reply) -> Reply:
    """Raises the error that corresponds to the status of the response."""
    if reply.is_success:
        return reply
    try:
        body = json.loads(reply.content)
        sentence = str(body["detail"])
        if body.get("suggestion"):
            sentence += f" Did you mean {body['suggestion']} ?"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        body, sentence = {}, f"The server returned HTTP status {reply.status}."
    if str(body.get("type")).endswith(f"#{DAMAGED}"):
        raise DamagedLibraryError(sentence)
    if isinstance(position := body.get("position"), int):
        raise QueryError(sentence, position, body.get("suggestion"))
    if advice := _ADVICE.get(reply.status):
        sentence = f"{sentence} {advice}" if advice not in sentence else sentence
    raise _ERRORS.get(reply.status, LibraryError)(sentence)


def encode_query(query: dict[str, Any]) -> str:
    """The query of a URL, with its question mark. None is omitted, and a list is repeated."""
    given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in drop_none(query).items()}
    return f"?{urlencode(given, doseq=True)}" if given else ""
