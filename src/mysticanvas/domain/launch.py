"""How a server and a command prove to each other that they know a library's token, without sending it.

The command sends a random nonce, and the server answers with `prove`. Then the command signs in with `derive_key`.
Both are bound to one launch of the server, so neither is worth anything to another program, or at another port.
"""

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass

_NONCE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Launch:
    """One run of a server, and where it listens. `id` is random."""

    id: str
    port: int
    pid: int


def create_launch(port: int) -> Launch:
    return Launch(secrets.token_hex(16), port, os.getpid())


def create_nonce() -> str:
    return secrets.token_hex(32)


def is_nonce(text: str) -> bool:
    return _NONCE.fullmatch(text) is not None


def prove(token: str, launch: Launch, nonce: str) -> str:
    """What only a server of this launch that knows the token can answer."""
    return _sign(token, "proof", launch, nonce)


def derive_key(token: str, launch: Launch) -> str:
    """What signs in to this launch instead of the token, which cannot be computed from it."""
    return _sign(token, "key", launch, "")


def _sign(token: str, purpose: str, launch: Launch, nonce: str) -> str:
    # The purpose keeps a proof from being a key, whatever nonce a stranger sends.
    parts = ("mysticanvas 1", purpose, launch.id, str(launch.port), str(launch.pid), nonce)
    return hmac.new(token.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()
