"""Sign-in: a one-time code and a cookie for the gallery, and a token file for scripts."""

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

CODE_LIMIT_S = 60.0


class Sessions:
    """The codes and the cookie of one run of the server. Thread-safe."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._cookie = secrets.token_urlsafe(32)
        self._codes: dict[str, float] = {}
        self._lock = Lock()
        # Whether the cookie stays valid after this launch, so that open pages reconnect.
        self.keep_cookie = False
        # All ports of a host share cookies, so each library has its own cookie name.
        self.cookie_name = "mysticanvas_" + hashlib.sha256(token.encode()).hexdigest()[:12]

    @classmethod
    def open(cls, token_file: Path) -> "Sessions":
        """Creates the library's token file on first use, readable only by its owner."""
        if not token_file.exists():
            _write_private(token_file, secrets.token_urlsafe(32))
        return cls(token_file.read_text("ascii").strip())

    @contextmanager
    def keep_cookie_in(self, file: Path) -> Iterator[None]:
        """While the context is open, the cookie is stored in `file`, so that open pages reconnect after a crash. A
        clean exit removes the file, unless `keep_cookie` is set."""
        if file.exists():
            self._cookie = file.read_text("ascii").strip() or self._cookie
        else:
            _write_private(file, self._cookie)
        try:
            yield
        finally:
            if not self.keep_cookie:
                file.unlink(missing_ok=True)

    def create_code(self) -> str:
        """A code for one sign-in within `CODE_LIMIT_S`."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = time.monotonic() + CODE_LIMIT_S
        return code

    @property
    def cookie(self) -> str:
        """The value of the cookie that signs in. Send it only to authenticated clients."""
        return self._cookie

    def redeem(self, code: str) -> str | None:
        """The value of the cookie for a valid code, which then becomes invalid; None for an invalid code."""
        with self._lock:
            until_s = self._codes.pop(code, 0.0)
        return self._cookie if until_s >= time.monotonic() else None

    def knows_cookie(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(), self._cookie.encode())

    def knows_token(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(), self._token.encode())


def _write_private(path: Path, secret: str) -> None:
    """Creates a file that only its owner can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret)
