"""Sign-in: a one-time code and a cookie for the gallery, a token file for scripts."""

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
        # Whether the cookie stays valid after this launch, so that open pages reconnect.
        self.keep_cookie = False
        # All ports of a host share cookies, so each library has its own cookie name.
        self.cookie_name = "mysticanvas_" + hashlib.sha256(token.encode()).hexdigest()[:12]

    @classmethod
    def open(cls, token_file: Path) -> "Sessions":
        """Creates the token file of the library at first use, readable only by its owner."""
        if not token_file.exists():
            _write_private(token_file, secrets.token_urlsafe(32))
        return cls(token_file.read_text("ascii").strip())

    @contextmanager
    def keep_cookie_in(self, file: Path) -> Iterator[None]:
        """While the context is open, the cookie survives a crash in `file`, so that open pages reconnect. A
        clean exit removes it, unless `keep_cookie` is set."""
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
        """The value of the cookie for a valid code, which is then used up; otherwise None."""
        with self._lock:
            until_s = self._codes.pop(code, 0.0)
        return self._cookie if until_s >= time.monotonic() else None

    @property
    def device_cookie_name(self) -> str:
        return f"{self.cookie_name}_device"

    def create_device(self) -> str:
        """The value of a cookie for a browser that has signed in. It opens nothing: it only tells this browser from
        those that guess passwords."""
        device = secrets.token_hex(8)
        return f"{device}.{self._sign_device(device)}"

    def read_device(self, value: str) -> str | None:
        """The ID of the browser with this cookie; None when the cookie is not ours."""
        device, _, signature = value.partition(".")
        is_ours = hmac.compare_digest(signature.encode(), self._sign_device(device).encode())
        return device if is_ours else None

    def _sign_device(self, device: str) -> str:
        return hmac.new(self._token.encode(), b"device " + device.encode(), hashlib.sha256).hexdigest()

    def knows_cookie(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(), self._cookie.encode())

    def knows_token(self, value: str) -> bool:
        return hmac.compare_digest(value.encode(), self._token.encode())


def _write_private(path: Path, secret: str) -> None:
    """Creates a file that only its owner can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret)
