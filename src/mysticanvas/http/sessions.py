"""Sign-in: one-time codes and a cookie for the gallery, a token file for scripts, and a key for commands."""

import hashlib
import hmac
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from mysticanvas.domain.errors import LibraryError
from mysticanvas.domain.launch import Launch, create_launch, derive_key, prove
from mysticanvas.fs.durable import replace, sync
from mysticanvas.fs.instance_file import describe_unusable, read_secret

log = logging.getLogger(__name__)

CODE_LIMIT_S = 3_600
SESSION_FILE = "session"
# If there are more unused codes, the oldest are deleted.
MAX_CODES = 100


class Sessions:
    """The codes, the cookie and the token of one launch. Thread-safe. `token_file` is the file that `rotate_token`
    writes."""

    def __init__(
        self,
        token: str,
        launch: Launch | None = None,
        *,
        token_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.launch = launch or create_launch(0)
        self._token_file = token_file
        self._clock = clock
        self._token = token
        self._cookie = secrets.token_urlsafe(32)
        self._codes: dict[str, float] = {}
        self._lock = Lock()
        # Whether the cookie stays valid after this launch so open pages can reconnect.
        self.keep_cookie = False

    @classmethod
    def open(
        cls, token_file: Path, launch: Launch | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> "Sessions":
        """Creates the token file of the library at first use, readable only by its owner. A file that contains no valid
        token is replaced. Raises `LibraryError`."""
        token = read_secret(token_file, "its token")
        if token is None:
            if token_file.exists():
                log.warning(
                    "The file %s did not contain a valid token, so MystiCanvas created a new token. Scripts that use "
                    "the old token need the new one (mysticanvas token show).",
                    token_file,
                )
            token = secrets.token_urlsafe(32)
            _store_private(token_file, token, "its token")
        return cls(token, launch, token_file=token_file, clock=clock)

    @property
    def cookie_name(self) -> str:
        """The name of the cookie. All ports of a host share cookies, so each library has its own cookie name."""
        return "mysticanvas_" + hashlib.sha256(self._token.encode()).hexdigest()[:12]

    @contextmanager
    def keep_cookie_in(self, file: Path) -> Iterator[None]:
        """Stores the cookie in `file` while the context is open, so open pages can reconnect after a crash. A clean
        exit removes the file unless `keep_cookie` is set."""
        kept = read_secret(file, "the sign-in of open pages")
        if kept is None:
            _store_private(file, self._cookie, "the sign-in of open pages")
        else:
            self._cookie = kept
        try:
            yield
        finally:
            if not self.keep_cookie:
                file.unlink(missing_ok=True)

    def create_code(self, valid_s: int = CODE_LIMIT_S) -> str:
        """Creates a code for one sign-in within `valid_s` seconds."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._codes) >= MAX_CODES:
                del self._codes[next(iter(self._codes))]
            self._codes[code] = self._clock() + valid_s
        return code

    @property
    def cookie(self) -> str:
        """The value of the sign-in cookie. Send it only to authenticated clients."""
        return self._cookie

    def redeem(self, code: str) -> str | None:
        """Returns the value of the cookie for a valid code, and invalidates the code. Returns None for an invalid
        code."""
        with self._lock:
            until_s = self._codes.pop(code, None)
            return self._cookie if until_s is not None and until_s >= self._clock() else None

    @property
    def device_cookie_name(self) -> str:
        return f"{self.cookie_name}_device"

    def create_device(self) -> str:
        """Creates the value of a cookie for a browser that has signed in. The cookie grants no access. It only
        distinguishes this browser from clients that guess passwords."""
        device = secrets.token_hex(8)
        return f"{device}.{self._sign_device(device)}"

    def read_device(self, value: str) -> str | None:
        """Returns the ID of the browser with this cookie, or None if the cookie was not issued by this library."""
        device, _, signature = value.partition(".")
        is_ours = hmac.compare_digest(signature.encode(), self._sign_device(device).encode())
        return device if is_ours else None

    def _sign_device(self, device: str) -> str:
        return hmac.new(self._token.encode(), b"device " + device.encode(), hashlib.sha256).hexdigest()

    def knows_cookie(self, value: str) -> bool:
        return bool(value) and hmac.compare_digest(value.encode(), self._cookie.encode())

    def knows_token(self, value: str) -> bool:
        """Returns whether this is the token, or the key that a command derived from it for this launch. Nothing is
        neither."""
        token = self._token
        if not value or not token:
            return False
        is_token = hmac.compare_digest(value.encode(), token.encode())
        return is_token or hmac.compare_digest(value.encode(), derive_key(token, self.launch).encode())

    def prove(self, nonce: str) -> str:
        """Returns a proof that this launch knows the token. A command requests it before it sends any secret."""
        return prove(self._token, self.launch, nonce)

    def rotate_token(self) -> None:
        """Replaces the token and the cookie, and deletes all codes. All clients must sign in again.

        Raises `LibraryError` without changing anything if a file cannot be written.
        """
        assert self._token_file is not None
        token, cookie = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        with self._lock:
            try:
                # First the cookie: after a crash in between, the old one is not valid with the new token.
                session_file = self._token_file.with_name(SESSION_FILE)
                if session_file.exists():
                    _replace_private(session_file, cookie)
                _replace_private(self._token_file, token)
            except OSError as error:
                raise LibraryError(
                    f"The token was not replaced: {self._token_file} cannot be written ({error.strerror}). "
                    "The old token is still valid. Try again."
                ) from error
            self._token, self._cookie = token, cookie
            self._codes.clear()


def _store_private(path: Path, secret: str, what: str) -> None:
    """Like `_replace_private`. Raises `LibraryError`. `what` is stored in the file."""
    try:
        _replace_private(path, secret)
    except OSError as error:
        raise describe_unusable(path, what, "written", error) from error


def _write_private(path: Path, secret: str) -> None:
    """Creates a file that only its owner can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())


def _replace_private(path: Path, secret: str) -> None:
    """Replaces the secret in a file. The new secret is on the disk when the function returns, so a power failure cannot
    bring back the old one."""
    temporary = path.with_name(f"{path.name}.part")
    temporary.unlink(missing_ok=True)
    _write_private(temporary, secret)
    replace(temporary, path)
    sync(path.parent)
