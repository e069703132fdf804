"""Finds the gallery that serves a library, and verifies its identity before any secret is sent.

If a gallery was killed, its `address.json` remains, and another program may now listen on that port. Therefore, the
process named in the file must hold the library's lock, and the program on the port must prove that it knows the
library's token for this launch and port. The token itself is never sent. Requests contain a key that only this launch
accepts.
"""

import hmac
import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from mysticanvas.db.lock import find_holder
from mysticanvas.domain.errors import LibraryBusyError
from mysticanvas.domain.launch import Launch, create_nonce, derive_key, prove
from mysticanvas.fs.instance_file import read_address, read_token

# For the complete response, even if it arrives byte by byte. During an import, the gallery may take seconds.
PROOF_LIMIT_S = 10.0
# A valid response has about 1 kB.
MAX_PROOF_BYTES = 8_192


class StrangerError(LibraryBusyError):
    """Another program responds at the address of the library's gallery."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """A gallery that has proved that it serves the library. `key` is a sign-in key that is valid until the gallery
    stops."""

    host: str
    port: int
    pid: int
    key: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def find_gallery(library: Path) -> Gallery | None:
    """Returns the gallery that serves the library, or None if no gallery is running or it is not listening yet.

    Raises `StrangerError` if a different program responds at its address, and `LibraryBusyError` if it does not
    respond.
    """
    launch = read_address(library)
    if launch is None or find_holder(library) != launch.pid:
        return None
    token, nonce = read_token(library), create_nonce()
    answer = _ask(launch, nonce)
    if answer is None:
        return None
    if not answer:
        raise LibraryBusyError(
            "Another MystiCanvas process is using this library and does not respond. Wait a moment, or stop it."
        )
    if not hmac.compare_digest(_read_proof(answer), prove(token, launch, nonce).encode()):
        raise StrangerError(
            f"Port {launch.port} is used by another program, not by the MystiCanvas process that is using this library "
            f"(process {launch.pid}). No secrets were sent to that program. Stop process {launch.pid}, and start "
            "MystiCanvas again."
        )
    return Gallery("127.0.0.1", launch.port, launch.pid, derive_key(token, launch))


def _ask(launch: Launch, nonce: str) -> bytes | None:
    """Returns the unverified response to the nonce, limited in time and size, or None if no program is listening."""
    deadline_s = time.monotonic() + PROOF_LIMIT_S
    request = (
        f"GET /api/v1/session/proof?nonce={nonce} HTTP/1.1\r\nHost: 127.0.0.1:{launch.port}\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
    )
    try:
        connection = socket.create_connection(("127.0.0.1", launch.port), timeout=PROOF_LIMIT_S)
    except OSError:
        return None
    answer = b""
    with connection:
        try:
            connection.sendall(request.encode("ascii"))
            while len(answer) < MAX_PROOF_BYTES and (left_s := deadline_s - time.monotonic()) > 0:
                connection.settimeout(left_s)
                block = connection.recv(MAX_PROOF_BYTES)
                if not block:
                    break
                answer += block
        except OSError:
            # Closed, reset or too slow: the data received so far is checked.
            pass
    return answer


def _read_proof(answer: bytes) -> bytes:
    """Returns the proof in a response, or b"" if there is none. Does not follow redirects."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        return b""
    try:
        return str(json.loads(body)["proof"]).encode("utf-8", "replace")
    except (ValueError, KeyError, TypeError, RecursionError):
        return b""
