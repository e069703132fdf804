"""Where the process that holds a library answers, and with which token: what a command needs to ask it."""

import json
import os
import socket
from pathlib import Path

from mysticanvas.domain.errors import LibraryError
from mysticanvas.fs.durable import replace

TOKEN_FILE = "token"
ADDRESS_FILE = "address.json"


def write_address(path: Path, base_url: str) -> None:
    """Whole or not at all."""
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps({"url": base_url, "pid": os.getpid()}), "utf-8")
    replace(temporary, path)


def holder_address(library: Path) -> str | None:
    """Where the process that holds the library answers; None when nobody does."""
    try:
        content = json.loads((library / ADDRESS_FILE).read_text("utf-8"))
        port = int(str(content["url"]).rpartition(":")[2])
        # A file left behind by a killed process names a port where nobody listens.
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(content["url"])


def read_token(library: Path) -> str:
    """The library's token for scripts. Raises `LibraryError` when it may not be read."""
    try:
        return (library / TOKEN_FILE).read_text("ascii").strip()
    except OSError as error:
        raise LibraryError(f"The token file of the library {library} cannot be read: {error.strerror}.") from error
