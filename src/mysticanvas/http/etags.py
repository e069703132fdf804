"""ETags for things that two tabs can edit. A change with an If-Match header that does not match fails with status 412.

Without the header, the last change wins.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from fastapi import Header

from mysticanvas.domain.errors import ConflictError

IfMatch = Annotated[
    str | None,
    Header(
        max_length=1_000,
        description="The ETag of the version that this request changes. If it has changed since then, the request "
        "fails with status 412.",
    ),
]
# One change at a time between comparing and changing. All changes to a library go through one process.
_CHANGING = threading.Lock()


class ChangedError(ConflictError):
    """The resource is not the one that the client has seen."""


def make_etag(value: Any) -> str:
    """Returns the ETag of a value that msgspec can encode. Equal values have the same ETag."""
    return f'"{hashlib.blake2b(msgspec.json.encode(value), digest_size=12).hexdigest()}"'


@contextmanager
def unchanged(if_match: str | None, read: Callable[[], Any]) -> Iterator[None]:
    """Change the resource inside this context. `read` returns its present value, as for `make_etag`.

    Raises `ChangedError` if the header does not match.
    """
    if if_match is None:
        yield
        return
    with _CHANGING:
        if not _matches(if_match, make_etag(read())):
            raise ChangedError(
                "This was changed in another window or by a script. Load it again, and repeat the change."
            )
        yield


def _matches(if_match: str, etag: str) -> bool:
    return if_match.strip() == "*" or etag in (one.strip() for one in if_match.split(","))
