"""Who has signed in: a one-time code for the page, a token file for scripts (X1)."""

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
    """The codes and the cookie of one launch. Thread-safe."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._cookie = secrets.token_urlsafe(32)
        self._codes: dict[str, float] = {}
        self._lock = Lock()
        # Whether open pages are to come back by themselves after the end.
        self.keep_cookie = False
        # Cookies are shared by all ports of a host: the name keeps two libraries apart.
        self.cookie_name = "mysticanvas_" + hashlib.sha256(token.encode()).hexdigest()[:12]

    @classmethod
    def open(cls, token_file: Path) -> "Sessions":
        """The library's token is made once, readable by its owner alone."""
        if not token_file.exists():
            _write_private(token_file, secrets.token_urlsafe(32))
        return cls(token_file.read_text("ascii").strip())

    @contextmanager
    def keep_cookie_in(self, file: Path) -> Iterator[None]:
        """While serving: the cookie outlives a crash, so that open pages come back by themselves. A
        launch that ends in order takes it along."""
        if file.exists():
            self._cookie = file.read_text("ascii").strip() or self._cookie
        else:
            _write_private(file, self._cookie)
        try:
            yield
        finally:
            if not self.keep_cookie:
                file.unlink(missing_ok=True)

    def new_code(self) -> str:
        """Good for one sign-in within a minute."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = time.monotonic() + CODE_LIMIT_S
        return code

    @property
    def cookie(self) -> str:
        """The value that signs in; for who has shown that they may."""
        return self._cookie

    def redeem(self, code: str) -> str | None:
        """The cookie's value for a code that is good, once; else None."""
        with self._lock:
            until_s = self._codes.pop(code, 0.0)
        return self._cookie if until_s >= time.monotonic() else None

    def knows_cookie(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(), self._cookie.encode())

    def knows_token(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(), self._token.encode())


def _write_private(path: Path, secret: str) -> None:
    """A new file that its owner alone can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret)
